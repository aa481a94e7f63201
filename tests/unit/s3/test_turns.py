"""The order of the parts of an upload."""

from __future__ import annotations

import asyncio

import pytest

from jetstow.s3.multipart import turns
from jetstow.s3.multipart.turns import Turns


async def start(order: Turns, number: int) -> asyncio.Task[bool]:
    """Let a part wait for its turn."""
    task = asyncio.create_task(order.take(number))
    await asyncio.sleep(0)
    return task


async def test_parts_in_order() -> None:
    order = Turns()
    for number in (1, 2, 3):
        assert await order.take(number)
        order.pass_on()
    assert not await order.take(2)


async def test_turns_of_waiting_parts_come_in_order() -> None:
    order = Turns()
    waiting = {number: await start(order, number) for number in (4, 2, 3)}
    assert await order.take(1)
    for number in (2, 3, 4):
        order.pass_on()
        assert await waiting[number]
        assert order.next == number


async def test_same_part_twice() -> None:
    order = Turns()
    waiting = await start(order, 2)
    assert not await order.take(2)
    assert await order.take(1)
    assert not await order.take(1)
    order.pass_on()
    assert await waiting


async def test_part_gives_up_and_the_next_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MAX_STANDSTILL", 0.01)
    order = Turns()
    assert not await order.take(3)
    monkeypatch.setattr(turns, "MAX_STANDSTILL", 1000)
    assert not await order.take(2)
    assert await order.take(1)
    waiting = await start(order, 2)  # a part is being written: there is hope again
    order.pass_on()
    assert await waiting


async def test_wait_ends_although_there_is_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MAX_WAIT", 0.01)
    order = Turns()
    assert await order.take(1)
    assert not await order.take(2)


async def test_released_turn_goes_to_the_same_number() -> None:
    order = Turns()
    assert await order.take(1)
    order.release()
    assert order.take_now(1)


async def test_end_lets_all_parts_go() -> None:
    order = Turns()
    waiting = [await start(order, number) for number in (2, 3)]
    order.end()
    assert not any([await each for each in waiting])
    assert not await order.take(1)
    assert not order.take_now(1)


async def test_cancelled_part_gives_its_turn_back() -> None:
    order = Turns()
    waiting = await start(order, 2)
    assert await order.take(1)
    order.pass_on()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert order.take_now(2)
