"""Create links: names that stand for another object, or for a whole bucket (ADR-20)."""

from __future__ import annotations

from nats.js import api

from jetstow._core.bucket.encryption import new_link_header
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.nuid import new_nuid
from jetstow._core.protocol.subjects import check_bucket_name, check_object_name
from jetstow._core.read.name_state import NameState
from jetstow._core.write.commit import commit
from jetstow._core.write.revision_check import check_free
from jetstow.errors import LinkError, ObjectAlreadyExists
from jetstow.models import ObjectInfo, ObjectLink, ObjectMetaOptions


async def add_link(stream: Stream, context: ErrorContext, link: ObjectLink) -> ObjectInfo:
    """Publish a link under the name in `context`. It may replace a link or a deleted object.

    Raises: `ObjectAlreadyExists` (the name has an object with bytes).
    """

    def propose(state: NameState) -> ObjectInfo:
        if state.live is None:
            check_free(context, state, f"{context} exists")
        elif not state.live.is_link():
            raise context.error(
                ObjectAlreadyExists,
                f"{context} exists: a link would hide its bytes; delete the object first",
            )
        options = ObjectMetaOptions(link=link)
        return ObjectInfo(
            name=context.name or "",
            bucket=stream.bucket,
            nuid=new_nuid(),
            size=0,
            chunks=0,
            digest="",
            headers=new_link_header(stream, context.name or "", link),
            options=options,
        )

    return (await commit(stream, context, propose, dated=True)).info


def link_to(context: ErrorContext, target: api.ObjectInfo) -> ObjectLink:
    """Return a link to an object, for the name in `context`.

    Raises: `LinkError` (to a deleted object, to a link, to itself).
    """
    if target.deleted:
        raise context.error(LinkError, f"{context} cannot link to {target.name!r}: it is deleted")
    if target.is_link():
        raise context.error(LinkError, f"{context} cannot link to {target.name!r}: it is a link")
    if target.bucket == context.bucket and target.name == context.name:
        raise context.error(LinkError, f"{context} cannot link to itself")
    check_bucket_name(target.bucket)
    check_object_name(target.bucket, target.name)
    return ObjectLink(bucket=target.bucket, name=target.name)
