"""Coroutines that finish although their caller is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import ContextVar, copy_context
from typing import Any, Final, TypeVar

import anyio

from jetstow._core.aio.deadline import Deadline

T = TypeVar("T")

# How long, in seconds, a cancelled caller waits until what it has on the server is removed. The
# server removes consumers by itself.
CLEANUP_GRACE: Final = 2.0

# Set when the caller of the running `uncancelled` is cancelled.
_cancel_requested: ContextVar[asyncio.Event | None] = ContextVar("cancel_requested", default=None)


async def uncancelled(
    coroutine: Coroutine[Any, Any, T] | asyncio.Task[T],
    grace: float | None = None,
    *,
    is_cancelled: bool = False,
) -> T:
    """Run a short coroutine to its end, and then raise a pending cancellation.

    If it takes longer than `grace` seconds after the cancellation, it is cancelled, too. With
    `is_cancelled`, the caller was cancelled before, and raises that itself.

    `asyncio.shield` alone would leave the coroutine running after the caller has gone. A shielded
    cancel scope alone does not stop `Task.cancel`. A coroutine that waits for longer than one
    reply uses `wait_unless_cancelled`.
    """
    requested, context = asyncio.Event(), copy_context()
    if is_cancelled:
        requested.set()
    context.run(_cancel_requested.set, requested)
    if isinstance(coroutine, asyncio.Task):
        task = coroutine
    else:
        task = asyncio.get_running_loop().create_task(coroutine, context=context)
    cancellation: asyncio.CancelledError | None = None
    timer: Deadline | None = None
    with anyio.CancelScope(shield=True):
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError as error:
                cancellation = error
                requested.set()
                if grace is not None and timer is None:
                    timer = Deadline(grace, task.cancel)
    if timer is not None:
        timer.cancel()
    if cancellation is not None:
        if not task.cancelled():
            task.exception()  # retrieved, so that asyncio does not log it
        raise cancellation
    return task.result()


def is_caller_cancelled() -> bool:
    """Return whether the caller of the running `uncancelled` is cancelled."""
    requested = _cancel_requested.get()
    return requested is not None and requested.is_set()


async def wait_unless_cancelled(event: asyncio.Event, timeout: float) -> bool:
    """Wait for an event for `timeout` seconds; return False if the caller is cancelled.

    Within `uncancelled`, the cancellation of the caller ends this wait. A server that is down
    can take minutes to return, and a cancelled caller does not wait that long.
    """
    requested = _cancel_requested.get()
    if requested is None:
        waits = [asyncio.create_task(event.wait())]
    elif requested.is_set():
        return False
    else:
        waits = [asyncio.create_task(item.wait()) for item in (event, requested)]
    try:
        await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return not is_caller_cancelled()


def discard_task(task: asyncio.Task[Any] | None) -> None:
    """Cancel a task, if there is one, whose result is of no use. What it raised is not logged."""
    if task is not None and not task.cancel() and not task.cancelled():
        task.exception()  # retrieved, so that asyncio does not log it


def detached(coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Return a task that the cancellation of the running `uncancelled` does not concern."""
    context = copy_context()
    context.run(_cancel_requested.set, None)
    return asyncio.get_running_loop().create_task(coroutine, context=context)
