"""The versions of objects: the current one of each name, and those under hidden names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from jetstow._core.bucket.encryption import plain_info
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.versions import (
    VERSIONS_PREFIX,
    current_info,
    hidden_name,
    kept_revision,
    set_version,
    split_hidden_name,
)
from jetstow._core.read.filters import ALL_NAMES, NameFilter
from jetstow._core.read.listing import list_infos
from jetstow._core.read.name_state import NameState, read_state
from jetstow.errors import TimeoutError
from jetstow.models import ObjectInfo


@dataclass(frozen=True, slots=True)
class _VersionFilter(NameFilter):
    """Selects one name, or those of a filter, and the hidden names of their versions."""

    name: str | None = None

    @property
    def selects_all(self) -> bool:
        return False

    def selects(self, name: str) -> bool:
        if (split := split_hidden_name(name)) is not None:
            name = split[0]
        # Without super(): a dataclass with slots is another class than the one that is defined.
        return name == self.name if self.name is not None else NameFilter.selects(self, name)


async def list_versions(
    stream: Stream, name: str | None, names: NameFilter = ALL_NAMES
) -> list[ObjectInfo]:
    """Return the versions of one name, or of the selected names, by name and newest first."""
    infos = await list_infos(stream, _VersionFilter(names.prefix, names.pattern, name=name))
    return [plain_info(stream, info) for info in arranged(stream, infos)]


def arranged(stream: Stream, infos: Iterable[ObjectInfo]) -> list[ObjectInfo]:
    """Return the versions among stored infos, hidden names included, by name and newest first."""
    versioning = stream.versioning
    current: dict[str, ObjectInfo] = {}
    kept: list[ObjectInfo] = []
    for info in infos:
        if (split := split_hidden_name(info.name)) is not None:
            if not info.deleted:
                kept.append(current_info(*split, info))
            continue
        if versioning is not None:
            set_version(versioning, info)
            if info.version is None:
                continue
        elif info.deleted:
            continue
        current[info.name] = info
    # A version that is kept and current at the same time is current.
    found = [
        info
        for info in kept
        if info.name not in current or current[info.name].version != info.version
    ]
    found.sort(key=lambda info: info.revision, reverse=True)
    found = [*current.values(), *found]
    return sorted(found, key=lambda info: info.name)


async def newest_kept(stream: Stream, name: str) -> NameState | None:
    """Return the state of the newest version of a name that is not the current one; None if none.

    An open index of the bucket has it. Without one, all metadata is read.
    """
    for find in tuple(stream.version_sources):
        try:
            version = await find(name)
        except (ValueError, TimeoutError):
            continue  # another task has closed the index, or it is behind
        if version is None:
            continue
        if not version:
            return None
        state = await read_state(stream, stream.error_context(hidden_name(name, version)))
        if state.live is not None:
            return state
    hidden = NameFilter(f"{VERSIONS_PREFIX}{name}/")
    infos = [
        info
        for info in await list_infos(stream, hidden)
        if not info.deleted and split_hidden_name(info.name) == (name, info.name.rpartition("/")[2])
    ]
    newest = max(infos, key=kept_revision, default=None)
    if newest is None:
        return None
    state = await read_state(stream, stream.error_context(newest.name))
    return state if state.live is not None else await newest_kept(stream, name)
