"""HeadBucket: whether a bucket exists and the caller may use it."""

from __future__ import annotations

from jetstow.s3.buckets import LOCATION
from jetstow.s3.call import Call
from jetstow.s3.operations.create_bucket import DEFAULT_REGION
from jetstow.s3.result import Result


async def head_bucket(call: Call) -> Result:
    """Return the region of the bucket, which clients sign with."""
    region = call.bucket.settings.get(LOCATION, DEFAULT_REGION)
    return Result(headers={"x-amz-bucket-region": region, "content-type": "application/xml"})
