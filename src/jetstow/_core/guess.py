"""Small objects in one round trip: their bytes asked for before their metadata has come.

What was found under a name is most likely still there. So whoever reads it again asks for
those chunks at once, beside the metadata. The metadata decides: where it names other chunks,
what was asked for is dropped.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Self

from jetstow._core import names
from jetstow._core.direct import DirectWindows
from jetstow._core.windows import Window
from jetstow.models import ObjectInfo

if TYPE_CHECKING:
    from jetstow._core.stream import Stream

# A wrong guess costs these bytes at most; so many names take about a megabyte.
_LARGEST: Final = 128 * 1024
_MOST_CHUNKS: Final = 16
_MOST_NAMES: Final = 4_096


class Known:
    """The small objects of a bucket that were read or written last: their chunks' place."""

    def __init__(self) -> None:
        self._places: OrderedDict[str, tuple[str, int, int]] = OrderedDict()

    def see(self, info: ObjectInfo) -> None:
        """An object as its metadata has it."""
        size, chunks = info.size or 0, info.chunks or 0
        if 0 < chunks <= _MOST_CHUNKS and size <= _LARGEST:
            self._places[info.name] = info.nuid, chunks, size
            self._places.move_to_end(info.name)
            if len(self._places) > _MOST_NAMES:
                self._places.popitem(last=False)
        else:
            self._places.pop(info.name, None)

    def place(self, name: str) -> tuple[str, int, int] | None:
        """NUID, chunks and bytes of an object, as far as they are known."""
        return self._places.get(name)


class Guess:
    """Chunks that were asked for early; a context manager, which drops what nobody took."""

    def __init__(self, place: tuple[str, int, int] | None, window: Window | None) -> None:
        self._place = place
        self._window = window

    @classmethod
    async def at(cls, stream: Stream, name: str) -> Self:
        """Ask for the chunks that `name` had last, if they are known and few."""
        place = stream.known.place(name)
        if place is None or not stream.has_batched_get:
            return cls(None, None)
        nuid, chunks, size = place
        subject = names.chunk_subject(stream.bucket, nuid)
        source = DirectWindows(stream, stream.target(name), subject)
        return cls(place, await source.ask_now(1, chunks, size))

    def take(self, info: ObjectInfo) -> Window | None:
        """All of the object's chunks on their way, if the guess was right."""
        if (info.nuid, info.chunks, info.size) != self._place:
            return None
        window, self._window = self._window, None
        return window

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._window is not None:
            self._window.close()
