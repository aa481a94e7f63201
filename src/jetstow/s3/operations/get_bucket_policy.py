"""GetBucketPolicy: the policy of a bucket, as it was sent."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.errors import S3Error
from jetstow.s3.reserved import POLICY
from jetstow.s3.result import Result


async def get_bucket_policy(call: Call) -> Result:
    """Return the policy. Without one, that is an error."""
    text = call.bucket.settings.get(POLICY)
    if text is None:
        raise S3Error("NoSuchBucketPolicy", BucketName=call.bucket.name)
    return Result(text=text)
