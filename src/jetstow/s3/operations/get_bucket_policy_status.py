"""GetBucketPolicyStatus: whether a bucket is public."""

from __future__ import annotations

from jetstow.s3.acl import is_public
from jetstow.s3.call import Call
from jetstow.s3.ownership import bucket_acl, uses_acls
from jetstow.s3.policy.document import load_policy
from jetstow.s3.reserved import POLICY
from jetstow.s3.result import Result
from jetstow.s3.xml.writing import document, text


async def get_bucket_policy_status(call: Call) -> Result:
    """Return whether the policy or the ACL allows something to all users.

    Without a policy, Amazon answers NoSuchBucketPolicy. This is Ceph's answer, which its test
    suite expects.
    """
    public = load_policy(call.bucket.settings.get(POLICY)).is_public or (
        uses_acls(call.bucket) and is_public(bucket_acl(call.bucket))
    )
    return Result(xml=document("PolicyStatus", text("IsPublic", public)))
