"""A connection that drops and comes back costs a transfer some time, and nothing else."""

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
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

# Which way the chunks go is a parameter of the tests themselves.

DATA = some_bytes(3_000_000)
SMALL_CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=1000))

Disturb = Callable[[], Coroutine[Any, Any, None]]


@pytest.fixture
async def way(fragile: NatsServer) -> AsyncIterator[Proxy]:
    async with Proxy(fragile.port) as proxy:
        yield proxy


@pytest.fixture
async def store(way: Proxy) -> AsyncIterator[jetstow.ObjectStore]:
    nc = await jetstow.connect(way.url, reconnect_time_wait=0.05, max_reconnect_attempts=200)
    store = await nc.jetstream().create_object_store("b")
    await store.put("a", DATA, SMALL_CHUNKS)
    yield store
    await nc.close()


@pytest.fixture(params=["cut", "killed"])
def disturb(request: pytest.FixtureRequest, way: Proxy, fragile: NatsServer) -> Disturb:
    """The connection is cut; or the server dies in the middle of things, and starts again."""

    async def cut() -> None:
        way.cut()

    async def kill() -> None:
        await asyncio.to_thread(fragile.restart, kill=True)

    return cut if request.param == "cut" else kill


async def is_whole(server: NatsServer, name: str, data: bytes) -> None:
    """By another client, and nothing else is in the bucket but the two objects."""
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


async def in_pieces(*disturb: Disturb) -> AsyncIterator[bytes]:
    """A source that can be read once, with something happening after each of its parts."""
    size = len(DATA) // (len(disturb) + 1) + 1
    for number, start in enumerate(range(0, len(DATA), size)):
        reused = bytearray(DATA[start : start + size])
        yield reused
        reused[:] = bytes(len(reused))  # the source's memory is the source's
        if number < len(disturb):
            await disturb[number]()


@pytest.mark.not_on("consumer")
async def test_a_put_goes_on(
    fragile: NatsServer, store: jetstow.ObjectStore, disturb: Disturb
) -> None:
    info = await store.put("b", in_pieces(disturb, disturb), SMALL_CHUNKS)
    assert (info.size, info.chunks) == (len(DATA), 3000)
    await is_whole(fragile, "b", DATA)


@pytest.mark.not_on("consumer", "plain")
async def test_a_put_that_waits_for_its_last_chunks_goes_on(
    fragile: NatsServer, way: Proxy, store: jetstow.ObjectStore
) -> None:
    for after in (100_000, 1_000_000, 2_500_000):
        cut = way.cut_after(after, "to_server")
        await store.put("b", DATA, SMALL_CHUNKS)
        await cut
        await is_whole(fragile, "b", DATA)


@pytest.mark.parametrize("after", [1, 60, 400, 900])
@pytest.mark.not_on("consumer", "plain")
async def test_a_lost_answer_is_asked_for_again(
    fragile: NatsServer, way: Proxy, store: jetstow.ObjectStore, after: int
) -> None:
    """Cut while the server answers: nobody knows what it has done, and it all comes out right."""
    for number in range(3):
        cut = way.cut_after(after, "to_client")
        info = await store.put("small", b"%d" % number)
        await store.update_meta("small", ObjectMeta(name="small", description="x"))
        assert (await store.get("small")).data == b"%d" % number
        assert info.revision is not None
        await cut
    await is_whole(fragile, "small", b"2")


@pytest.mark.not_on("consumer", "plain")
async def test_a_writer_goes_on(
    fragile: NatsServer, store: jetstow.ObjectStore, disturb: Disturb
) -> None:
    async with store.open("b", "wb", SMALL_CHUNKS) as file:
        await file.write(DATA[:1_000_000])
        await disturb()
        await file.write(DATA[1_000_000:])
    await is_whole(fragile, "b", DATA)


async def test_a_get_goes_on(store: jetstow.ObjectStore, disturb: Disturb, tmp_path: Path) -> None:
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


@pytest.mark.not_on("plain")
async def test_a_get_is_cut_anywhere(way: Proxy, store: jetstow.ObjectStore) -> None:
    for after in (1, 300, 100_000, 600_123, 2_000_000):
        cut = way.cut_after(after, "to_client")
        assert (await store.get("a")).data == DATA
        await cut


@pytest.mark.not_on("plain")
async def test_a_reader_goes_on(store: jetstow.ObjectStore, disturb: Disturb) -> None:
    async with store.open("a") as file:
        assert await file.read(10_000) == DATA[:10_000]
        await disturb()
        assert await file.read(1_000_000) == DATA[10_000:1_010_000]
        await disturb()
        await file.seek(2_000_500)
        assert await file.read(5_000) == DATA[2_000_500:2_005_500]
    await disturb()
    assert await store.get_range("a", 1_234_567, 3_000) == DATA[1_234_567:1_237_567]


@pytest.mark.not_on("plain")
async def test_a_listing_goes_on(way: Proxy, store: jetstow.ObjectStore) -> None:
    names = {f"object-{number}" for number in range(200)}
    await asyncio.gather(*(store.put(name, b"") for name in names))
    for after in (50, 20_000):
        cut = way.cut_after(after, "to_client")
        assert {info.name for info in await store.list()} == names | {"a"}
        await cut
        cut = way.cut_after(after, "to_client")
        found = [info.name async for info in store.list()]
        await cut
        assert sorted(found) == sorted(names | {"a"}), "each of them once"


@pytest.mark.not_on("plain")
async def test_a_watcher_misses_nothing_and_repeats_nothing(
    store: jetstow.ObjectStore, disturb: Disturb
) -> None:
    told: list[tuple[str, int | None]] = []
    put: list[tuple[str, int | None]] = []
    async with await store.watch(updates_only=True) as watcher:
        for number in range(4):
            for each in range(3):
                info = await store.put(f"{number}-{each}", b"x")
                put.append((info.name, info.revision))
            await disturb()
        while len(told) < len(put):
            change = await watcher.updates(timeout=20)
            assert change is not None
            told.append((change.name, change.revision))
    assert told == put


@pytest.mark.not_on("consumer", "plain")
async def test_many_transfers_at_once_go_on(
    fragile: NatsServer, store: jetstow.ObjectStore, disturb: Disturb
) -> None:
    async def there_and_back(number: int) -> None:
        data = some_bytes(700_000, number)
        await store.put(f"o{number}", data, SMALL_CHUNKS if number % 2 else None)
        assert (await store.get(f"o{number}")).data == data

    async with asyncio.TaskGroup() as group:
        transfers = [group.create_task(there_and_back(number)) for number in range(12)]
        for _ in range(3):
            await disturb()
            await asyncio.wait(transfers, return_when=asyncio.FIRST_COMPLETED)
    outbound = store._bucket.api.inbox.outbound
    assert not outbound._used
    await is_whole_bucket(fragile)


async def is_whole_bucket(server: NatsServer) -> None:
    nc = await nats.connect(server.url)
    counts = await raw_stream.chunks(nc, "b")
    named = [await raw_stream.metadata(nc, "b", name) for name in await raw_stream.names(nc, "b")]
    assert counts == {each["nuid"]: each["chunks"] for each in named}
    await nc.close()


# -- where it ends -------------------------------------------------------------------------


@pytest.mark.not_on("consumer", "plain")
async def test_past_the_limits_there_is_one_error_and_the_old_object(fragile: NatsServer) -> None:
    nc = await jetstow.connect(fragile.url, reconnect_time_wait=0.05, max_reconnect_attempts=3)
    store = await nc.jetstream().create_object_store("b")
    await store.put("a", b"old")

    async def die() -> None:
        await asyncio.to_thread(fragile.kill)

    with pytest.raises(ConnectionLostError, match="object 'a' in bucket 'b'"):
        await store.put("a", in_pieces(die), SMALL_CHUNKS)
    with pytest.raises(ConnectionLostError):
        await store.get("a")
    assert nc.is_closed
    fragile.start()
    async with await jetstow.connect(fragile.url) as nc:
        store = await nc.jetstream().object_store("b")
        assert (await store.get("a")).data == b"old"


@pytest.mark.not_on("consumer", "plain")
async def test_who_cancels_does_not_wait_for_the_server(
    fragile: NatsServer, store: jetstow.ObjectStore, way: Proxy
) -> None:
    """And once it is back, the chunks are dropped that nobody wants any more."""
    stopped = asyncio.Event()

    async def die() -> None:
        way.refuse()
        way.cut()
        stopped.set()
        await asyncio.Event().wait()

    put = asyncio.create_task(store.put("b", in_pieces(die), SMALL_CHUNKS))
    deletion = asyncio.create_task(wait_and_delete(store, stopped))
    await stopped.wait()
    while store._js._nc.is_connected:
        await asyncio.sleep(0.01)
    for task in (put, deletion):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    way.accept()
    async with await jetstow.connect(fragile.url) as nc:
        while len(await raw_stream.chunks(nc, "b")) > 1:
            await asyncio.sleep(0.02)
    assert (await store.get("a")).data == DATA


async def wait_and_delete(store: jetstow.ObjectStore, stopped: asyncio.Event) -> None:
    await stopped.wait()
    while store._js._nc.is_connected:
        await asyncio.sleep(0.01)
    await store.delete("a")


@pytest.mark.not_on("consumer", "plain")
async def test_a_bucket_deleted_twice_is_deleted(way: Proxy, store: jetstow.ObjectStore) -> None:
    """The first answer is lost, and the second one says that there is no such bucket."""
    cut = way.cut_after(1, "to_client")
    assert await store._js.delete_object_store("b")
    await cut
