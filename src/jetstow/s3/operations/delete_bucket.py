"""DeleteBucket: delete a bucket without objects."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.errors import S3Error
from jetstow.s3.listing import is_empty
from jetstow.s3.result import Result, no_content


async def delete_bucket(call: Call) -> Result:
    """Delete the bucket. NATS has no condition for it: a write at the same time is lost."""
    bucket = call.bucket
    if not await is_empty(call):
        raise S3Error("BucketNotEmpty", BucketName=bucket.name)
    await call.buckets.delete(bucket)
    await call.uploads.records.remove_bucket(bucket.store.bucket)
    return no_content()
