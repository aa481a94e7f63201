"""A server that is stopped and started again, as an operator does, during a call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

import jetstow
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

PIECE = some_bytes(131_072)
RESTARTS = 2
PIECES = 600  # after each restart


@pytest.fixture
async def fragile_store(fragile: NatsServer) -> AsyncIterator[jetstow.ObjectStore]:
    async with jetstow.connect(
        fragile.url, reconnect_time_wait=0.1, max_reconnect_attempts=-1
    ) as nc:
        yield await nc.jetstream().create_object_store("b")


async def stop_and_start(server: NatsServer) -> None:
    # In a thread, so that messages are sent while the server stops.
    await asyncio.to_thread(server.stop)
    server.start()


async def test_put_continues(fragile: NatsServer, fragile_store: jetstow.ObjectStore) -> None:
    """The put sent new chunks while it sent misplaced ones again.

    So the new ones were misplaced, too, and after 32 rounds the put raised `OutOfOrderError`.
    """
    count = 0

    async def source() -> AsyncIterator[bytes]:
        nonlocal count
        while count < (RESTARTS + 1) * PIECES:
            count += 1
            await asyncio.sleep(0)
            yield PIECE

    put = asyncio.create_task(fragile_store.put("a", source()))
    for number in range(RESTARTS):
        while count < number * PIECES + 20 and not put.done():
            await asyncio.sleep(0.001)
        await stop_and_start(fragile)
    info = await put
    assert info.size == count * len(PIECE)
    assert (await fragile_store.verify()).ok
    assert (await fragile_store.collect_garbage(grace=0)).messages == 0


async def test_small_calls_continue(
    fragile: NatsServer, fragile_store: jetstow.ObjectStore
) -> None:
    """A server that stops replies "no responders": calls raised `JetStreamUnavailableError`."""
    stopping = True

    async def work(name: str) -> int:
        count = 0
        while stopping:
            await fragile_store.put(name, b"1")
            assert (await fragile_store.get(name)).data == b"1"
            await fragile_store.list()
            await fragile_store.delete(name)
            count += 1
        return count

    tasks = [asyncio.create_task(work(str(number))) for number in range(8)]
    for _ in range(3):
        await asyncio.sleep(0)
        await stop_and_start(fragile)
    stopping = False
    assert all(await asyncio.gather(*tasks))
    assert await fragile_store.list() == []
