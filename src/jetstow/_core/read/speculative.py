"""Small objects in one round trip: their bytes asked for before their metadata has come.

What was found under a name is most likely still there. So whoever reads it again asks for
those chunks at once, beside the metadata. The metadata decides: where it names other chunks,
what was asked for is dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from jetstow._core.protocol import subjects
from jetstow._core.read.direct_get import DirectWindows
from jetstow._core.read.windows import Window
from jetstow.models import ObjectInfo

if TYPE_CHECKING:
    from jetstow._core.bucket.stream import Stream


class SpeculativeRead:
    """Chunks that were asked for early; a context manager, which drops what nobody took."""

    def __init__(self, place: tuple[str, int, int] | None, window: Window | None) -> None:
        self._place = place
        self._window = window

    @classmethod
    async def start(cls, stream: Stream, name: str) -> Self:
        """Ask for the chunks that `name` had last, if they are known and few."""
        place = stream.locations.get(name)
        if place is None or not stream.has_batched_get:
            return cls(None, None)
        nuid, chunks, size = place
        subject = subjects.chunk_subject(stream.bucket, nuid)
        source = DirectWindows(stream, stream.error_context(name), subject)
        return cls(place, await source.try_request(1, chunks, size))

    def take_window(self, info: ObjectInfo) -> Window | None:
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
