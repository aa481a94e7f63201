"""GetObjectTagging: the tags of an object."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.objects import object_tags
from jetstow.s3.result import Result
from jetstow.s3.tags import tag_document
from jetstow.s3.versions import find_version, read_headers


async def get_object_tagging(call: Call) -> Result:
    """Return the tags, of which there may be none."""
    info = await find_version(call.bucket, call.key, call.version)
    document = tag_document(object_tags(info))
    return Result(headers=read_headers(call.bucket, info), xml=document)
