"""Where the chunks of recently used small objects are, as far as this process knows."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from jetstow.models import ObjectInfo

# A wrong guess costs these bytes at most; so many names take about a megabyte.
_MAX_SIZE: Final = 128 * 1024
_MAX_CHUNKS: Final = 16
_MAX_NAMES: Final = 4_096


class LocationCache:
    """The small objects of a bucket that were read or written last: their chunks' place."""

    def __init__(self) -> None:
        self._places: OrderedDict[str, tuple[str, int, int]] = OrderedDict()

    def remember(self, info: ObjectInfo) -> None:
        """An object as its metadata has it."""
        size, chunks = info.size or 0, info.chunks or 0
        if 0 < chunks <= _MAX_CHUNKS and size <= _MAX_SIZE:
            self._places[info.name] = info.nuid, chunks, size
            self._places.move_to_end(info.name)
            if len(self._places) > _MAX_NAMES:
                self._places.popitem(last=False)
        else:
            self._places.pop(info.name, None)

    def get(self, name: str) -> tuple[str, int, int] | None:
        """NUID, chunks and bytes of an object, as far as they are known."""
        return self._places.get(name)
