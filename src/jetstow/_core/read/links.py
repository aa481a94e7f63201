"""Names that stand for an object elsewhere, or for a whole bucket (ADR-20)."""

from __future__ import annotations

from jetstow._core.bucket import admin
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol import subjects
from jetstow._core.read.catalog import get_info
from jetstow.errors import LinkError, LinkIsABucketError
from jetstow.models import ObjectInfo

# Links to links cannot be made here, but other clients may have made some.
_MAX_HOPS = 8


async def follow(
    stream: Stream, name: str, *, show_deleted: bool = False
) -> tuple[Stream, ObjectInfo]:
    """The object that a name leads to, and the bucket where it is.

    Raises `LinkIsABucketError`, `LinkError` for links in a circle, and what `find` raises.
    """
    asked = stream.error_context(name)
    for _ in range(_MAX_HOPS):
        info = await get_info(stream, name, show_deleted=show_deleted)
        link = info.link
        if link is None or info.deleted:
            return stream, info
        if not link.name:
            raise asked.error(
                LinkIsABucketError,
                f"{asked} is a link to all of bucket {link.bucket!r}: open that bucket instead",
            )
        if link.bucket != stream.bucket:
            stream = await admin.open_stream(stream.api, link.bucket)
        name, show_deleted = subjects.check_object_name(link.bucket, link.name), False
    raise asked.error(
        LinkError, f"{asked} leads through more than {_MAX_HOPS} links: they go in a circle"
    )
