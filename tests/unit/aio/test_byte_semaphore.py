"""The budget: never more bytes on their way than allowed, first come, first served."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetstow._core.aio.byte_semaphore import ByteSemaphore


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_fits_passes_at_once() -> None:
    budget = ByteSemaphore(10)
    await budget.acquire(4)
    await budget.acquire(6)
    assert not budget.try_acquire(1)
    budget.release(6)
    assert budget.try_acquire(1)


async def test_more_than_the_limit_passes_alone() -> None:
    budget = ByteSemaphore(10)
    await budget.acquire(1000)
    assert not budget.try_acquire(1)
    small = asyncio.create_task(budget.acquire(1))
    await settle()
    assert not small.done()
    budget.release(1000)
    await small
    large = asyncio.create_task(budget.acquire(1000))
    await settle()
    assert not large.done(), "something is on its way still"
    budget.release(1)
    await large


async def test_nobody_overtakes_who_waits() -> None:
    budget = ByteSemaphore(10)
    await budget.acquire(8)
    large = asyncio.create_task(budget.acquire(5))
    await settle()
    small = asyncio.create_task(budget.acquire(1))
    await settle()
    assert not large.done()
    assert not small.done(), "it would fit, but another one was first"
    assert not budget.try_acquire(1)
    budget.release(8)
    await large
    await small


async def test_who_is_cancelled_while_waiting_takes_nothing_and_lets_others_pass() -> None:
    budget = ByteSemaphore(10)
    await budget.acquire(8)
    large = asyncio.create_task(budget.acquire(5))
    small = asyncio.create_task(budget.acquire(2))
    await settle()
    large.cancel()
    with pytest.raises(asyncio.CancelledError):
        await large
    await small
    budget.release(8)
    budget.release(2)
    assert budget.try_acquire(10), "all of it is free again"


async def test_who_is_cancelled_in_the_moment_of_its_turn_gives_it_back() -> None:
    budget = ByteSemaphore(10)
    await budget.acquire(10)
    first = asyncio.create_task(budget.acquire(10))
    second = asyncio.create_task(budget.acquire(10))
    await settle()
    budget.release(10)  # the turn of the first, which has not run yet
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await second
    budget.release(10)
    assert budget.try_acquire(10)


@given(
    st.integers(1, 50),
    st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=25),
    st.randoms(use_true_random=False),
)
async def test_whatever_happens_the_limit_holds_and_all_is_given_back(
    limit: int, wishes: list[tuple[int, bool]], chance: object
) -> None:
    budget = ByteSemaphore(limit)
    flying: list[int] = []
    served: list[int] = []

    async def transfer(number: int, size: int) -> None:
        await budget.acquire(size)
        served.append(number)
        flying.append(size)
        assert sum(flying) <= limit or sum(map(bool, flying)) == 1
        try:
            for _ in range(chance.randint(0, 3)):  # type: ignore[attr-defined]
                await asyncio.sleep(0)
        finally:
            flying.remove(size)
            budget.release(size)

    tasks = [asyncio.create_task(transfer(n, size)) for n, (size, _) in enumerate(wishes)]
    await asyncio.sleep(0)
    for task, (_, cancelled) in zip(tasks, wishes, strict=True):
        if cancelled:
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert all(task.cancelled() or task.exception() is None for task in tasks)
    assert served == sorted(served), "first come, first served"
    assert budget.try_acquire(limit)
    assert not budget.try_acquire(1)
