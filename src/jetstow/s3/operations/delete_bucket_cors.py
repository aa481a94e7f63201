"""DeleteBucketCors: remove the CORS rules of a bucket."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.reserved import CORS
from jetstow.s3.result import Result, no_content


async def delete_bucket_cors(call: Call) -> Result:
    """Remove the rules."""
    async with call.buckets.changing(call.bucket) as settings:
        settings.pop(CORS, None)
    return no_content()
