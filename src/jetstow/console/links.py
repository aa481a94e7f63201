"""Links to other objects, as far as the caller may see where they lead."""

from __future__ import annotations

import msgspec

from jetstow.errors import JetstowError
from jetstow.models import ObjectInfo
from jetstow.s3.access import may_use_object
from jetstow.s3.acl import Permission
from jetstow.s3.call import Call
from jetstow.s3.errors import S3Error
from jetstow.s3.policy.actions import actions_of


class LinkTarget(msgspec.Struct):
    """What a link leads to: an object of a bucket, or the bucket."""

    bucket: str
    name: str | None


async def visible_link(call: Call, name: str) -> LinkTarget | None:
    """Return where the link of a name leads; None if that is unknown or not for the caller."""
    try:
        info = await call.bucket.store.get_info(name)
    except JetstowError:
        return None  # it is deleted now
    actions = actions_of("GetObject", {})
    if not may_use_object(call.caller, call.bucket, name, info, Permission.READ, actions):
        return None
    return await link_target(call, info)


async def link_target(call: Call, info: ObjectInfo) -> LinkTarget | None:
    """Return where a link leads, which the caller may read.

    None if it is no link, or if the key is not valid for the other bucket.
    """
    if (link := info.link) is None:
        return None
    try:
        name = (await call.buckets.open_stream(link.bucket)).name
    except (S3Error, JetstowError):
        name = link.bucket  # there is no such bucket
    key = call.identity.key
    if name != call.bucket.name and (key is None or not key.covers(name)):
        return None
    return LinkTarget(name, link.name)
