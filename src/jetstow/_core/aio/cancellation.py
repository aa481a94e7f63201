"""Steps that must not stop half-way."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import ContextVar, copy_context
from typing import Any, TypeVar

import anyio

T = TypeVar("T")

# Set where the caller of the step that runs would rather be gone.
_unwanted: ContextVar[asyncio.Event | None] = ContextVar("unwanted", default=None)


async def uncancelled(step: Coroutine[Any, Any, T] | asyncio.Task[T]) -> T:
    """Run a short step to its end, even if the caller is cancelled meanwhile.

    The cancellation goes on after it. `asyncio.shield` alone would let the step run loose,
    and a cancel scope alone does not hold off `Task.cancel`. Where the step waits for more
    than an answer, see `while_wanted`.
    """
    unwanted, context = asyncio.Event(), copy_context()
    context.run(_unwanted.set, unwanted)
    if isinstance(step, asyncio.Task):
        task = step
    else:
        task = asyncio.get_running_loop().create_task(step, context=context)
    cancelled: asyncio.CancelledError | None = None
    with anyio.CancelScope(shield=True):
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError as error:
                cancelled = error
                unwanted.set()
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # seen, so that asyncio does not complain of it
        raise cancelled
    return task.result()


async def wait_unless_cancelled(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event, so long at most; False if the caller of the step has been cancelled.

    An answer takes moments, and a step that must not stop half-way waits for it. A server
    that is down can take minutes to come back, which nobody who has cancelled waits for.
    """
    unwanted = _unwanted.get()
    if unwanted is None:
        waits = [asyncio.create_task(event.wait())]
    elif unwanted.is_set():
        return False
    else:
        waits = [asyncio.create_task(each.wait()) for each in (event, unwanted)]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return unwanted is None or not unwanted.is_set()
