"""DeleteBucketWebsite: remove the website configuration of a bucket."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.reserved import WEBSITE
from jetstow.s3.result import Result, no_content


async def delete_bucket_website(call: Call) -> Result:
    """Remove the configuration."""
    async with call.buckets.changing(call.bucket) as settings:
        settings.pop(WEBSITE, None)
    return no_content()
