"""PutBucketAcl: replace the grants of a bucket."""

from __future__ import annotations

from jetstow.s3.acl import private_acl
from jetstow.s3.acl_requests import parse_acl
from jetstow.s3.call import Call
from jetstow.s3.ownership import acl_entries, check_public, check_uses_acls
from jetstow.s3.reserved import ACL
from jetstow.s3.result import Result


async def put_bucket_acl(call: Call) -> Result:
    """Replace the ACL."""
    bucket, owner = call.bucket, call.bucket.owner or call.owner
    body = await call.payload.read_document()
    acl = parse_acl(call.request.headers, body, call.services.keys, owner, None)
    if acl != private_acl(owner):
        check_uses_acls(bucket)
    check_public(bucket, acl)
    async with call.buckets.changing(bucket) as settings:
        settings.pop(ACL, None)
        settings.update(acl_entries(owner, acl))
    return Result()
