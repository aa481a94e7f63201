"""PutBucketWebsite: replace the website configuration of a bucket."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.json_settings import dump_setting
from jetstow.s3.reserved import WEBSITE
from jetstow.s3.result import Result
from jetstow.s3.website.configuration import parse_website


async def put_bucket_website(call: Call) -> Result:
    """Replace the configuration."""
    website = parse_website(await call.payload.read_document())
    async with call.buckets.changing(call.bucket) as settings:
        settings[WEBSITE] = dump_setting(website)
    return Result()
