"""GetBucketAcl: the owner and the grants of a bucket."""

from __future__ import annotations

from jetstow.s3.acl import private_acl
from jetstow.s3.acl_requests import acl_document
from jetstow.s3.call import Call
from jetstow.s3.ownership import bucket_acl, uses_acls
from jetstow.s3.result import Result


async def get_bucket_acl(call: Call) -> Result:
    """Return the ACL."""
    bucket = call.bucket
    owner = bucket.owner or call.owner
    acl = bucket_acl(bucket) if uses_acls(bucket) else private_acl(owner)
    return Result(xml=acl_document(owner, acl, call.services.keys))
