"""HeadBucket: whether a bucket exists and the caller may use it."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.result import Result


async def head_bucket(call: Call) -> Result:
    """Return the region of the bucket, which clients sign with."""
    headers = {"x-amz-bucket-region": call.bucket.region, "content-type": "application/xml"}
    return Result(headers=headers)
