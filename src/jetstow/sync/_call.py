"""One blocking call: the loop works, and the calling thread waits for it.

Whatever is the caller's own (an iterator, a file, a callback) runs in the calling thread: the
loop asks for it, and the thread answers, as it has nothing else to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar, cast

from jetstow.sync.portal import background, let_go

T = TypeVar("T")


class Call:
    """A call that is made once, with `run`, by the thread that made the object.

    `undo` closes what the call has opened, where the caller is interrupted at that moment.
    """

    def __init__(self, undo: Callable[[Any], Awaitable[Any]] | None = None) -> None:
        self._undo = undo
        self._background = background()
        self._loop = self._background.loop
        self._steps: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._task: asyncio.Task[Any] | None = None

    def run(self, work: Callable[..., Awaitable[T]], *args: Any, **options: Any) -> T:
        """Run `work` in the loop; return or raise what it does.

        An exception in this thread, such as KeyboardInterrupt, cancels the work, waits until
        it has cleaned up, and goes on. One more does not wait.
        """

        async def whole() -> T:
            return await work(*args, **options)

        begin = self._begin
        try:
            self._loop.call_soon_threadsafe(begin, whole, context=copy_context())
            while (step := self._steps.get()) is not None:
                step()
        except BaseException:
            self._loop.call_soon_threadsafe(self._cancel)
            while self._steps.get() is not None:
                pass
            self._close_result()
            raise
        task, self._task = cast("asyncio.Task[T]", self._task), None
        try:
            return task.result()
        finally:
            del task  # an error has this frame: nothing here should have the error

    def ask(self, step: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        """In the loop: let the calling thread take a step; await what it returns or raises."""
        answer: asyncio.Future[T] = self._loop.create_future()

        def take() -> None:
            try:
                found = step(*args)
            except StopIteration as error:  # a future cannot have it
                told = RuntimeError("the caller's code raised StopIteration")
                told.__cause__ = error
                self._loop.call_soon_threadsafe(_fail, answer, told)
            except Exception as error:  # noqa: BLE001 - it goes on in the loop as it is
                self._loop.call_soon_threadsafe(_fail, answer, error)
            else:
                self._loop.call_soon_threadsafe(_give, answer, found)

        self._steps.put(take)
        return answer

    def told(self, callback: Callable[..., object] | None) -> Callable[..., None] | None:
        """A callback that the loop may call: the calling thread calls it, a little later.

        What it raises cancels what is not done by then, and is raised by the call.
        """
        if callback is None:
            return None

        def tell(*args: Any) -> None:
            def step() -> None:
                callback(*args)

            self._steps.put(step)

        return tell

    def _begin(self, whole: Callable[[], Any]) -> None:
        self._task = self._loop.create_task(whole())
        self._background.calls.add(self._task)
        self._task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[Any]) -> None:
        self._background.calls.discard(task)
        if not task.cancelled():
            task.exception()  # seen: an interrupted caller does not ask for it
        if not self._background.is_over:  # threads that are still waiting then just end
            self._steps.put(None)

    def _close_result(self) -> None:
        task, undo = self._task, self._undo
        if undo and task and not task.cancelled() and task.exception() is None:
            self._background.spawn(partial(undo, task.result()))

    def _cancel(self) -> None:
        if self._task is None or self._task.done():
            self._steps.put(None)  # once more: the caller may have had the first one already
        else:
            self._task.cancel()


def _give(answer: asyncio.Future[T], found: T) -> None:
    if not answer.done():
        answer.set_result(found)


def _fail(answer: asyncio.Future[Any], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)


def run(work: Callable[..., Awaitable[T]], *args: Any, **options: Any) -> T:
    """A call that needs nothing of its caller."""
    return Call().run(work, *args, **options)


def shut(
    thing: object,
    close: Callable[[], Awaitable[Any]],
    otherwise: Callable[[], Awaitable[Any]] | None = None,
) -> None:
    """Close what is open; where that fails or is interrupted, close it a little later."""
    try:
        run(close)
    except BaseException:
        let_go(thing, otherwise or close)
        raise
    background().drop(thing)
