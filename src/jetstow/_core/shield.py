"""Steps that must not stop half-way."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import anyio

T = TypeVar("T")


async def to_the_end(step: Coroutine[Any, Any, T] | asyncio.Task[T]) -> T:
    """Run a short step to its end, even if the caller is cancelled meanwhile.

    The cancellation goes on after it. `asyncio.shield` alone would let the step run loose,
    and a cancel scope alone does not hold off `Task.cancel`.
    """
    task = asyncio.ensure_future(step)
    cancelled: asyncio.CancelledError | None = None
    with anyio.CancelScope(shield=True):
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError as error:
                cancelled = error
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # seen, so that asyncio does not complain of it
        raise cancelled
    return task.result()
