"""Connections that drop and come back: transfers continue and lose nothing."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import nats
import pytest

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import ConnectionLostError
from tests.support import raw_stream
from tests.support.proxy import Proxy
from tests.support.purges import purges_ended
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

DATA = some_bytes(3_000_000)
SMALL_CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=1000))

Disturb = Callable[[], Coroutine[Any, Any, None]]


@pytest.fixture
async def proxy(fragile: NatsServer) -> AsyncIterator[Proxy]:
    async with Proxy(fragile.port) as proxy:
        yield proxy


@pytest.fixture
async def store(proxy: Proxy) -> AsyncIterator[jetstow.ObjectStore]:
    nc = await jetstow.connect(proxy.url, reconnect_time_wait=0.05, max_reconnect_attempts=200)
    store = await nc.jetstream().create_object_store("b")
    await store.put("a", DATA, SMALL_CHUNKS)
    yield store
    await nc.close()


@pytest.fixture(params=["cut", "killed"])
def disturb(request: pytest.FixtureRequest, proxy: Proxy, fragile: NatsServer) -> Disturb:
    """A fault: the connection is cut, or the server is killed and restarts."""

    async def cut() -> None:
        proxy.cut()

    async def kill() -> None:
        await asyncio.to_thread(fragile.restart, kill=True)

    return cut if request.param == "cut" else kill


async def check_object(server: NatsServer, name: str, data: bytes) -> None:
    """Read an object by nats-py, and check that only the chunks of two objects are stored."""
    nc = await nats.connect(server.url)
    try:
        into = io.BytesIO()
        await (await nc.jetstream().object_store("b")).get(name, writeinto=into)
        assert into.getvalue() == data
        counts = await raw_stream.chunks(nc, "b")
        named = [await raw_stream.metadata(nc, "b", each) for each in {"a", name}]
        assert counts == {each["nuid"]: each["chunks"] for each in named}
    finally:
        await nc.close()


async def source_with_faults(*disturb: Disturb) -> AsyncIterator[bytearray]:
    """Yield the data once, with a fault after each part."""
    size = len(DATA) // (len(disturb) + 1) + 1
    for number, start in enumerate(range(0, len(DATA), size)):
        reused = bytearray(DATA[start : start + size])
        yield reused
        reused[:] = bytes(len(reused))  # a source may reuse its buffer
        if number < len(disturb):
            await disturb[number]()


@pytest.mark.not_on_path("consumer")
async def test_put_continues(
    fragile: NatsServer, store: jetstow.ObjectStore, disturb: Disturb
) -> None:
    info = await store.put("b", source_with_faults(disturb, disturb), SMALL_CHUNKS)
    assert (info.size, info.chunks) == (len(DATA), 3000)
    await check_object(fragile, "b", DATA)


@pytest.mark.one_path
async def test_put_continues_while_awaiting_the_last_chunks(
    fragile: NatsServer, proxy: Proxy, store: jetstow.ObjectStore
) -> None:
    for after in (100_000, 1_000_000, 2_500_000):
        cut = proxy.cut_after(after, "to_server")
        await store.put("b", DATA, SMALL_CHUNKS)
        await cut
        await purges_ended(store)
        await check_object(fragile, "b", DATA)


@pytest.mark.parametrize("after", [1, 60, 400, 900])
@pytest.mark.one_path
async def test_lost_reply_is_requested_again(
    fragile: NatsServer, proxy: Proxy, store: jetstow.ObjectStore, after: int
) -> None:
    """The connection is cut during the reply, so the outcome of the request is unknown."""
    for number in range(3):
        cut = proxy.cut_after(after, "to_client")
        info = await store.put("small", b"%d" % number)
        await store.update_meta("small", ObjectMeta(name="small", description="x"))
        assert (await store.get("small")).data == b"%d" % number
        assert info.revision is not None
        await cut
    await purges_ended(store)
    await check_object(fragile, "small", b"2")


@pytest.mark.one_path
async def test_writer_continues(
    fragile: NatsServer, store: jetstow.ObjectStore, disturb: Disturb
) -> None:
    async with store.open("b", "wb", SMALL_CHUNKS) as file:
        await file.write(DATA[:1_000_000])
        await disturb()
        await file.write(DATA[1_000_000:])
    await check_object(fragile, "b", DATA)


async def test_get_continues(store: jetstow.ObjectStore, disturb: Disturb, tmp_path: Path) -> None:
    found = io.BytesIO()
    disturbed = 0
    async for chunk in store.stream("a"):
        found.write(chunk)
        if found.tell() in (100_000, 2_000_000):
            disturbed += 1
            await disturb()
    assert found.getvalue() == DATA
    assert disturbed == 2
    getting = asyncio.create_task(store.get_file("a", tmp_path / "a"))
    await asyncio.sleep(0)
    await disturb()
    await getting
    assert (tmp_path / "a").read_bytes() == DATA


@pytest.mark.not_on_path("plain")
async def test_get_continues_after_a_cut_at_any_byte(
    proxy: Proxy, store: jetstow.ObjectStore
) -> None:
    for after in (1, 300, 100_000, 600_123, 2_000_000):
        cut = proxy.cut_after(after, "to_client")
        assert (await store.get("a")).data == DATA
        await cut


@pytest.mark.not_on_path("plain")
async def test_reader_continues(store: jetstow.ObjectStore, disturb: Disturb) -> None:
    async with store.open("a") as file:
        assert await file.read(10_000) == DATA[:10_000]
        await disturb()
        assert await file.read(1_000_000) == DATA[10_000:1_010_000]
        await disturb()
        await file.seek(2_000_500)
        assert await file.read(5_000) == DATA[2_000_500:2_005_500]
    await disturb()
    assert await store.get_range("a", 1_234_567, 3_000) == DATA[1_234_567:1_237_567]


@pytest.mark.not_on_path("plain")
async def test_list_continues(proxy: Proxy, store: jetstow.ObjectStore) -> None:
    names = {f"object-{number}" for number in range(200)}
    await asyncio.gather(*(store.put(name, b"") for name in names))
    for after in (50, 20_000):
        cut = proxy.cut_after(after, "to_client")
        assert {info.name for info in await store.list()} == names | {"a"}
        await cut
        cut = proxy.cut_after(after, "to_client")
        found = [info.name async for info in store.list()]
        await cut
        assert sorted(found) == sorted(names | {"a"}), "every name once"


@pytest.mark.not_on_path("plain")
async def test_watch_continues_without_loss_or_repetition(
    store: jetstow.ObjectStore, disturb: Disturb
) -> None:
    updates: list[tuple[str, int | None]] = []
    put: list[tuple[str, int | None]] = []
    async with await store.watch(updates_only=True) as watcher:
        for number in range(4):
            for each in range(3):
                info = await store.put(f"{number}-{each}", b"x")
                put.append((info.name, info.revision))
            await disturb()
        while len(updates) < len(put):
            change = await watcher.updates(timeout=20)
            assert change is not None
            updates.append((change.name, change.revision))
    assert updates == put


@pytest.mark.one_path
async def test_concurrent_transfers_continue(
    fragile: NatsServer, store: jetstow.ObjectStore, disturb: Disturb
) -> None:
    async def put_and_get(number: int) -> None:
        data = some_bytes(700_000, number)
        await store.put(f"o{number}", data, SMALL_CHUNKS if number % 2 else None)
        assert (await store.get(f"o{number}")).data == data

    async with asyncio.TaskGroup() as group:
        transfers = [group.create_task(put_and_get(number)) for number in range(12)]
        for _ in range(3):
            await disturb()
            await asyncio.wait(transfers, return_when=asyncio.FIRST_COMPLETED)
    outbound = store._bucket.api.inbox.outbound
    assert not outbound.used
    await check_no_unnamed_chunks(fragile)


async def check_no_unnamed_chunks(server: NatsServer) -> None:
    nc = await nats.connect(server.url)
    counts = await raw_stream.chunks(nc, "b")
    named = [await raw_stream.metadata(nc, "b", name) for name in await raw_stream.names(nc, "b")]
    assert counts == {each["nuid"]: each["chunks"] for each in named}
    await nc.close()


# -- limits ------------------------------------------------------------------------------


@pytest.mark.one_path
async def test_reconnect_attempts_exhausted(fragile: NatsServer) -> None:
    nc = await jetstow.connect(fragile.url, reconnect_time_wait=0.05, max_reconnect_attempts=3)
    store = await nc.jetstream().create_object_store("b")
    await store.put("a", b"old")

    async def die() -> None:
        await asyncio.to_thread(fragile.kill)

    with pytest.raises(ConnectionLostError, match="object 'a' in bucket 'b'"):
        await store.put("a", source_with_faults(die), SMALL_CHUNKS)
    with pytest.raises(ConnectionLostError):
        await store.get("a")
    assert nc.is_closed
    fragile.start()
    async with await jetstow.connect(fragile.url) as nc:
        store = await nc.jetstream().object_store("b")
        assert (await store.get("a")).data == b"old"


@pytest.mark.one_path
async def test_cancellation_while_disconnected(
    fragile: NatsServer, store: jetstow.ObjectStore, proxy: Proxy
) -> None:
    """After the reconnect, the chunks of the cancelled put are purged."""
    stopped = asyncio.Event()

    async def die() -> None:
        proxy.refuse()
        proxy.cut()
        stopped.set()
        await asyncio.Event().wait()

    put = asyncio.create_task(store.put("b", source_with_faults(die), SMALL_CHUNKS))
    deletion = asyncio.create_task(wait_and_delete(store, stopped))
    await stopped.wait()
    while store._js._nc.is_connected:
        await asyncio.sleep(0.01)
    for task in (put, deletion):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    proxy.accept()
    async with await jetstow.connect(fragile.url) as nc:
        while len(await raw_stream.chunks(nc, "b")) > 1:
            await asyncio.sleep(0.02)
    assert (await store.get("a")).data == DATA


async def wait_and_delete(store: jetstow.ObjectStore, stopped: asyncio.Event) -> None:
    await stopped.wait()
    while store._js._nc.is_connected:
        await asyncio.sleep(0.01)
    await store.delete("a")


@pytest.mark.one_path
async def test_delete_bucket_after_a_lost_reply(proxy: Proxy, store: jetstow.ObjectStore) -> None:
    """The first reply is lost, and the second one is "stream not found"."""
    cut = proxy.cut_after(1, "to_client")
    assert await store._js.delete_object_store("b")
    await cut
