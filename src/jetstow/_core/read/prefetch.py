"""The windows of one run that are on their way: the one that is read, and some ahead of it."""

from __future__ import annotations

from collections import deque
from typing import Final

from jetstow._core.read.windows import Window, WindowSource

# A window in bytes, the first one and the largest, each twice the one before: who reads a
# little is not sent much. Tiny chunks are counted instead.
FIRST_WINDOW_SIZE: Final = 512 * 1024
MAX_WINDOW_SIZE: Final = 4 * 1024 * 1024
_MAX_WINDOW_MESSAGES: Final = 1_024

# Windows asked for ahead: one, and more where their messages are long in coming.
_MAX_WINDOWS_AHEAD: Final = 2


class Prefetch:
    """Windows of chunks of `chunk_size` bytes, up to chunk `end` (not included).

    `begun` is one with all of them, if they were asked for already. The first window has
    `size` bytes.
    """

    def __init__(
        self, source: WindowSource, chunk_size: int, end: int, size: int, begun: Window | None
    ) -> None:
        self._source = source
        self._chunk_size = chunk_size
        self._end = end
        self._size = size
        self._asked = end
        self._ahead = 1
        self._windows = deque([] if begun is None else [begun])

    @property
    def is_empty(self) -> bool:
        """Whether no window is on its way."""
        return not self._windows

    async def next(self, chunk: int, seq: int) -> Window:
        """The window that goes on with a chunk, which lies at that sequence or later."""
        if not self._windows:
            count = self._count(chunk)
            self._windows.append(await self._source.request(seq, count, self._chunk_size))
            self._asked = chunk + count
        elif self._windows[0].is_empty:
            # The way to the server is longer than the windows fill.
            self._ahead = min(self._ahead + 1, _MAX_WINDOWS_AHEAD)
        elif self._windows[0].is_complete:
            self._ahead = 1  # it is the reader who takes his time
        return self._windows[0]

    async def request_ahead(self, chunk: int, seq: int) -> None:
        """Ask ahead: the chunk lies there, and those that follow right behind it."""
        while len(self._windows) <= self._ahead and self._asked < self._end:
            if not (self._source.overlap or self._windows[-1].is_complete):
                return
            count = self._count(self._asked)
            window = await self._source.try_request(
                seq + self._asked - chunk, count, self._chunk_size
            )
            if window is None:
                return
            self._windows.append(window)
            self._asked += count

    def finish_window(self) -> None:
        """The first window is read."""
        self._windows.popleft().close()

    def close(self) -> None:
        """Nothing of what is on its way is wanted any more."""
        for window in self._windows:
            window.close()

    def _count(self, chunk: int) -> int:
        """How many chunks the next window is to have, from `chunk` on."""
        fitting = max(1, min(_MAX_WINDOW_MESSAGES, self._size // self._chunk_size))
        self._size = min(2 * self._size, MAX_WINDOW_SIZE)
        return min(fitting, self._end - chunk)
