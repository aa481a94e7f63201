"""Connections in another event loop than that of `connect`: an error at once, and no wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import jetstow
from jetstow.errors import WrongEventLoopError
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer


async def run_elsewhere(call: Callable[[], Awaitable[Any]]) -> None:
    """Run a call in the event loop of another thread, while this one goes on."""

    async def main() -> None:
        await call()

    await asyncio.to_thread(asyncio.run, main())


async def read_one(store: jetstow.ObjectStore) -> None:
    async for _ in store.stream("a"):
        return


CALLS: dict[str, Callable[[jetstow.ObjectStore], Awaitable[Any]]] = {
    "put": lambda store: store.put("b", b"x"),
    "get": lambda store: store.get("a"),
    "wait_for": lambda store: asyncio.wait_for(store.get("a"), 20),
    "stream": read_one,
    "list": lambda store: store.list(),
    "watch": lambda store: store.watch(),
    "delete": lambda store: store.delete("a"),
    "verify": lambda store: store.verify(),
}


@pytest.mark.parametrize("verb", CALLS)
async def test_store_in_another_loop(store: jetstow.ObjectStore, verb: str) -> None:
    """The reply arrived in the connection's loop, which does not wake a waiter in another one."""
    await store.put("a", b"x")
    with pytest.raises(
        WrongEventLoopError, match=r"connect in the loop .* jetstow\.sync"
    ) as caught:
        await run_elsewhere(lambda: CALLS[verb](store))
    assert caught.value.bucket == store.bucket
    assert isinstance(caught.value, RuntimeError)
    assert [info.name for info in await store.list()] == ["a"]


async def test_open_objects_and_watchers_in_another_loop(store: jetstow.ObjectStore) -> None:
    await store.put("a", some_bytes(3_000_000))
    async with (
        store.open("a") as reader,
        store.open("b", "wb") as writer,
        store.watch(updates_only=True) as watcher,
    ):
        chunks = store.stream("a")
        await anext(chunks)
        assert await reader.read(10)
        calls: list[Callable[[], Awaitable[Any]]] = [
            reader.read,
            lambda: writer.write(bytes(300_000)),
            writer.close,
            lambda: watcher.updates(None),
            watcher.stop,
        ]
        for call in calls:
            with pytest.raises(WrongEventLoopError):
                await run_elsewhere(call)
        await store.put("c", b"x")
        info = await watcher.updates(20)
        assert info is not None
        assert info.name == "c"
        await chunks.aclose()
        assert len(await reader.read()) == 3_000_000 - 10
        await writer.write(b"x")
    assert [info.name for info in await store.list()] == ["a", "c", "b"]


async def test_close_in_another_loop(server: NatsServer) -> None:
    async with jetstow.connect(server.url) as nc:
        with pytest.raises(WrongEventLoopError):
            await run_elsewhere(nc.close)
        assert nc.is_connected


@pytest.mark.parametrize("was_used", [True, False])
def test_store_after_its_loop_was_closed(server: NatsServer, bucket: str, was_used: bool) -> None:
    """Two calls of `asyncio.run`: a program may keep the connection of the first."""

    async def open_store() -> jetstow.ObjectStore:
        async with jetstow.connect(server.url) as nc:
            store = await nc.jetstream().create_object_store(bucket)
            if was_used:
                await store.put("a", b"x")
            return store

    store = asyncio.run(open_store())
    with pytest.raises(WrongEventLoopError, match="another one, which is closed"):
        asyncio.run(read_one(store))
