"""A worker thread beside the event loop, for files on a disk: one step at a time, never loose."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar

from anyio import to_thread

from jetstow._core.aio.cancellation import uncancelled

T = TypeVar("T")


def is_on_disk(file: object) -> bool:
    """Whether reading and writing a file ends soon: no pipe, no terminal, no device."""
    try:
        handle = file.fileno()  # type: ignore[attr-defined]
        return isinstance(handle, int) and stat.S_ISREG(os.fstat(handle).st_mode)
    except (AttributeError, OSError, ValueError):
        return False


class Worker(Generic[T]):
    """Steps that run while the loop goes on; a context manager.

    When it is left, no step runs any more: no thread touches a file that its owner closes.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[T] | None = None

    async def start(self, step: Callable[..., T], *args: Any) -> None:
        """Begin a step, once the one before has ended. Raises what that one raised."""
        await self.result()
        self._task = asyncio.create_task(_in_thread(step, args))

    async def result(self) -> T | None:
        """What the step under way returns or raises; None if there is none."""
        task, self._task = self._task, None
        return None if task is None else await uncancelled(task)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        task, self._task = self._task, None
        if task is not None:
            await uncancelled(asyncio.wait([task]))
            task.exception()  # what went wrong first is being raised already


async def _in_thread(step: Callable[..., T], args: tuple[Any, ...]) -> T:
    return await to_thread.run_sync(step, *args)
