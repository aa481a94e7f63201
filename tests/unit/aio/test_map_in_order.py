"""map_in_order: concurrent calls with limits, results in order."""

from __future__ import annotations

import asyncio

import pytest

from jetstow._core.aio.map_in_order import MAX_CONCURRENT_BYTES, map_in_order


async def collect(sizes: list[int]) -> tuple[list[int], int]:
    """Return the results for items of some sizes, and the largest number of concurrent calls."""
    running = peak = 0

    async def work(item: int) -> int:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        await asyncio.sleep(0.001 * (item % 3))
        running -= 1
        return item

    def size_of(item: int) -> int:
        return sizes[item]

    results = [result async for result in map_in_order(range(len(sizes)), work, size_of)]
    return results, peak


@pytest.mark.parametrize(
    ("size", "peak"), [(0, 16), (MAX_CONCURRENT_BYTES // 2, 2), (MAX_CONCURRENT_BYTES * 2, 1)]
)
async def test_map_in_order_limits_concurrency(size: int, peak: int) -> None:
    assert await collect([size] * 40) == (list(range(40)), peak)


async def test_map_in_order_cancels_after_an_error() -> None:
    cancelled = asyncio.Event()

    async def work(item: int) -> None:
        if item == 0:
            raise ZeroDivisionError
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    with pytest.raises(ZeroDivisionError):
        _ = [result async for result in map_in_order(range(3), work, lambda _: 0)]
    assert cancelled.is_set()
