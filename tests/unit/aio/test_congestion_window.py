"""The congestion window limits the bytes in flight, serves waiters in order, follows the rate."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetstow._core.aio.congestion_window import INITIAL_SIZE, CongestionWindow, Departure

MIB = 1024 * 1024


async def run_tasks() -> None:
    """Let every task run until it waits."""
    for _ in range(10):
        await asyncio.sleep(0)


async def acquire(window: CongestionWindow, size: int) -> Departure:
    reservation = window.reserve(size)
    try:
        return await asyncio.shield(reservation)
    except asyncio.CancelledError:
        window.cancel(reservation)
        raise


# -- space -------------------------------------------------------------------------------


async def test_acquire_within_limit_does_not_wait() -> None:
    window = CongestionWindow(10)
    window.take(4)
    assert window.reserve(6).done()
    assert window.try_acquire(1) is None
    window.release(6)
    assert window.try_acquire(1) is not None


async def test_request_above_limit_is_granted_alone() -> None:
    window = CongestionWindow(10)
    assert window.reserve(1000).done()
    assert window.try_acquire(1) is None
    small = window.reserve(1)
    window.release(1000)
    assert small.done()
    large = window.reserve(1000)
    assert not large.done(), "a byte is still in flight"
    window.release(1)
    assert large.done()


async def test_waiters_are_served_in_order() -> None:
    window = CongestionWindow(10)
    window.take(8)
    large, small = window.reserve(5), window.reserve(1)
    assert not large.done()
    assert not small.done(), "it would fit, but another waiter was first"
    assert window.try_acquire(1) is None
    assert window.waiting == 14
    window.release(8)
    assert large.done()
    assert small.done()


async def test_cancelled_waiter_does_not_block_others() -> None:
    window = CongestionWindow(10)
    window.take(8)
    large, small = window.reserve(5), window.reserve(2)
    window.cancel(large)
    assert large.cancelled()
    assert small.done()
    window.release(8)
    window.release(2)
    assert window.try_acquire(10) is not None, "all bytes were released"


async def test_reservation_cancelled_when_granted_releases() -> None:
    window = CongestionWindow(10)
    window.take(10)
    first, second = window.reserve(10), window.reserve(10)
    window.release(10)
    window.cancel(first)
    assert second.done()
    window.release(10)
    assert window.used == 0


@given(
    st.integers(1, 50),
    st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=25),
    st.randoms(use_true_random=False),
)
async def test_limit_and_release_with_random_cancellations(
    limit: int, requests: list[tuple[int, bool]], chance: object
) -> None:
    window = CongestionWindow(limit)
    in_flight: list[int] = []
    served: list[int] = []

    async def transfer(number: int, size: int) -> None:
        departure = await acquire(window, size)
        served.append(number)
        in_flight.append(size)
        assert sum(in_flight) <= limit or sum(map(bool, in_flight)) == 1
        try:
            for _ in range(chance.randint(0, 3)):  # type: ignore[attr-defined]
                await asyncio.sleep(0)
        finally:
            in_flight.remove(size)
            window.answer(departure)

    tasks = [asyncio.create_task(transfer(n, size)) for n, (size, _) in enumerate(requests)]
    await asyncio.sleep(0)
    for task, (_, cancelled) in zip(tasks, requests, strict=True):
        if cancelled:
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert all(task.cancelled() or task.exception() is None for task in tasks)
    assert served == sorted(served), "waiters are served in order"
    assert window.try_acquire(limit) is not None
    assert window.try_acquire(1) is None


# -- rate --------------------------------------------------------------------------------


def sent_before(departure: Departure, seconds: float) -> Departure:
    return msgspec.structs.replace(departure, time=departure.time - seconds)


async def test_window_grows_while_answers_are_fast() -> None:
    window = CongestionWindow(32 * MIB)
    for _ in range(3):
        chunks = []
        while (departure := window.try_acquire(128 * 1024)) is not None:
            chunks.append(departure)
        for departure in chunks:
            window.answer(sent_before(departure, 0.4))
    assert window.size == 32 * MIB


async def test_window_of_a_slow_sender_does_not_grow() -> None:
    window = CongestionWindow(32 * MIB)
    for _ in range(100):
        window.answer(sent_before(window.take(1_000), 0.01))
    assert window.size == INITIAL_SIZE, "this size was never tried"


async def test_window_of_a_full_link_holds_one_second() -> None:
    window = CongestionWindow(32 * MIB)
    window.observe_round_trip(0.1)
    departures = [window.take(100_000) for _ in range(10)]
    for number, departure in enumerate(departures, 1):
        window.answer(sent_before(departure, number / 5))  # 500 kB/s
    assert window.size == pytest.approx(550_000, rel=0.05)
    assert window.rate == pytest.approx(500_000, rel=0.05)


async def test_window_has_two_messages_at_least() -> None:
    window = CongestionWindow(32 * MIB)
    window.observe_round_trip(0.1)
    window.answer(sent_before(window.take(128 * 1024), 6.5))
    assert window.size == 256 * 1024


async def test_first_answer_is_given_up() -> None:
    window = CongestionWindow(32 * MIB)
    window.give_up_first_answer()
    assert window.rate == float("inf")
    window.observe_round_trip(0.1)
    window.answer(sent_before(window.take(20_000), 1.0))
    window.give_up_first_answer()
    assert window.rate == pytest.approx(20_000, rel=0.05)


async def test_restart_forgets_the_rate() -> None:
    window = CongestionWindow(32 * MIB)
    window.observe_round_trip(0.1)
    window.answer(sent_before(window.take(1_000), 6.5))
    window.restart()
    assert (window.size, window.rate) == (INITIAL_SIZE, None)
