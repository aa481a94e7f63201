"""Names that stand for an object elsewhere, or for a whole bucket (ADR-20)."""

from __future__ import annotations

from nats.js import api

from jetstow._core import buckets, names
from jetstow._core.catalog import Slot, find
from jetstow._core.commit import commit
from jetstow._core.nuids import new_nuid
from jetstow._core.stream import Stream
from jetstow.errors import LinkError, LinkIsABucketError, ObjectAlreadyExists
from jetstow.models import ObjectInfo, ObjectLink, ObjectMetaOptions

# Links to links cannot be made here, but other clients may have made some.
_MOST_HOPS = 8


async def follow(
    stream: Stream, name: str, *, show_deleted: bool = False
) -> tuple[Stream, ObjectInfo]:
    """The object that a name leads to, and the bucket where it is.

    Raises `LinkIsABucketError`, `LinkError` for links in a circle, and what `find` raises.
    """
    asked = stream.target(name)
    for _ in range(_MOST_HOPS):
        info = await find(stream, name, show_deleted=show_deleted)
        link = info.link
        if link is None or info.deleted:
            return stream, info
        if not link.name:
            raise asked.error(
                LinkIsABucketError,
                f"{asked} is a link to all of bucket {link.bucket!r}: open that bucket instead",
            )
        if link.bucket != stream.bucket:
            stream = await buckets.find(stream.js, link.bucket)
        name, show_deleted = names.check_object(link.bucket, link.name), False
    raise asked.error(
        LinkError, f"{asked} leads through more than {_MOST_HOPS} links: they go in a circle"
    )


async def add(stream: Stream, name: str, link: ObjectLink) -> ObjectInfo:
    """Let `name` be a link. It may replace a link, or a deleted object, and nothing else."""

    def propose(slot: Slot) -> ObjectInfo:
        if slot.live is not None and not slot.live.is_link():
            target = stream.target(name)
            raise target.error(
                ObjectAlreadyExists,
                f"{target} exists: a link would hide its bytes; delete it first",
            )
        options = ObjectMetaOptions(link=link)
        return ObjectInfo(
            name=name, bucket=stream.bucket, nuid=new_nuid(), size=0, chunks=0, options=options
        )

    return (await commit(stream, name, propose)).info


def to_object(stream: Stream, name: str, target: api.ObjectInfo) -> ObjectLink:
    """A link to an object. Raises `LinkError` where it would lead nowhere."""
    place = stream.target(name)
    if target.deleted:
        raise place.error(LinkError, f"{place} cannot link to {target.name!r}: it is deleted")
    if target.is_link():
        raise place.error(LinkError, f"{place} cannot link to {target.name!r}: it is a link itself")
    if target.bucket == stream.bucket and target.name == name:
        raise place.error(LinkError, f"{place} cannot link to itself")
    names.check_bucket(target.bucket)
    names.check_object(target.bucket, target.name)
    return ObjectLink(bucket=target.bucket, name=target.name)
