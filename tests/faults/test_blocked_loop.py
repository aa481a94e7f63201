"""A program that blocks the event loop for longer than the timeouts: the server is not silent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import jetstow
from jetstow.errors import NoServersError, TimeoutError
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

# The timeout of the client, and the length of each computation, in seconds.
TIMEOUT = 0.5
BLOCK = 0.7

# More than the interval at which timeouts are checked.
SHORT_BLOCK = 0.08

# The iterations of the loop between the computations.
PASSES = (1, 2, 4, 12)

DATA = some_bytes(2_000_000)


@pytest.fixture
async def store(server: NatsServer, bucket: str) -> AsyncIterator[jetstow.ObjectStore]:
    nc = await jetstow.connect(server.url)
    store = await nc.jetstream(timeout=TIMEOUT).create_object_store(bucket)
    for name in ("a", "deleted", "renamed"):
        await store.put(name, DATA)
    yield store
    await nc.close()


async def block_during(calls: dict[str, Awaitable[Any]]) -> dict[str, object]:
    """Run calls concurrently, and block the loop; return the results and errors by name."""
    tasks = {name: asyncio.ensure_future(call) for name, call in calls.items()}
    for passes in PASSES:
        for _ in range(passes):
            await asyncio.sleep(0)
        time.sleep(BLOCK)
    results = await asyncio.gather(*tasks.values(), return_exceptions=True)
    return dict(zip(tasks, results, strict=True))


async def test_verbs(store: jetstow.ObjectStore, tmp_path: Path) -> None:
    """Requests whose timeout ended during the computation failed with "did not reply"."""
    (tmp_path / "source").write_bytes(DATA)

    async def watch() -> None:
        async with store.watch() as watcher:
            async for change in watcher:
                if change is None:
                    return

    async def read() -> None:
        async with store.open("a") as file:
            await file.read(1_000)
            await file.seek(1_500_000)
            await file.read()

    async def stream() -> None:
        async for _ in store.stream("a"):
            pass

    async def write() -> None:
        async with store.open("written", "wb") as file:
            await file.write(DATA)

    calls: dict[str, Callable[[], Awaitable[Any]]] = {
        "put": lambda: store.put("b", DATA),
        "put small": lambda: store.put("c", b"x"),
        "put_file": lambda: store.put_file(tmp_path / "source", "d"),
        "write": write,
        "get": lambda: store.get("a"),
        "get_file": lambda: store.get_file("a", tmp_path / "target"),
        "get_range": lambda: store.get_range("a", 5, 500_000),
        "read": read,
        "stream": stream,
        "get_info": lambda: store.get_info("a"),
        "list": store.list,
        "watch": watch,
        "status": store.status,
        "delete": lambda: store.delete("deleted"),
        "rename": lambda: store.rename("renamed", "new name"),
        "copy": lambda: store.copy("a", "copied"),
        "add_link": lambda: store.add_link("linked", "a"),
        "verify": store.verify,
        "collect_garbage": store.collect_garbage,
        "create_object_store": lambda: store._js.create_object_store(store._name),
    }
    results = await block_during({name: call() for name, call in calls.items()})
    assert not {name: each for name, each in results.items() if isinstance(each, Exception)}
    assert (tmp_path / "target").read_bytes() == DATA
    assert (await store.get("written")).data == DATA


async def test_watcher_with_a_timeout(store: jetstow.ObjectStore) -> None:
    """The change had arrived, and `updates` raised before the watcher could read it."""
    async with store.watch(updates_only=True) as watcher:
        update = asyncio.create_task(watcher.updates(TIMEOUT))
        await asyncio.sleep(0)
        put = asyncio.create_task(store.put("new", b""))
        for _ in range(2):
            await asyncio.sleep(0)
        time.sleep(BLOCK)
        change = await update
        await put
    assert change is not None
    assert change.name == "new"


@pytest.mark.one_path
async def test_connect(server: NatsServer) -> None:
    """Two computations that each took longer than `connect_timeout` ended all attempts."""
    connecting = asyncio.ensure_future(jetstow.connect(server.url, connect_timeout=0.1))
    while not connecting.done():
        await asyncio.sleep(0)
        time.sleep(0.15)
    await (await connecting).close()


async def test_silent_server_is_noticed(fragile: NatsServer) -> None:
    """The time of computations does not count, but each wait ends."""
    async with jetstow.connect(fragile.url) as nc:
        store = await nc.jetstream(timeout=TIMEOUT).create_object_store("b")
        fragile.pause()
        reading = asyncio.ensure_future(store.get_info("a"))
        while not reading.done():
            await asyncio.sleep(0)
            time.sleep(SHORT_BLOCK)
        with pytest.raises(TimeoutError, match="did not reply"):
            await reading
        fragile.resume()


@pytest.mark.one_path
async def test_connect_to_a_silent_server(fragile: NatsServer) -> None:
    fragile.pause()
    connecting = asyncio.ensure_future(
        jetstow.connect(fragile.url, connect_timeout=TIMEOUT, max_reconnect_attempts=1)
    )
    while not connecting.done():
        await asyncio.sleep(0)
        time.sleep(SHORT_BLOCK)
    with pytest.raises(NoServersError, match="timed out"):
        await connecting
    fragile.resume()
