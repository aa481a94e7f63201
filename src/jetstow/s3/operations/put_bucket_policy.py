"""PutBucketPolicy: replace the policy of a bucket."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.errors import S3Error
from jetstow.s3.ownership import BLOCK_POLICY, public_access_flags
from jetstow.s3.policy.document import parse_policy
from jetstow.s3.reserved import POLICY
from jetstow.s3.result import Result, no_content


async def put_bucket_policy(call: Call) -> Result:
    """Replace the policy."""
    data = await call.payload.read_document()
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise S3Error("MalformedPolicy", "The policy is not UTF-8.") from None
    policy = parse_policy(text, call.bucket.name, call.services.keys.has_owner)
    if policy.is_public:
        if BLOCK_POLICY in public_access_flags(call.bucket):
            message = "public policies are blocked by the BlockPublicPolicy setting of the bucket"
            raise S3Error("AccessDenied", message)
        if not call.services.public_acls:
            message = "The policy is public, which the gateway allows with --public-acls only"
            raise S3Error("AccessDenied", message)
    async with call.buckets.changing(call.bucket) as settings:
        settings[POLICY] = text
    return no_content()
