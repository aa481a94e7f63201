"""Prefetch: the window that is read, and windows that are requested ahead of it."""

from __future__ import annotations

from collections import deque
from typing import Final

from jetstow._core.read.windows import MESSAGE_OVERHEAD, Window, WindowSource

# The size of the first window and the maximum, in bytes. Each window has twice the size of the one
# before, so that a reader who stops early is sent little. The connection's rate may allow less.
# Windows of tiny chunks are limited by number.
FIRST_WINDOW_SIZE: Final = 512 * 1024
MAX_WINDOW_SIZE: Final = 4 * 1024 * 1024
_MAX_WINDOW_MESSAGES: Final = 1_024

# Windows requested ahead: one, or this many if the reader waits for the next window's messages.
_MAX_WINDOWS_AHEAD: Final = 2


class Prefetch:
    """Windows of chunks of `chunk_size` bytes, up to chunk `end` (excluded).

    The first window has `size` bytes.
    """

    def __init__(self, source: WindowSource, chunk_size: int, end: int, size: int) -> None:
        self._source = source
        self._chunk_size = chunk_size
        self._end = end
        self._size = size
        self._requested_end = end
        self._max_ahead = 1
        self._windows: deque[Window] = deque()

    @property
    def is_empty(self) -> bool:
        """Whether no window is requested."""
        return not self._windows

    async def next(self, chunk: int, seq: int) -> Window:
        """Return the window that continues with a chunk, whose sequence is `seq` or higher."""
        if not self._windows:
            count = self._start_window(chunk)
            self._windows.append(await self._source.request(seq, count, self._chunk_size))
            self._requested_end = chunk + count
        elif self._windows[0].is_empty:
            # The round trip takes longer than reading a window.
            self._max_ahead = min(self._max_ahead + 1, _MAX_WINDOWS_AHEAD)
        elif self._windows[0].is_complete:
            self._max_ahead = 1  # the reader is slower than the server
        return self._windows[0]

    async def request_ahead(self, chunk: int, seq: int) -> None:
        """Request windows ahead, if there is more to request.

        The chunk has sequence `seq`, and those that follow are expected directly after it.
        """
        while self._requested_end < self._end and len(self._windows) <= self._max_ahead:
            if not (self._source.overlap or self._windows[-1].is_complete):
                return
            start = self._requested_end
            count = self._start_window(start)
            window = await self._source.try_request(seq + start - chunk, count, self._chunk_size)
            if window is None:
                return
            self._windows.append(window)
            self._requested_end += count

    def finish_window(self) -> None:
        """Close the first window: it was read to its end."""
        self._windows.popleft().close()

    def close(self) -> None:
        """Close all windows."""
        for window in self._windows:
            window.close()

    def _start_window(self, chunk: int) -> int:
        """Return the number of chunks of a window from `chunk` on; double the next one's size."""
        allowed = self._source.max_window_size // (self._chunk_size + MESSAGE_OVERHEAD)
        fitting = max(1, min(_MAX_WINDOW_MESSAGES, self._size // self._chunk_size, allowed))
        self._size = min(2 * self._size, MAX_WINDOW_SIZE)
        return min(fitting, self._end - chunk)
