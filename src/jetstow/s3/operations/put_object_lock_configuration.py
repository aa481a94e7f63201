"""PutObjectLockConfiguration: set the rule for new objects, and enable object lock."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.errors import S3Error
from jetstow.s3.object_lock import parse_configuration
from jetstow.s3.reserved import OBJECT_LOCK
from jetstow.s3.result import Result


async def put_object_lock_configuration(call: Call) -> Result:
    """Set the rule. Object lock can be enabled on any bucket with versions, and not disabled."""
    setting = parse_configuration(await call.payload.read_document())
    async with call.buckets.changing(call.bucket) as settings:
        if (await call.buckets.open(call.bucket.name)).status.versioning != "enabled":
            message = "Versioning must be enabled on a bucket with object lock."
            raise S3Error("InvalidBucketState", message, BucketName=call.bucket.name)
        settings[OBJECT_LOCK] = setting
    return Result()
