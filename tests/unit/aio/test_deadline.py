"""Deadlines count the time in which the event loop was not blocked."""

from __future__ import annotations

import asyncio
import time

import pytest

from jetstow._core.aio.deadline import Deadline, deadline


async def test_end_cancels_the_block() -> None:
    with pytest.raises(TimeoutError):
        async with deadline(0.01):
            await asyncio.Event().wait()


async def test_no_limit() -> None:
    async with deadline(None) as timer:
        assert timer is None
        await asyncio.sleep(0)


async def test_deadline_ends_with_the_block() -> None:
    async with deadline(0.01) as timer:
        pass
    assert timer is not None
    assert timer._timer.cancelled()


async def test_block_that_is_longer_than_the_deadline() -> None:
    """A blocked loop ran the timer before the tasks that read what had arrived."""
    received = asyncio.Event()

    async def several_steps() -> None:
        for _ in range(20):
            await asyncio.sleep(0)
        received.set()

    async with deadline(0.1), asyncio.TaskGroup() as tasks:
        tasks.create_task(several_steps())
        await asyncio.sleep(0)
        time.sleep(0.2)
        await received.wait()


async def test_program_that_always_blocks() -> None:
    ended = asyncio.Event()
    Deadline(0.01, ended.set)
    blocks = 0
    while not ended.is_set():
        time.sleep(0.02)
        await asyncio.sleep(0)
        blocks += 1
    assert blocks < 20


async def test_restart() -> None:
    ended = asyncio.Event()
    timer = Deadline(0.01, ended.set)
    while timer._remaining > 4:
        await asyncio.sleep(0)
    timer.restart()
    assert timer._remaining == 8
    await ended.wait()
