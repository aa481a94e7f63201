"""Results that can be awaited whole, or used as they come."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Generator
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")


class _Closing(Protocol):
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...


F = TypeVar("F", bound=_Closing)


class AwaitableContext(Generic[F]):
    """A file being opened: `await` it, or enter it with `async with`."""

    def __init__(self, opening: Coroutine[Any, Any, F]) -> None:
        self._opening = opening
        self._file: F | None = None

    def __await__(self) -> Generator[Any, Any, F]:
        return self._opening.__await__()

    async def __aenter__(self) -> F:
        self._file = await self._opening
        return self._file

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._file is not None, "left without being entered"
        await self._file.__aexit__(kind, error, trace)


class Listing(Generic[T]):
    """Many results: `await` them as a list, or iterate with `async for` as they arrive.

    `whole` makes the list, where it is not simply all that arrives.
    """

    def __init__(
        self,
        start: Callable[[], AsyncGenerator[T, None]],
        whole: Callable[[], Awaitable[list[T]]] | None = None,
    ) -> None:
        self._start = start
        self._whole = whole

    def __await__(self) -> Generator[Any, Any, list[T]]:
        return self._all().__await__()

    def __aiter__(self) -> AsyncIterator[T]:
        return self._start()

    async def _all(self) -> list[T]:
        if self._whole is not None:
            return await self._whole()
        return [item async for item in self._start()]
