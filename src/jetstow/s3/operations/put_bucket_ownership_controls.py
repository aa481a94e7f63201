"""PutBucketOwnershipControls: set who owns the objects of a bucket."""

from __future__ import annotations

from jetstow.s3.acl import private_acl
from jetstow.s3.call import Call
from jetstow.s3.errors import S3Error
from jetstow.s3.ownership import ENFORCED, OWNERSHIPS, bucket_acl
from jetstow.s3.reserved import OWNERSHIP
from jetstow.s3.result import Result
from jetstow.s3.xml.parsing import parse_xml


async def put_bucket_ownership_controls(call: Call) -> Result:
    """Set the rule."""
    root = parse_xml(await call.payload.read_document(), "OwnershipControls")
    rules = list(root.children())
    if len(rules) != 1 or rules[0].name != "Rule":
        raise S3Error("MalformedXML")
    ownership = rules[0].required("ObjectOwnership")
    if ownership not in OWNERSHIPS:
        raise S3Error("MalformedXML")
    bucket = call.bucket
    if bucket.owner is None:
        raise S3Error("InvalidRequest", "The bucket has no owner: another NATS client created it.")
    if ownership == ENFORCED and bucket_acl(bucket) != private_acl(bucket.owner):
        raise S3Error("InvalidBucketAclWithObjectOwnership")
    async with call.buckets.changing(bucket) as settings:
        settings[OWNERSHIP] = ownership
    return Result()
