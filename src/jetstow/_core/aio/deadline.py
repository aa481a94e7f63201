"""Deadlines in a program that may block the event loop (docs/decisions/0027).

A loop that was blocked runs the timers that are due before the tasks that would have read what has
arrived. So a deadline is a number of ticks: the time in which the loop was blocked is one of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

_TICKS: Final = 8


class Deadline:
    """A timer that calls back after `seconds` in which the loop was not blocked."""

    def __init__(self, seconds: float, callback: Callable[[], object]) -> None:
        self._interval = seconds / _TICKS
        self._callback = callback
        self._start()

    def restart(self) -> None:
        """Start the seconds again."""
        self._timer.cancel()
        self._start()

    def cancel(self) -> None:
        """Do not call back."""
        self._timer.cancel()

    def _start(self) -> None:
        self._remaining = _TICKS
        self._was_late = False
        self._start_tick()

    def _start_tick(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._interval, self._end_tick)

    def _end_tick(self) -> None:
        is_late = asyncio.get_running_loop().time() - self._timer.when() > self._interval
        # Late ticks in a row count, so that the waits of a program that always blocks end, too.
        if self._was_late or not is_late:
            self._remaining -= 1
        self._was_late = is_late
        if self._remaining > 0:
            self._start_tick()
        else:
            self._callback()


@asynccontextmanager
async def deadline(seconds: float | None) -> AsyncIterator[Deadline | None]:
    """Cancel the block after `seconds` in which the loop was not blocked; never if it is None.

    Raises: the builtin `TimeoutError`.
    """
    async with asyncio.timeout(None) as limit:
        if seconds is None:
            yield None
            return
        timer = Deadline(seconds, lambda: limit.reschedule(0))
        try:
            yield timer
        finally:
            timer.cancel()
