"""Bytes that are summed in a thread and read ahead while the caller stores them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from jetstow.s3.body.summing import _BLOCK_SIZE, summing

MIB = 1024 * 1024


class Body:
    """Pieces of a body: counts those that were read."""

    def __init__(self, *, count: int, size: int, error: Exception | None = None) -> None:
        self._count, self._size, self._error = count, size, error
        self.read = 0
        self.closed = False

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        try:
            for number in range(self._count):
                await asyncio.sleep(0)
                self.read += 1
                yield bytes([number % 256]) * self._size
            if self._error is not None:
                raise self._error
        finally:
            self.closed = True


@pytest.mark.parametrize(("count", "size"), [(0, 1), (1, 10), (50, 100_000), (3, 5 * MIB)])
async def test_bytes_and_sums_are_in_order(count: int, size: int) -> None:
    body, summed = Body(count=count, size=size), bytearray()
    result = b"".join([block async for block in summing(body.pieces(), summed.extend)])
    assert result == summed == b"".join([piece async for piece in body.pieces()])
    assert body.closed


async def test_reading_continues_while_a_block_is_stored() -> None:
    """Reading and storing took turns, and a PUT had two thirds of the rate."""
    body = Body(count=20, size=_BLOCK_SIZE)
    blocks = summing(body.pieces(), len)
    await anext(blocks)
    async with asyncio.timeout(20):
        while body.read < 2:
            await asyncio.sleep(0.001)
    for _ in range(100):
        await asyncio.sleep(0)
    assert body.read == 2, "the block that is stored, and the next one"
    await blocks.aclose()
    assert body.closed


async def test_error_of_the_body_follows_its_bytes() -> None:
    blocks = summing(Body(count=3, size=_BLOCK_SIZE, error=OSError("gone")).pieces(), len)
    assert [len(await anext(blocks)) for _ in range(3)] == [_BLOCK_SIZE] * 3
    with pytest.raises(OSError, match="gone"):
        await anext(blocks)


async def test_error_of_the_sum() -> None:
    def fail(_: bytes) -> None:
        raise ValueError("no sum")

    body = Body(count=1, size=10)
    with pytest.raises(ValueError, match="no sum"):
        _ = [block async for block in summing(body.pieces(), fail)]
    assert body.closed


async def test_cancelled_while_it_waits_for_bytes() -> None:
    body, is_waiting = Body(count=1, size=10), asyncio.Event()

    async def endless() -> AsyncGenerator[bytes, None]:
        async for piece in body.pieces():
            yield piece
        is_waiting.set()
        await asyncio.Event().wait()

    async def read() -> None:
        async for _ in summing(endless(), len):
            pass

    task = asyncio.create_task(read())
    await is_waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(asyncio.all_tasks()) == 1
