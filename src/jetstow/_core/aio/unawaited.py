"""Work whose callers do not wait for it, such as requests without a waiter for their replies."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final

from jetstow._core.aio.cancellation import detached, wait_unless_cancelled
from jetstow._core.aio.deadline import deadline

# How often a wait checks its condition, in seconds, besides the callback.
_POLL_INTERVAL: Final = 60.0


class Unawaited:
    """The work of one kind that has begun and not ended.

    A callback ends what `begin` began. `run` begins and ends a task.
    """

    def __init__(self) -> None:
        # In the order of their beginning.
        self._numbers: dict[int, None] = {}
        self._last = 0
        self._tasks: set[asyncio.Task[None]] = set()
        # The last number that each waiter waits for.
        self._waiters: list[tuple[int, asyncio.Event]] = []

    def __len__(self) -> int:
        return len(self._numbers)

    def begin(self) -> int:
        """Record work that begins. Return its number."""
        self._last += 1
        self._numbers[self._last] = None
        return self._last

    def end(self, number: int) -> None:
        """Record that work has ended."""
        del self._numbers[number]
        if self._waiters:
            self._release_waiters()

    def run(
        self, coroutine: Coroutine[Any, Any, None], begun: int | None = None
    ) -> asyncio.Task[None]:
        """Run a coroutine as a task: new work, or the rest of the work with the number `begun`."""
        task, number = detached(coroutine), begun or self.begin()
        self._tasks.add(task)

        def on_done(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            self.end(number)

        task.add_done_callback(on_done)
        return task

    async def wait(self) -> None:
        """Wait until the work that has begun before this call has ended.

        Within `uncancelled`, the cancellation of the caller ends the wait.
        """
        if self._numbers:
            ended = asyncio.Event()
            self._waiters.append((self._last, ended))
            while not ended.is_set() and await wait_unless_cancelled(ended, _POLL_INTERVAL):
                pass

    async def finish(self, timeout: float) -> None:
        """Wait for `timeout` seconds, then cancel the tasks that still run, and wait for these."""
        with suppress(TimeoutError):
            async with deadline(timeout):
                await self.wait()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _release_waiters(self) -> None:
        oldest = next(iter(self._numbers), self._last + 1)
        for last, ended in self._waiters:
            if last < oldest:
                ended.set()
        self._waiters = [waiter for waiter in self._waiters if not waiter[1].is_set()]
