"""A semaphore that counts bytes: the limit that all transfers of a connection share."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque


class ByteSemaphore:
    """At most `limit` bytes in flight; waiters acquire in the order in which they arrived.

    A request larger than the limit is granted when nothing else is in flight.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._waiters: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def acquire(self, size: int) -> None:
        """Wait until `size` more bytes fit, and take them."""
        if self.try_acquire(size):
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append((size, waiter))
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self.release(size)
            else:
                with contextlib.suppress(ValueError):
                    self._waiters.remove((size, waiter))
                self._wake_waiters()
            raise

    def try_acquire(self, size: int) -> bool:
        """Take `size` bytes if that needs no wait; return whether they were taken."""
        acquired = not self._waiters and self._fits(size)
        if acquired:
            self._used += size
        return acquired

    def release(self, size: int) -> None:
        """Return `size` bytes that are no longer in flight."""
        self._used -= size
        if self._waiters:
            self._wake_waiters()

    def _fits(self, size: int) -> bool:
        return not self._used or self._used + size <= self._limit

    def _wake_waiters(self) -> None:
        while self._waiters and self._fits(self._waiters[0][0]):
            size, waiter = self._waiters.popleft()
            if not waiter.done():
                self._used += size
                waiter.set_result(None)
