"""Steps in a worker thread: one at a time, and none that goes on when its owner has left."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest

from jetstow._core.aio.worker import Worker, is_on_disk


async def test_a_step_begins_when_the_one_before_has_ended() -> None:
    running, most = 0, 0

    def step(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        running -= 1
        return number

    async with Worker[int]() as background:
        for i in range(20):
            await background.start(step, i)
        assert await background.result() == 19
        assert await background.result() is None
    assert most == 1


async def test_the_loop_goes_on_while_a_step_runs() -> None:
    may_end = threading.Event()
    async with Worker[bool]() as background:
        await background.start(may_end.wait, 20)
        may_end.set()
        assert await background.result() is True


async def test_what_a_step_raises_the_next_one_raises() -> None:
    async with Worker[object]() as background:
        await background.start(int, "x")
        with pytest.raises(ValueError, match="'x'"):
            await background.start(int, "1")


@pytest.mark.parametrize("leave", [RuntimeError, asyncio.CancelledError])
async def test_whoever_leaves_waits_for_the_step(leave: type[BaseException]) -> None:
    begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def step() -> None:
        begun.set()
        may_end.wait(20)
        ended.set()
        raise ValueError("nobody asks any more")

    async def use() -> None:
        async with Worker[None]() as background:
            await background.start(step)
            await asyncio.to_thread(begun.wait, 20)
            asyncio.get_running_loop().call_soon(may_end.set)
            raise leave

    with pytest.raises(leave):
        await use()
    assert ended.is_set()


async def test_a_cancelled_wait_ends_after_the_step() -> None:
    begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def step() -> None:
        begun.set()
        may_end.wait(20)
        ended.set()

    async def use() -> None:
        async with Worker[None]() as background:
            await background.start(step)
            await background.result()

    task = asyncio.create_task(use())
    await asyncio.to_thread(begun.wait, 20)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


def test_only_a_file_on_a_disk_is_on_disk(tmp_path: Path) -> None:
    read, write = os.pipe()
    with (tmp_path / "a").open("wb") as file, os.fdopen(read), os.fdopen(write, "w") as pipe:
        assert is_on_disk(file)
        assert not is_on_disk(pipe)
    assert not is_on_disk(file)
    assert not is_on_disk(object())
    with Path(os.devnull).open("wb") as device:
        assert not is_on_disk(device)
