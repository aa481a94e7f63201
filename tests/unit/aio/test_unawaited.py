"""Work that no caller waits for."""

from __future__ import annotations

import asyncio

import pytest

from jetstow._core.aio.cancellation import uncancelled
from jetstow._core.aio.unawaited import Unawaited


async def test_wait_ends_with_the_work_before_it() -> None:
    work = Unawaited()
    await work.wait()
    first, second = work.begin(), work.begin()
    waiter = asyncio.create_task(work.wait())
    await asyncio.sleep(0)
    later = work.begin()
    work.end(second)
    await asyncio.sleep(0)
    assert not waiter.done()
    work.end(first)
    await waiter
    assert len(work) == 1
    work.end(later)
    assert not work


async def test_task_continues_begun_work() -> None:
    work, proceed = Unawaited(), asyncio.Event()
    number = work.begin()
    waiter = asyncio.create_task(work.wait())

    async def rest() -> None:
        await proceed.wait()

    task = work.run(rest(), begun=number)
    await asyncio.sleep(0)
    assert len(work) == 1
    proceed.set()
    await waiter
    assert task.done()


async def test_cancelled_wait() -> None:
    work = Unawaited()
    number = work.begin()
    waiter = asyncio.create_task(work.wait())
    await asyncio.sleep(0)
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    work.end(number)
    await work.wait()


async def test_cancelled_caller_does_not_wait() -> None:
    work = Unawaited()
    work.begin()
    caller = asyncio.create_task(uncancelled(work.wait()))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert work


async def test_finish_cancels_what_takes_too_long() -> None:
    work = Unawaited()
    ended: list[str] = []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    work.run(endless())
    await asyncio.sleep(0)
    await work.finish(0)
    assert ended == ["cancelled"]
    await asyncio.sleep(0)
    assert not work
