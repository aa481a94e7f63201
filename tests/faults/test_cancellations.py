"""Cancelled verbs, at random points: whole objects, and no task, consumer or file is left over."""

from __future__ import annotations

import asyncio
import random

import pytest
from nats.aio.client import Client

import jetstow
from tests.support.cancellation_storm import Resources, run_storm, wait_until_released
from tests.support.servers import NatsServer

pytestmark = pytest.mark.first_and_last_version

SEED = 7


@pytest.mark.parametrize("concurrent", [1, 4])
async def test_storm_of_cancellations(server: NatsServer, concurrent: int) -> None:
    """A cancelled put kept its mailbox and its part of the window; a cancelled call that created a
    consumer or a subscription left it behind."""
    outcomes = await run_storm(server.url, SEED, 12, concurrent)
    assert outcomes["cancelled"] > outcomes["done"] > 0


async def test_cancelled_stop_of_a_watcher(
    nc: jetstow.Client, raw: Client, store: jetstow.ObjectStore
) -> None:
    """It left the task, the subscription and the consumer, which buffered changes forever."""
    async with store.watch():
        pass  # the connection's own subscription exists from now on
    before = await Resources.count(nc, raw, store.bucket)
    for steps in range(1, 20):
        watcher = await store.watch()
        stopping = asyncio.create_task(watcher.stop())
        for _ in range(steps):
            await asyncio.sleep(0)
        stopping.cancel()
        await asyncio.wait([stopping])
    await wait_until_released(before, nc, raw, store.bucket)


async def test_cancelled_connect_and_close(
    server: NatsServer, nc: jetstow.Client, raw: Client, store: jetstow.ObjectStore
) -> None:
    async def connect_and_close() -> None:
        async with jetstow.connect(server.url) as other:
            await (await other.jetstream().object_store(store.bucket)).list()

    async with store.watch():
        pass
    before = await Resources.count(nc, raw, store.bucket)
    numbers = random.Random(SEED)
    for _ in range(60):
        call = asyncio.create_task(connect_and_close())
        for _ in range(1 + numbers.randrange(2)):
            for _ in range(numbers.randrange(120)):
                await asyncio.sleep(0)
            call.cancel()
        await asyncio.wait([call])
    await wait_until_released(before, nc, raw, store.bucket)


async def test_cancelled_close_of_a_connection(
    server: NatsServer, nc: jetstow.Client, raw: Client, store: jetstow.ObjectStore
) -> None:
    """It left the socket: nats-py is closed from the start of `close`, and a second call does
    nothing."""
    before = await Resources.count(nc, raw, store.bucket)
    for steps in range(1, 10):
        other = await jetstow.connect(server.url)
        closing = asyncio.create_task(other.close())
        for _ in range(steps):
            await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing])
        await wait_until_released(before, nc, raw, store.bucket)
