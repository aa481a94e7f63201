"""Results that can be awaited, entered or iterated."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import AsyncGenerator
from typing import Self

import pytest

from jetstow._core.aio.awaitables import AwaitableContext, Listing


class Resource:
    """A resource that records when it is closed, and because of what."""

    def __init__(self) -> None:
        self.closed_by: list[object] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: object, *_: object) -> None:
        self.closed_by.append(kind)


def opening(opened: list[Resource]) -> AwaitableContext[Resource]:
    async def start() -> Resource:
        await asyncio.sleep(0)
        opened.append(Resource())
        return opened[-1]

    return AwaitableContext(start)


async def test_await_leaves_the_resource_open() -> None:
    opened: list[Resource] = []
    assert await opening(opened) is opened[0]
    assert opened[0].closed_by == []


async def test_async_with_closes_the_resource() -> None:
    opened: list[Resource] = []
    async with opening(opened) as resource:
        assert resource is opened[0]
        assert resource.closed_by == []
    assert resource.closed_by == [None]
    with pytest.raises(KeyError):
        async with opening(opened):
            raise KeyError
    assert opened[1].closed_by == [KeyError]


async def test_task_group_gather_and_timeout_accept_it() -> None:
    opened: list[Resource] = []
    async with asyncio.TaskGroup() as group:
        task = group.create_task(opening(opened))
    first, second = await asyncio.gather(opening(opened), opening(opened))
    third = await asyncio.wait_for(opening(opened), 5)
    assert opened == [task.result(), first, second, third]


async def test_nothing_starts_before_it_is_awaited() -> None:
    """An unused coroutine warns that it was never awaited."""
    opened: list[Resource] = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        opening(opened).close()
        opening(opened)
        gc.collect()
    assert opened == []


async def test_cancelled_while_it_opens() -> None:
    opened: list[Resource] = []
    for _ in range(2):
        task = asyncio.create_task(opening(opened))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0)
    assert opened == []


async def test_second_await_raises() -> None:
    opened: list[Resource] = []
    context = opening(opened)
    await context
    with pytest.raises(RuntimeError, match="already awaited"):
        await context
    assert len(opened) == 1


async def numbers() -> AsyncGenerator[int, None]:
    yield 1
    yield 2


async def test_listing() -> None:
    assert await Listing(numbers) == [1, 2]
    assert [number async for number in Listing(numbers)] == [1, 2]


async def test_listing_with_a_different_list() -> None:
    async def collect() -> list[int]:
        return [3]

    assert await Listing(numbers, collect) == [3]
    assert [number async for number in Listing(numbers, collect)] == [1, 2]
