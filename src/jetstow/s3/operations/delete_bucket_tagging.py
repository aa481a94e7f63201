"""DeleteBucketTagging: remove the tags of a bucket."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.reserved import TAGS
from jetstow.s3.result import Result, no_content


async def delete_bucket_tagging(call: Call) -> Result:
    """Remove the tags."""
    async with call.buckets.changing(call.bucket) as settings:
        settings.pop(TAGS, None)
    return no_content()
