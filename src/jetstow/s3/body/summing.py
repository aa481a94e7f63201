"""Sum bytes in a thread, and read more of them while the caller stores some."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final

# The bytes of one call in a thread. MD5 takes 3 ms for them. With half of that, a PUT of 256 MiB
# takes a twentieth longer: the threads wait for Python's lock more often.
_BLOCK_SIZE: Final = 2 * 1024 * 1024
# How many blocks are read before the caller takes them. Without, reading and storing take turns,
# and a PUT of 256 MiB has two thirds of the rate.
_BLOCKS_AHEAD: Final = 1


async def summing(
    pieces: AsyncGenerator[bytes, None], update: Callable[[bytes], object]
) -> AsyncGenerator[bytes, None]:
    """Yield the bytes of `pieces` in blocks, and call `update` with each, in order, in a thread.

    The generator ends when the last call has ended. Close it if it is not read to its end.

    Raises: what `pieces` and `update` raise.
    """
    blocks: asyncio.Queue[bytes | None] = asyncio.Queue()
    space = asyncio.Semaphore(_BLOCKS_AHEAD)
    reading = asyncio.create_task(_read(pieces, update, blocks, space))
    reading.add_done_callback(lambda _: blocks.put_nowait(None))
    try:
        while (block := await blocks.get()) is not None:
            space.release()
            yield block
        reading.result()
    finally:
        reading.cancel()
        await asyncio.wait([reading])
        if not reading.cancelled():
            reading.exception()  # retrieved, so that asyncio does not log it


async def _read(
    pieces: AsyncGenerator[bytes, None],
    update: Callable[[bytes], object],
    blocks: asyncio.Queue[bytes | None],
    space: asyncio.Semaphore,
) -> None:
    loop, running = asyncio.get_running_loop(), None
    await space.acquire()
    async with aclosing(_joined(pieces)) as joined:
        async for block in joined:
            if running is not None:
                await running
            running = loop.run_in_executor(None, update, block)
            blocks.put_nowait(block)
            await space.acquire()
    if running is not None:
        await running


async def _joined(pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Join pieces to blocks: one call of the thread for each."""
    block, size = [], 0
    async with aclosing(pieces):
        async for piece in pieces:
            block.append(piece)
            size += len(piece)
            if size >= _BLOCK_SIZE:
                yield b"".join(block)
                block, size = [], 0
    if block:
        yield b"".join(block)
