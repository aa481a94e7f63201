"""DeleteBucketLifecycle: remove the lifecycle rules of a bucket."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.reserved import LIFECYCLE
from jetstow.s3.result import Result, no_content


async def delete_bucket_lifecycle(call: Call) -> Result:
    """Remove the rules. It is not an error if there are none."""
    async with call.buckets.changing(call.bucket) as settings:
        settings.pop(LIFECYCLE, None)
    return no_content()
