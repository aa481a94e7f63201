"""Read a small object in one round trip: request its chunks together with its metadata.

The location cache has the chunks that a name had last. If the metadata then refers to other chunks,
the early window is discarded.
"""

from __future__ import annotations

from jetstow._core.bucket.location_cache import Location
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.subjects import chunk_subject
from jetstow._core.read.direct_get import DirectWindows
from jetstow._core.read.windows import Window
from jetstow._core.transport.retry import RETRIED_ERRORS
from jetstow.models import ObjectInfo


class EarlyWindow:
    """A window with all chunks of an object, requested before its metadata has arrived."""

    def __init__(self, location: Location, window: Window) -> None:
        self._location = location
        self._window: Window | None = window

    def take_window(self, info: ObjectInfo) -> Window | None:
        """Return the window if it has the object's chunks, else None."""
        if (info.nuid, info.chunks, info.size) != self._location:
            return None
        window, self._window = self._window, None
        return window

    def close(self) -> None:
        """Discard the window unless it was taken."""
        if self._window is not None:
            self._window.close()


async def request_early(stream: Stream, context: ErrorContext) -> EarlyWindow | None:
    """Request the chunks that the name in `context` had last, or return None.

    None if they are not cached, the server has no batched Direct Get, or the connection is busy.
    """
    location = stream.locations.get(context.name or "")
    if location is None or not stream.has_batched_get:
        return None
    nuid, chunks, size = location
    source = DirectWindows(stream, context, chunk_subject(stream.subject_bucket, nuid))

    async def request() -> EarlyWindow | None:
        window = await source.try_request(1, chunks, size)
        return None if window is None else EarlyWindow(location, window)

    try:
        return await request()
    except RETRIED_ERRORS:
        return await stream.api.retry(context, request)
