"""Create links: names that stand for an object elsewhere, or for a whole bucket (ADR-20)."""

from __future__ import annotations

from nats.js import api

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol import subjects
from jetstow._core.protocol.nuid import new_nuid
from jetstow._core.read.catalog import NameState
from jetstow._core.write.commit import commit
from jetstow.errors import LinkError, ObjectAlreadyExists
from jetstow.models import ObjectInfo, ObjectLink, ObjectMetaOptions


async def add(stream: Stream, name: str, link: ObjectLink) -> ObjectInfo:
    """Let `name` be a link. It may replace a link, or a deleted object, and nothing else."""

    def propose(slot: NameState) -> ObjectInfo:
        if slot.live is not None and not slot.live.is_link():
            context = stream.error_context(name)
            raise context.error(
                ObjectAlreadyExists,
                f"{context} exists: a link would hide its bytes; delete it first",
            )
        options = ObjectMetaOptions(link=link)
        return ObjectInfo(
            name=name, bucket=stream.bucket, nuid=new_nuid(), size=0, chunks=0, options=options
        )

    return (await commit(stream, name, propose)).info


def to_object(stream: Stream, name: str, target: api.ObjectInfo) -> ObjectLink:
    """A link to an object. Raises `LinkError` where it would lead nowhere."""
    place = stream.error_context(name)
    if target.deleted:
        raise place.error(LinkError, f"{place} cannot link to {target.name!r}: it is deleted")
    if target.is_link():
        raise place.error(LinkError, f"{place} cannot link to {target.name!r}: it is a link itself")
    if target.bucket == stream.bucket and target.name == name:
        raise place.error(LinkError, f"{place} cannot link to itself")
    subjects.check_bucket_name(target.bucket)
    subjects.check_object_name(target.bucket, target.name)
    return ObjectLink(bucket=target.bucket, name=target.name)
