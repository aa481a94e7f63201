"""close: it succeeds without a server too, and calls in progress raise an error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

import jetstow
from jetstow.errors import ConnectionLostError
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

pytestmark = pytest.mark.one_path


async def test_close_while_disconnected(server: NatsServer) -> None:
    """Buffered data went to the dead socket: `close` raised its error and called no callback."""
    callbacks: list[str] = []

    async def on_error(_: Exception) -> None:
        """The connection is lost on purpose."""

    async def on_closed() -> None:
        callbacks.append("closed")

    async def on_disconnected() -> None:
        lost.set()

    lost = asyncio.Event()
    with NatsServer(server.version) as own:
        nc = await jetstow.connect(
            own.url, error_cb=on_error, closed_cb=on_closed, disconnected_cb=on_disconnected
        )
        store = await nc.jetstream().create_object_store("b")
        own.stop()
        await lost.wait()
        putting = asyncio.create_task(store.put("a", b"x"))
        await nc.publish("somewhere", b"waits to be sent")
        assert nc.pending_data_size
        await nc.close()
        with pytest.raises(ConnectionLostError) as caught:
            await putting
    assert (caught.value.bucket, caught.value.name) == ("b", "a")
    assert callbacks == ["closed"]
    assert nc.is_closed


async def test_close_during_transfers(server: NatsServer, store: jetstow.ObjectStore) -> None:
    data = some_bytes(6_000_000)
    await store.put("a", data)
    nc = await jetstow.connect(server.url)
    other = await nc.jetstream().object_store(store.bucket)
    chunks = other.stream("a")
    await anext(chunks)
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield data[:100_000]
            begun.set()

    putting = asyncio.create_task(other.put("b", endless()))
    watcher = await other.watch(updates_only=True)
    watching = asyncio.create_task(watcher.updates(None))
    await begun.wait()
    await nc.close()
    for waiting in (collect(chunks), putting, watching):
        with pytest.raises(ConnectionLostError) as caught:
            await waiting
        assert caught.value.bucket == store.bucket
    assert (await store.get("a")).data == data


async def collect(chunks: AsyncIterator[bytes]) -> list[bytes]:
    return [chunk async for chunk in chunks]
