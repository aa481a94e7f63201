"""Resolve links: names that stand for another object, or for a whole bucket (ADR-20)."""

from __future__ import annotations

from typing import Final, NamedTuple

from jetstow._core.bucket import admin
from jetstow._core.bucket.encryption import check_link
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.subjects import check_object_name
from jetstow._core.read.name_state import get_info
from jetstow.errors import LinkError, LinkIsABucketError
from jetstow.models import ObjectInfo

# This client refuses links to links, but other clients create them.
_MAX_HOPS: Final = 8


class Resolved(NamedTuple):
    """The object that a name leads to, and the bucket that holds it."""

    stream: Stream
    context: ErrorContext
    info: ObjectInfo


async def follow(stream: Stream, context: ErrorContext, *, show_deleted: bool = False) -> Resolved:
    """Return the object that the name in `context` leads to, over links.

    Raises: `LinkIsABucketError`, `LinkError` (too many links), and what `get_info` and `check_link`
    raise.
    """
    start, view = context, stream
    for _ in range(_MAX_HOPS):
        info = await get_info(stream, context, show_deleted=show_deleted)
        # Only a link has options with a link: most objects skip the property.
        link = info.options.link if info.options is not None else None
        if link is None or info.deleted:
            return Resolved(stream, context, info)
        check_link(view, context, info)
        if not link.name:
            raise start.error(
                LinkIsABucketError,
                f"{start} is a link to the whole bucket {link.bucket!r}: open that bucket instead",
            )
        # The links of a mirror refer to the bucket that it mirrors.
        if link.bucket not in (stream.bucket, stream.subject_bucket):
            stream = await admin.open_stream(stream.api, link.bucket)
        context = stream.error_context(check_object_name(link.bucket, link.name))
        show_deleted = False
    raise start.error(
        LinkError, f"{start} leads through more than {_MAX_HOPS} links: they form a cycle"
    )
