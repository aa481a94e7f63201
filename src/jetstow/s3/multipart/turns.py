"""Whose turn it is: the parts of one upload are written to its object in order, one at a time.

A part ahead of its turn waits unread in its socket, so that the client sends the part whose turn
it is. The wait is bounded, and a part that gives up goes to the spool.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Final

# How long a part waits while no byte of another is written, and how long in all, in seconds.
# SDKs give up when a socket takes no byte for 60 s, or 50 s.
MAX_STANDSTILL: Final = 2.0
MAX_WAIT: Final = 15.0


class Turns:
    """The order of the parts of one upload, beginning with number 1.

    `next` is the number whose turn it is. `ended`: no part gets a turn any more.
    """

    def __init__(self) -> None:
        self.next = 1
        self.ended = False
        self.is_taken = False
        self._progress = monotonic()
        self._waiting: dict[int, asyncio.Future[bool]] = {}
        # A part gave up: those that follow do not wait, unless a part is being written.
        self._is_out_of_order = False

    async def take(self, number: int) -> bool:
        """Wait for the turn of a part. Return whether it has come: then `pass_on` or `end`.

        False: the part goes to the spool. It was written before, its turn is too far away, or
        the order has ended.
        """
        if self.ended or number < self.next or number in self._waiting:
            return False
        if number == self.next:
            return self.take_now(number)  # it is taken if the same part is sent twice at once
        if self._is_out_of_order and not self.is_taken:
            return False
        waiter = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiter
        try:
            return await self._wait(waiter)
        except BaseException:
            if waiter.done() and not waiter.cancelled() and waiter.result():
                self.release()
            raise
        finally:
            self._waiting.pop(number, None)

    def take_now(self, number: int) -> bool:
        """Take the turn of a part without waiting. Return whether it has come."""
        if self.ended or self.is_taken or number != self.next:
            return False
        self.is_taken, self._progress = True, monotonic()
        return True

    async def _wait(self, waiter: asyncio.Future[bool]) -> bool:
        start = monotonic()
        while True:
            now = monotonic()
            deadline = min(max(self._progress, start) + MAX_STANDSTILL, start + MAX_WAIT)
            if now >= deadline:
                self._is_out_of_order = True
                return False
            await asyncio.wait([waiter], timeout=deadline - now)
            if waiter.done():
                return waiter.result()

    def record_progress(self) -> None:
        """Record that bytes of the part whose turn it is were written."""
        self._progress = monotonic()

    def pass_on(self) -> None:
        """End the turn of a part that was written, and give it to the next."""
        self.next += 1
        self._is_out_of_order = False
        self.release()

    def release(self) -> None:
        """End the turn of a part of which no byte was written."""
        self.is_taken = False
        self.record_progress()
        waiter = self._waiting.pop(self.next, None)
        if waiter is not None and not waiter.done():
            self.is_taken = True
            waiter.set_result(True)

    def end(self) -> None:
        """Give no more turns: the parts that wait go to the spool."""
        self.ended, self.is_taken = True, False
        for waiter in self._waiting.values():
            if not waiter.done():
                waiter.set_result(False)
        self._waiting.clear()
