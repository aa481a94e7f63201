"""A number of bytes that the transfers of one connection share."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque


class ByteSemaphore:
    """Bytes on their way, `limit` at most; first come, first served.

    A request larger than the limit passes when nothing else is on its way.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._queue: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def acquire(self, size: int) -> None:
        """Wait until `size` more bytes may be on their way."""
        if self.try_acquire(size):
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((size, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release(size)
            else:
                with contextlib.suppress(ValueError):
                    self._queue.remove((size, turn))
                self._admit()
            raise

    def try_acquire(self, size: int) -> bool:
        """Take `size` bytes if nobody has to wait for it; say whether."""
        free = not self._queue and self._fits(size)
        if free:
            self._used += size
        return free

    def release(self, size: int) -> None:
        """`size` bytes have arrived, or never will."""
        self._used -= size
        if self._queue:
            self._admit()

    def _fits(self, size: int) -> bool:
        return not self._used or self._used + size <= self._limit

    def _admit(self) -> None:
        while self._queue and self._fits(self._queue[0][0]):
            size, turn = self._queue.popleft()
            if not turn.done():
                self._used += size
                turn.set_result(None)
