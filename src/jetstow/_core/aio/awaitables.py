"""Return values that can be awaited, or used with `async with` or `async for` instead."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Generator
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

from jetstow._core.aio.tracebacks import shorten_traceback
from jetstow.errors import JetstowError

T = TypeVar("T")


class _AsyncResource(Protocol):
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...


R = TypeVar("R", bound=_AsyncResource)


class AwaitableContext(Coroutine[Any, Any, R]):
    """A resource that is not open yet: `await` it, or enter it with `async with`.

    `start` opens the resource. It is called when the result is first awaited, so that a result
    that is never awaited does nothing. Like a coroutine, it can be awaited once and can become
    a task.
    """

    def __init__(self, start: Callable[[], Coroutine[Any, Any, R]]) -> None:
        self._start = start
        self._coroutine: Coroutine[Any, Any, R] | None = None
        self._resource: R | None = None

    def __await__(self) -> Generator[Any, Any, R]:
        return self._started().__await__()

    async def __aenter__(self) -> R:
        self._resource = await self._started()
        return self._resource

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._resource is not None, "exited without being entered"
        await self._resource.__aexit__(kind, error, trace)

    # `asyncio.create_task` accepts coroutines only. These methods make this object one.

    def send(self, value: Any, /) -> Any:
        """Continue the coroutine with a value."""
        return self._started().send(value)

    def throw(self, *error: Any) -> Any:
        """Continue the coroutine with an exception."""
        return self._started().throw(*error)

    def close(self) -> None:
        """End the coroutine if it has started."""
        if self._coroutine is not None:
            self._coroutine.close()

    def _started(self) -> Coroutine[Any, Any, R]:
        if self._coroutine is None:
            self._coroutine = self._run()
        return self._coroutine

    async def _run(self) -> R:
        try:
            return await self._start()
        except JetstowError as error:
            shorten_traceback(error)
            raise


class Listing(Generic[T]):
    """Many results: `await` them as a list, or iterate with `async for` as they arrive.

    `collect` returns the list if it differs from all results in the order of their arrival.
    """

    def __init__(
        self,
        iterate: Callable[[], AsyncGenerator[T, None]],
        collect: Callable[[], Awaitable[list[T]]] | None = None,
    ) -> None:
        self._iterate = iterate
        self._collect = collect

    def __await__(self) -> Generator[Any, Any, list[T]]:
        return self._list().__await__()

    def __aiter__(self) -> AsyncIterator[T]:
        return self._iterate()

    async def _list(self) -> list[T]:
        if self._collect is not None:
            return await self._collect()
        return [item async for item in self._iterate()]
