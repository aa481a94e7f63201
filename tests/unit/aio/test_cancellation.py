"""Coroutines that finish despite a cancellation, and waits within them that end early."""

from __future__ import annotations

import asyncio

import pytest

from jetstow._core.aio.cancellation import uncancelled, wait_unless_cancelled


async def test_coroutine_ends_before_cancellation_is_raised() -> None:
    done, may_end = asyncio.Event(), asyncio.Event()

    async def coroutine() -> None:
        await may_end.wait()
        done.set()

    task = asyncio.create_task(uncancelled(coroutine()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done.is_set()


async def test_grace_ends_a_coroutine_of_a_cancelled_caller() -> None:
    ended = asyncio.Event()

    async def coroutine() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.create_task(uncancelled(coroutine(), grace=0.001))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_wait_ends_when_caller_is_cancelled() -> None:
    never = asyncio.Event()
    results: list[bool] = []

    async def coroutine() -> None:
        results.append(await wait_unless_cancelled(never, 60))
        results.append(await wait_unless_cancelled(never, 60))

    task = asyncio.create_task(uncancelled(coroutine()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert results == [False, False]


async def test_wait_outside_of_uncancelled() -> None:
    event = asyncio.Event()
    assert await wait_unless_cancelled(event, 0.001), "a timeout is not a cancellation"
    event.set()
    assert await wait_unless_cancelled(event, 60)
