"""The semaphore limits the bytes in flight, and serves waiters in order."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetstow._core.aio.byte_semaphore import ByteSemaphore


async def run_tasks() -> None:
    """Let every task run until it waits."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_acquire_within_limit_does_not_wait() -> None:
    semaphore = ByteSemaphore(10)
    await semaphore.acquire(4)
    await semaphore.acquire(6)
    assert not semaphore.try_acquire(1)
    semaphore.release(6)
    assert semaphore.try_acquire(1)


async def test_request_above_limit_is_granted_alone() -> None:
    semaphore = ByteSemaphore(10)
    await semaphore.acquire(1000)
    assert not semaphore.try_acquire(1)
    small = asyncio.create_task(semaphore.acquire(1))
    await run_tasks()
    assert not small.done()
    semaphore.release(1000)
    await small
    large = asyncio.create_task(semaphore.acquire(1000))
    await run_tasks()
    assert not large.done(), "a byte is still in flight"
    semaphore.release(1)
    await large


async def test_waiters_are_served_in_order() -> None:
    semaphore = ByteSemaphore(10)
    await semaphore.acquire(8)
    large = asyncio.create_task(semaphore.acquire(5))
    await run_tasks()
    small = asyncio.create_task(semaphore.acquire(1))
    await run_tasks()
    assert not large.done()
    assert not small.done(), "it would fit, but another waiter was first"
    assert not semaphore.try_acquire(1)
    semaphore.release(8)
    await large
    await small


async def test_cancelled_waiter_does_not_block_others() -> None:
    semaphore = ByteSemaphore(10)
    await semaphore.acquire(8)
    large = asyncio.create_task(semaphore.acquire(5))
    small = asyncio.create_task(semaphore.acquire(2))
    await run_tasks()
    large.cancel()
    with pytest.raises(asyncio.CancelledError):
        await large
    await small
    semaphore.release(8)
    semaphore.release(2)
    assert semaphore.try_acquire(10), "all bytes were released"


async def test_waiter_cancelled_when_granted_releases() -> None:
    semaphore = ByteSemaphore(10)
    await semaphore.acquire(10)
    first = asyncio.create_task(semaphore.acquire(10))
    second = asyncio.create_task(semaphore.acquire(10))
    await run_tasks()
    semaphore.release(10)  # granted to the first, which has not run yet
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await second
    semaphore.release(10)
    assert semaphore.try_acquire(10)


@given(
    st.integers(1, 50),
    st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=25),
    st.randoms(use_true_random=False),
)
async def test_limit_and_release_with_random_cancellations(
    limit: int, requests: list[tuple[int, bool]], chance: object
) -> None:
    semaphore = ByteSemaphore(limit)
    in_flight: list[int] = []
    served: list[int] = []

    async def transfer(number: int, size: int) -> None:
        await semaphore.acquire(size)
        served.append(number)
        in_flight.append(size)
        assert sum(in_flight) <= limit or sum(map(bool, in_flight)) == 1
        try:
            for _ in range(chance.randint(0, 3)):  # type: ignore[attr-defined]
                await asyncio.sleep(0)
        finally:
            in_flight.remove(size)
            semaphore.release(size)

    tasks = [asyncio.create_task(transfer(n, size)) for n, (size, _) in enumerate(requests)]
    await asyncio.sleep(0)
    for task, (_, cancelled) in zip(tasks, requests, strict=True):
        if cancelled:
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert all(task.cancelled() or task.exception() is None for task in tasks)
    assert served == sorted(served), "waiters are served in order"
    assert semaphore.try_acquire(limit)
    assert not semaphore.try_acquire(1)
