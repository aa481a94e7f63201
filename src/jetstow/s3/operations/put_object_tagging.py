"""PutObjectTagging: replace the tags of an object."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.changes import change_entry
from jetstow.s3.events.rules import TAGGING_PUT
from jetstow.s3.reserved import TAGS
from jetstow.s3.result import Result
from jetstow.s3.tags import MAX_OBJECT_TAGS, format_tags, parse_tag_document
from jetstow.s3.versions import read_headers


async def put_object_tagging(call: Call) -> Result:
    """Replace the tags."""
    tags = parse_tag_document(await call.payload.read_document(), MAX_OBJECT_TAGS)
    new_value = format_tags(tags) if tags else None
    info = await change_entry(call, TAGS, TAGGING_PUT, lambda _: new_value)
    return Result(headers=read_headers(call.bucket, info))
