"""Call a coroutine function for many items, several at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from typing import Final, TypeVar

from jetstow._core.aio.background import stop

T = TypeVar("T")
R = TypeVar("R")

# The limits of items that are in flight, and of their sizes together in bytes.
MAX_CONCURRENT_ITEMS: Final = 16
MAX_CONCURRENT_BYTES: Final = 32 * 1024 * 1024


async def map_in_order(
    items: Iterable[T] | AsyncGenerator[T, None],
    function: Callable[[T], Awaitable[R]],
    size_of: Callable[[T], int],
) -> AsyncGenerator[R, None]:
    """Call a function for the items concurrently, and yield the results in order.

    `size_of` returns the size of an item in bytes, which limits how many are in flight.

    Raises: what the function raises; the calls in flight are cancelled first.
    """
    pending: deque[tuple[asyncio.Task[R], int]] = deque()
    pending_size = 0

    async def next_result() -> R:
        nonlocal pending_size
        task, size = pending[0]
        result = await task
        pending.popleft()
        pending_size -= size
        return result

    async def call(item: T) -> R:
        return await function(item)

    try:
        async with aclosing(_iterate(items)) as iterator:
            async for item in iterator:
                size = size_of(item)
                while pending and (
                    len(pending) >= MAX_CONCURRENT_ITEMS
                    or pending_size + size > MAX_CONCURRENT_BYTES
                ):
                    yield await next_result()
                pending.append((asyncio.create_task(call(item)), size))
                pending_size += size
        while pending:
            yield await next_result()
    finally:
        await stop(*(task for task, _ in pending))


async def _iterate(items: Iterable[T] | AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    if isinstance(items, AsyncGenerator):
        async with aclosing(items):
            async for item in items:
                yield item
    else:
        for item in items:
            yield item
