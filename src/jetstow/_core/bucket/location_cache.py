"""A cache of the chunks of recently used small objects, for speculative reads."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, NamedTuple

from jetstow.models import ObjectInfo

# A wrong guess transfers at most this many bytes. The cache of a bucket takes about a megabyte.
_MAX_SIZE: Final = 128 * 1024
_MAX_CHUNKS: Final = 16
_MAX_NAMES: Final = 4_096


class Location(NamedTuple):
    """The NUID of an object's chunks, their number, and their size in bytes."""

    nuid: str
    chunks: int
    size: int


class LocationCache:
    """The locations of the small objects of a bucket that were read or written last."""

    def __init__(self) -> None:
        self._locations: OrderedDict[str, Location] = OrderedDict()

    def remember(self, info: ObjectInfo) -> None:
        """Store the location of an object, or remove it if the object is too large."""
        size, chunks = info.size or 0, info.chunks or 0
        if 0 < chunks <= _MAX_CHUNKS and size <= _MAX_SIZE:
            self._locations[info.name] = Location(info.nuid, chunks, size)
            self._locations.move_to_end(info.name)
            if len(self._locations) > _MAX_NAMES:
                self._locations.popitem(last=False)
        else:
            self._locations.pop(info.name, None)

    def get(self, name: str) -> Location | None:
        """Return the location of an object; None if it is not cached."""
        return self._locations.get(name)

    def clear(self) -> None:
        """Remove all locations."""
        self._locations.clear()
