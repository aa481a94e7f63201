"""Steps that run to their end, and how long they wait for what may never come."""

from __future__ import annotations

import asyncio

import pytest

from jetstow._core.aio.cancellation import uncancelled, wait_unless_cancelled


async def test_a_step_ends_before_the_cancellation_goes_on() -> None:
    done, may_end = asyncio.Event(), asyncio.Event()

    async def step() -> None:
        await may_end.wait()
        done.set()

    task = asyncio.create_task(uncancelled(step()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done.is_set()


async def test_what_may_never_come_is_waited_for_while_it_is_wanted() -> None:
    never = asyncio.Event()
    waited: list[bool] = []

    async def step() -> None:
        waited.append(await wait_unless_cancelled(never, 60))
        waited.append(await wait_unless_cancelled(never, 60))

    task = asyncio.create_task(uncancelled(step()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert waited == [False, False]


async def test_outside_of_a_step_it_is_always_wanted() -> None:
    event = asyncio.Event()
    assert await wait_unless_cancelled(event, 0.001), (
        "and whether it came is looked at by the caller"
    )
    event.set()
    assert await wait_unless_cancelled(event, 60)
