"""Tasks that run until a block ends."""

from __future__ import annotations

import asyncio

import pytest

from jetstow._core.aio.background import running, stop


async def test_the_task_ends_with_the_block() -> None:
    ended = False

    async def work() -> None:
        nonlocal ended
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended = True

    async with running(work(), name="work") as task:
        await asyncio.sleep(0)
        assert task.get_name() == "work"
    assert ended
    assert task.cancelled()


async def test_a_cancellation_that_wait_for_ignores() -> None:
    """Before Python 3.12, it does so if the cancellation comes together with the result."""
    reply = asyncio.get_running_loop().create_future()

    async def work() -> None:
        await asyncio.wait_for(reply, 60)
        await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    reply.set_result(None)
    await stop(task)
    assert task.done()


async def test_an_exception_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise OSError("broken")

    async with running(fail()) as task:
        await asyncio.wait([task])
    with pytest.raises(OSError, match="broken"):
        task.result()
    assert not caplog.records


async def test_nothing_to_stop() -> None:
    await stop()
