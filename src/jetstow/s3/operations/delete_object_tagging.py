"""DeleteObjectTagging: remove the tags of an object."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.changes import change_entry
from jetstow.s3.events.rules import TAGGING_DELETE
from jetstow.s3.reserved import TAGS
from jetstow.s3.result import Result, no_content
from jetstow.s3.versions import read_headers


async def delete_object_tagging(call: Call) -> Result:
    """Remove the tags."""
    info = await change_entry(call, TAGS, TAGGING_DELETE, lambda _: None)
    return no_content(read_headers(call.bucket, info))
