"""A server that is killed or paused during a call: every call ends with one error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import ConnectionLostError, TimeoutError
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

DATA = some_bytes(3_000_000)
MANY_CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=1000))


@pytest.fixture
async def fragile_store(fragile: NatsServer) -> AsyncIterator[jetstow.ObjectStore]:
    async with await jetstow.connect(
        fragile.url, max_reconnect_attempts=1, reconnect_time_wait=0.1, drain_timeout=1
    ) as nc:
        store = await nc.jetstream(timeout=2).create_object_store("b")
        await store.put("a", DATA, MANY_CHUNKS)
        yield store


async def put_and(store: jetstow.ObjectStore, disturb: Callable[[], None]) -> None:
    async def source() -> AsyncIterator[bytes]:
        yield DATA
        disturb()
        yield DATA

    await store.put("a", source(), MANY_CHUNKS)


async def stream_and(store: jetstow.ObjectStore, disturb: Callable[[], None]) -> None:
    disturbed = False
    async for _ in store.stream("a"):
        if not disturbed:
            disturb()
        disturbed = True


async def ask_and(store: jetstow.ObjectStore, disturb: Callable[[], None]) -> None:
    disturb()
    await store.get_info("a")


async def watch_and(store: jetstow.ObjectStore, disturb: Callable[[], None]) -> None:
    async with await store.watch() as watcher:
        disturb()
        async for _ in watcher:
            pass


CALLS = [put_and, stream_and, ask_and, watch_and]
Call = Callable[[jetstow.ObjectStore, Callable[[], None]], Coroutine[Any, Any, None]]


@pytest.mark.parametrize("call", CALLS)
async def test_killed_server(
    fragile: NatsServer, fragile_store: jetstow.ObjectStore, call: Call
) -> None:
    with pytest.raises(ConnectionLostError) as caught:
        await call(fragile_store, fragile.kill)
    assert caught.value.bucket == "b"


@pytest.mark.parametrize("call", [put_and, stream_and, ask_and])
async def test_paused_server(
    fragile: NatsServer, fragile_store: jetstow.ObjectStore, call: Call
) -> None:
    with pytest.raises(TimeoutError, match="did not reply") as caught:
        await call(fragile_store, fragile.pause)
    assert caught.value.bucket == "b"
    fragile.resume()
    assert (await fragile_store.get("a")).data == DATA, "the old object, on the same connection"


async def test_connection_closed_during_a_call(
    fragile: NatsServer, fragile_store: jetstow.ObjectStore
) -> None:
    started = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        yield DATA
        started.set()
        await asyncio.Event().wait()

    put = asyncio.create_task(fragile_store.put("a", source(), MANY_CHUNKS))
    watcher = await fragile_store.watch(updates_only=True)
    change = asyncio.create_task(watcher.updates(timeout=None))
    await started.wait()
    await fragile_store._js._nc.close()
    with pytest.raises(ConnectionLostError):
        await change
    put.cancel()
    with pytest.raises(asyncio.CancelledError):
        await put


async def test_acknowledged_object_survives_a_crash(
    fragile: NatsServer, fragile_store: jetstow.ObjectStore
) -> None:
    fragile.restart(kill=True)
    async with await jetstow.connect(fragile.url) as nc:
        store = await nc.jetstream().object_store("b")
        assert (await store.get("a")).data == DATA
