"""Garbage of versions: what interrupted changes kept for a version that is still current, and the
delete markers of hidden names.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from jetstow._core.bucket.stream import Stream
from jetstow._core.maintain.markers import Marker, remove_markers
from jetstow._core.protocol.subjects import meta_subject
from jetstow._core.protocol.timestamps import parse_timestamp
from jetstow._core.protocol.versions import set_version, split_hidden_name
from jetstow._core.read.listing import list_infos
from jetstow._core.read.name_state import read_state
from jetstow.models import ObjectInfo


@dataclass
class VersionGarbage:
    """What was removed, and the names whose delete markers are needed, as versions follow them."""

    kept: int = 0
    markers: int = 0
    needed: set[str] = field(default_factory=set)


async def remove_version_garbage(stream: Stream, before: int, *, dry_run: bool) -> VersionGarbage:
    """Remove garbage of versions that has not changed since a time, in nanoseconds.

    A version is kept before its name is changed. If it is current nevertheless, the change did not
    follow. The chunks of a version that is outdated have no name then, and are collected next.
    """
    versioning = stream.versioning
    if versioning is None:
        return VersionGarbage()
    infos = {info.name: info for info in await list_infos(stream)}
    for info in infos.values():
        set_version(versioning, info)
    result, outdated, markers = VersionGarbage(), list[Marker](), list[Marker]()
    for info in infos.values():
        split = split_hidden_name(info.name)
        if split is None:
            continue
        name, version = split
        current = infos.get(name)
        if not info.deleted:
            result.needed.add(name)
        if parse_timestamp(info.mtime or "") > before:
            continue
        if info.deleted:
            markers.append(_marker(stream, info))
        elif current is not None and current.version == version:
            # Read again: the change may have followed in the meantime.
            state = await read_state(stream, stream.error_context(name))
            if state.info is not None and state.info.version == version:
                outdated.append(_marker(stream, info))
    result.kept = await remove_markers(stream, outdated, dry_run=dry_run)
    result.markers = await remove_markers(stream, markers, dry_run=dry_run)
    return result


def _marker(stream: Stream, info: ObjectInfo) -> Marker:
    subject = meta_subject(stream.subject_bucket, info.name)
    return Marker(info.name, subject, info.revision, parse_timestamp(info.mtime or ""))
