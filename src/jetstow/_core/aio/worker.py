"""A worker thread for blocking file operations, which run one at a time beside the event loop."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import stat
import threading
from collections.abc import Callable
from typing import Any, Final, Generic, Self, TypeVar

from anyio import CapacityLimiter, WouldBlock, to_thread

from jetstow._core.aio.cancellation import CLEANUP_GRACE, discard_task, uncancelled

T = TypeVar("T")

# The bytes of one read or write in a thread: the call costs more than a small read or write.
BLOCK_SIZE: Final = 1024 * 1024


def is_regular_file(file: object) -> bool:
    """Return whether a file is regular: reads and writes end soon, unlike those of a pipe."""
    mode = _mode(file)
    return mode is not None and stat.S_ISREG(mode)


def _mode(file: object) -> int | None:
    """Return the mode of what a file has open in the operating system; None if it has nothing."""
    try:
        descriptor = file.fileno()  # type: ignore[attr-defined]
        return os.fstat(descriptor).st_mode if isinstance(descriptor, int) else None
    except (AttributeError, OSError, ValueError):
        return None


class Worker(Generic[T]):
    """Runs one function at a time in a thread; an async context manager.

    `__aexit__` waits for the running function, so that no thread uses a file that its owner
    closes.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[T] | None = None

    async def start(self, function: Callable[..., T], *args: Any) -> None:
        """Start a function after the previous one has ended, in a thread that is free.

        Raises: what the previous function raised.
        """
        await self.result()
        self._task = await _start_in_thread(function, args)

    async def result(self) -> T | None:
        """Wait for the running function, and return its result; None if there is none.

        Raises: what the function raises.
        """
        task, self._task = self._task, None
        return None if task is None else await uncancelled(task)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        task, self._task = self._task, None
        if task is not None:
            await uncancelled(asyncio.wait([task]))
            if not task.cancelled():
                task.exception()  # retrieved, so that asyncio does not log it


async def run_in_thread(function: Callable[..., T], *args: Any) -> T:
    """Run a blocking function in a thread. A cancelled caller waits until it has returned.

    If the caller did not wait, the thread could still use a file that the caller closes. If it is
    cancelled before a thread is free, the function does not run.

    Raises: what the function raises.
    """
    return await uncancelled(await _start_in_thread(function, args))


async def run_blocking(file: object, function: Callable[..., T], *args: Any) -> T:
    """Run a function of a file in a thread. A cancelled caller does not wait.

    Pipes and sockets may block forever, and have a thread of their own: others share 40.

    Raises: what the function raises.
    """
    mode = _mode(file)
    has_own_thread = mode is not None and not stat.S_ISREG(mode)
    limiter = CapacityLimiter(1) if has_own_thread else None
    return await to_thread.run_sync(function, *args, abandon_on_cancel=True, limiter=limiter)


async def run_stoppable(file: object, function: Callable[..., T], *args: Any) -> T:
    """Run a function of a file in a thread, as `run_blocking` does.

    Its first argument returns whether it has to stop: a cancelled caller waits for that, but not
    longer than `CLEANUP_GRACE`.

    Raises: what the function raises.
    """
    stopped = threading.Event()
    task = asyncio.create_task(run_blocking(file, function, stopped.is_set, *args))
    try:
        # Not `uncancelled`: a cancel scope of anyio would wait for a file that blocks forever.
        await asyncio.wait([task])
    except asyncio.CancelledError:
        stopped.set()
        try:
            await uncancelled(asyncio.wait([task], timeout=CLEANUP_GRACE))
        finally:
            discard_task(task)
        raise
    return task.result()


async def _start_in_thread(function: Callable[..., T], args: tuple[Any, ...]) -> asyncio.Task[T]:
    """Wait until a thread is free, and return a task that calls a function there."""
    limiter, borrower = to_thread.current_default_thread_limiter(), object()
    try:
        limiter.acquire_on_behalf_of_nowait(borrower)
    except WouldBlock:
        await limiter.acquire_on_behalf_of(borrower)
    task = asyncio.create_task(_call_in_thread(function, args))
    task.add_done_callback(lambda _: limiter.release_on_behalf_of(borrower))
    return task


async def _call_in_thread(function: Callable[..., T], args: tuple[Any, ...]) -> T:
    """Call a function in a thread. If the task is cancelled, it ends after the function.

    `asyncio.run` cancels this task at its end, not only the task of the caller.
    """
    call: concurrent.futures.Future[T] = concurrent.futures.Future()
    try:
        await to_thread.run_sync(_complete, call, function, args, limiter=CapacityLimiter(1))
    except asyncio.CancelledError:
        if not call.cancel():  # it runs
            await uncancelled(asyncio.wait([asyncio.wrap_future(call)]))
        raise
    return call.result()


def _complete(
    call: concurrent.futures.Future[T], function: Callable[..., T], args: tuple[Any, ...]
) -> None:
    if call.set_running_or_notify_cancel():
        try:
            call.set_result(function(*args))
        except BaseException as error:  # noqa: BLE001 - raised by the caller
            call.set_exception(error)
