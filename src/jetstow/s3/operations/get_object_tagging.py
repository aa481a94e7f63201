"""GetObjectTagging: the tags of an object."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.objects import object_tags
from jetstow.s3.result import Result
from jetstow.s3.tags import tag_document
from jetstow.s3.versions import check_version


async def get_object_tagging(call: Call) -> Result:
    """Return the tags, of which there may be none."""
    check_version(call.request.query)
    info = await call.bucket.store.get_info(call.key)
    return Result(xml=tag_document(object_tags(info)))
