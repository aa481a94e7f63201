"""Tasks that run until a block ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

T = TypeVar("T")

# After how many seconds a task that still runs is cancelled again.
_CANCEL_INTERVAL: Final = 1.0


@asynccontextmanager
async def running(
    work: Coroutine[Any, Any, T], name: str | None = None
) -> AsyncIterator[asyncio.Task[T]]:
    """Run a coroutine as a task until the block ends, which cancels it and waits for its end.

    What the task raises is discarded unless the caller retrieves it.
    """
    task = asyncio.create_task(work, name=name)
    try:
        yield task
    finally:
        await stop(task)


async def stop(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait for their ends. What they raised is not logged.

    One cancellation is not always enough: before Python 3.12, `asyncio.wait_for`, in which nats-py
    waits for replies, ignores the cancellation that comes together with the result.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_CANCEL_INTERVAL)
    for task in tasks:
        if not task.cancelled():
            task.exception()
