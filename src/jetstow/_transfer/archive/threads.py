"""Files, whose every step may block, in worker threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeVar

from anyio import to_thread

T = TypeVar("T")

# What a worker thread does at a time: a visit to it costs more than a small write.
PIECE: Final = 1024 * 1024


async def in_thread(step: Callable[..., T], *args: Any) -> T:
    """Run a step in a worker thread; a caller who is cancelled waits for its end.

    Otherwise it would be using a file that its owner closes.
    """
    task = asyncio.ensure_future(to_thread.run_sync(step, *args))
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        task.exception()  # seen, so that asyncio does not complain of it
        raise cancelled
    return task.result()


def write_all(write: Callable[[memoryview], int | None], data: bytes) -> None:
    """Write all of it, to a file that may take only a part at a time."""
    rest = memoryview(data)
    while rest:
        count = write(rest)
        rest = rest[count if isinstance(count, int) and count > 0 else len(rest) :]


__all__ = ["PIECE", "in_thread", "write_all"]
