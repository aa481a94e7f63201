"""PutBucketTagging: replace the tags of a bucket."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.reserved import TAGS
from jetstow.s3.result import Result, no_content
from jetstow.s3.tags import MAX_BUCKET_TAGS, format_tags, parse_tag_document


async def put_bucket_tagging(call: Call) -> Result:
    """Replace the tags."""
    tags = parse_tag_document(await call.payload.read_document(), MAX_BUCKET_TAGS)
    async with call.buckets.changing(call.bucket) as settings:
        settings.pop(TAGS, None)
        if tags:
            settings[TAGS] = format_tags(tags)
    return no_content()
