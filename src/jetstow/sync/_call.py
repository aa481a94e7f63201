"""A blocking call: the event loop does the work, and the calling thread waits for it.

Code of the caller (an iterator, a file, a callback) runs in the calling thread: the loop sends
steps, and the thread runs them while it waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar, cast

from jetstow._core.aio.tracebacks import shorten_traceback
from jetstow.errors import JetstowError
from jetstow.sync._portal import close_soon, get_portal

T = TypeVar("T")


class Call:
    """A call that is run once, by the thread that created the object.

    `undo` closes the result if the caller is interrupted when the call has just ended.
    """

    def __init__(self, undo: Callable[[Any], Awaitable[Any]] | None = None) -> None:
        self._undo = undo
        self._portal = get_portal()
        self._loop = self._portal.loop
        # Steps for the calling thread; None when the work has ended.
        self._steps: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._task: asyncio.Task[Any] | None = None

    def run(self, work: Callable[..., Awaitable[T]], *args: Any, **options: Any) -> T:
        """Run `work` in the loop, and return or raise what it returns or raises.

        An exception in this thread, such as KeyboardInterrupt, cancels the work. It is raised
        again when the work has cleaned up. A second exception does not wait for that.
        """

        async def run_work() -> T:
            return await work(*args, **options)

        start = self._start
        try:
            self._loop.call_soon_threadsafe(start, run_work, context=copy_context())
            while (step := self._steps.get()) is not None:
                step()
        except BaseException:
            self._loop.call_soon_threadsafe(self._cancel)
            while self._steps.get() is not None:
                pass
            self._undo_result()
            raise
        task, self._task = cast("asyncio.Task[T]", self._task), None
        try:
            return task.result()
        except JetstowError as error:
            shorten_traceback(error)
            raise
        finally:
            del task  # the traceback of an error refers to this frame: avoid a reference cycle

    def ask(self, step: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        """Let the calling thread run a step. Await the future for its result or its exception.

        To be called in the loop.
        """
        result: asyncio.Future[T] = self._loop.create_future()

        def run_step() -> None:
            try:
                value = step(*args)
            except StopIteration as error:  # a future does not accept it
                wrapped = RuntimeError("the caller's code raised StopIteration")
                wrapped.__cause__ = error
                self._loop.call_soon_threadsafe(_set_exception, result, wrapped)
            except Exception as error:  # noqa: BLE001 - the work in the loop gets it
                self._loop.call_soon_threadsafe(_set_exception, result, error)
            else:
                self._loop.call_soon_threadsafe(_set_result, result, value)

        self._steps.put(run_step)
        return result

    def callback(self, function: Callable[..., object] | None) -> Callable[..., None] | None:
        """Return a callback for the loop that calls `function` in the calling thread, later.

        An exception of `function` cancels the work that is not done yet. The call raises it.
        """
        if function is None:
            return None

        def enqueue(*args: Any) -> None:
            def run_step() -> None:
                function(*args)

            self._steps.put(run_step)

        return enqueue

    def _start(self, work: Callable[[], Any]) -> None:
        self._task = self._loop.create_task(work())
        self._portal.calls.add(self._task)
        self._task.add_done_callback(self._on_done)

    def _on_done(self, task: asyncio.Task[Any]) -> None:
        self._portal.calls.discard(task)
        if not task.cancelled():
            task.exception()  # mark it as retrieved: an interrupted caller does not do so
        # At the end of the interpreter, daemon threads stay where they wait.
        if not self._portal.has_ended:
            self._steps.put(None)

    def _undo_result(self) -> None:
        task, undo = self._task, self._undo
        if undo and task and not task.cancelled() and task.exception() is None:
            self._portal.close_soon(partial(undo, task.result()))

    def _cancel(self) -> None:
        if self._task is None or self._task.done():
            self._steps.put(None)  # again: the caller may have taken the first None already
        else:
            self._task.cancel()


def _set_result(result: asyncio.Future[T], value: T) -> None:
    if not result.done():
        result.set_result(value)


def _set_exception(result: asyncio.Future[Any], error: Exception) -> None:
    if not result.done():
        result.set_exception(error)


def run(work: Callable[..., Awaitable[T]], *args: Any, **options: Any) -> T:
    """Run a call that does not need the calling thread."""
    return Call().run(work, *args, **options)


def close_and_wait(
    resource: object,
    close: Callable[[], Awaitable[Any]],
    fallback: Callable[[], Awaitable[Any]] | None = None,
) -> None:
    """Close a resource. If that fails or is interrupted, run `fallback` (or `close`) later."""
    try:
        run(close)
    except BaseException:
        close_soon(resource, fallback or close)
        raise
    get_portal().unregister(resource)
