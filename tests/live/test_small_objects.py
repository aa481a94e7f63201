"""Small objects: one chunk without a window, guessed revisions, and reads in one round trip."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow._core.bucket.name_cache import KnownName, NameCache
from jetstow._core.transport.fast_path import FastPath
from jetstow.errors import (
    ConnectionLostError,
    DigestMismatchError,
    ObjectAlreadyExists,
    ObjectDeletedError,
    ObjectNotFoundError,
    RevisionMismatchError,
)
from tests.support import object_builder, raw_stream
from tests.support.proxy import Proxy
from tests.support.purges import purges_ended
from tests.support.round_trips import RoundTripCounter
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

SMALL_CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=100))


@pytest.fixture
async def other_store(
    server: NatsServer, store: jetstow.ObjectStore
) -> AsyncIterator[jetstow.ObjectStore]:
    """The same bucket on another connection."""
    nc = await jetstow.connect(server.url)
    yield await nc.jetstream().object_store(store.bucket)
    await nc.close()


async def chunks(raw: Client, store: jetstow.ObjectStore) -> dict[str, int]:
    await purges_ended(store)
    return await raw_stream.chunks(raw, store.bucket)


# -- put -------------------------------------------------------------------------------------


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> RoundTripCounter:
    """Counts the round trips of the connections that the test opens: `other_store`."""
    return RoundTripCounter(monkeypatch)


async def test_round_trips_of_a_put(
    counter: RoundTripCounter, other_store: jetstow.ObjectStore
) -> None:
    """It asked for the revision of the name before."""
    store = other_store
    await store.put("warm", b"x")
    store._bucket.times._paused = 1_000  # the time is not requested early, which is a race
    counter.reset()
    await store.put("new", b"x")
    # Two round trips if the time arrives together with the acknowledgement.
    assert counter.count <= 3
    assert counter.requests == 3, "the chunk, the metadata, and its time"
    counter.reset()
    await store.put("new", b"y")
    assert counter.requests - counter.count <= 1, "the purge is not awaited"
    counter.reset()
    assert (await store.put("undated", b"x", dated=False)).modified is None
    assert counter.requests == 2


@pytest.mark.not_on_path("plain")
async def test_messages_of_concurrent_puts_are_sent_together(
    server: NatsServer, store: jetstow.ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A put alone sends each message at once, those of many puts share system calls."""
    sent: list[int] = []
    flush = FastPath.flush

    def counted_flush(fast_path: FastPath) -> None:
        if fast_path._outgoing:
            sent.append(len(fast_path._outgoing))
        flush(fast_path)

    nc = await jetstow.connect(server.url)
    other = await nc.jetstream().object_store(store.bucket)
    await other.put("warm", b"x")
    monkeypatch.setattr(FastPath, "flush", counted_flush)
    await other.put("alone", b"x")
    assert sent[:2] == [1, 1]
    sent.clear()
    await asyncio.gather(*(other.put(f"{number}", b"x") for number in range(64)))
    assert sum(sent) >= 128
    assert len(sent) < 64
    await nc.close()


async def test_put_after_another_client(
    store: jetstow.ObjectStore, other_store: jetstow.ObjectStore, raw: Client
) -> None:
    """The revision that this client saw last is outdated."""
    await store.put("a", b"one")
    await other_store.put("a", b"two")
    assert await chunks(raw, other_store) != {}
    three = await store.put("a", b"three")
    assert (await other_store.get("a")).data == b"three"
    assert await chunks(raw, store) == {three.nuid: 1}
    assert three == await other_store.get_info("a")


async def test_put_of_names_that_other_clients_wrote(
    store: jetstow.ObjectStore, other_store: jetstow.ObjectStore, raw: Client
) -> None:
    """After the first wrong guess, the next puts ask for the revision along with their chunk."""
    for name in "abc":
        await other_store.put(name, b"old")
    names = store._bucket.names
    assert not names.must_ask
    infos = [await store.put(name, b"new") for name in "abc"]
    assert names.must_ask
    assert await chunks(raw, store) == {info.nuid: 1 for info in infos}
    for number in range(40):
        await store.put(f"new {number}", b"x")
    assert not names.must_ask


async def test_put_after_a_deletion(
    store: jetstow.ObjectStore, other_store: jetstow.ObjectStore
) -> None:
    await store.put("a", b"one")
    await store.delete("a")
    assert (await store.put("a", b"two")).revision == (await store.get_info("a")).revision
    await other_store.delete("a")
    await store.put("a", b"three")
    assert (await store.get("a")).data == b"three"
    await raw_purge(store, "a")
    await store.put("a", b"four")
    assert (await store.get("a")).data == b"four"


async def raw_purge(store: jetstow.ObjectStore, name: str) -> None:
    """Remove the metadata of a name, as a max age does."""
    context = store._bucket.error_context(name)
    await store._bucket.purge(context, raw_stream.meta_subject(store.bucket, name))


async def test_put_over_a_renamed_object(
    store: jetstow.ObjectStore, other_store: jetstow.ObjectStore, raw: Client
) -> None:
    """Its metadata names another name with the same chunks, which a guess does not skip."""
    await store.put("a", b"data")
    renamed = await store.rename("a", "b")
    known = store._bucket.names.get("b")
    assert known is not None
    assert known.has_extra
    new = await store.put("b", b"new")
    assert await chunks(raw, store) == {new.nuid: 1}
    assert new.nuid != renamed.nuid
    assert (await other_store.get("b")).data == b"new"


async def test_put_that_is_to_create(
    store: jetstow.ObjectStore, other_store: jetstow.ObjectStore
) -> None:
    await other_store.put("a", b"one")
    with pytest.raises(ObjectAlreadyExists):
        await store.put("a", b"two", expected_revision=0)
    assert (await store.get("a")).data == b"one"


async def test_concurrent_puts_of_one_name(
    store: jetstow.ObjectStore, other_store: jetstow.ObjectStore, raw: Client
) -> None:
    stores = [store, other_store] * 10
    infos = await asyncio.gather(
        *(each.put("a", f"{number}".encode()) for number, each in enumerate(stores))
    )
    await purges_ended(other_store)
    current = await store.get_info("a")
    assert await chunks(raw, store) == {current.nuid: 1}
    assert len({info.revision for info in infos}) == 20
    assert current in infos


async def test_put_in_a_recreated_bucket(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, raw: Client
) -> None:
    """The revisions that this client saw are those of the former bucket."""
    await store.put("a", b"one")
    await store.put("b", b"one")
    await js.delete_object_store(store.bucket)
    await js.create_object_store(store.bucket)
    info = await store.put("a", b"two")
    assert await chunks(raw, store) == {info.nuid: 1}
    await store.status()
    assert store._bucket.names.get("b") is None


@pytest.mark.parametrize("step", range(0, 60, 3))
async def test_cancelled_put(store: jetstow.ObjectStore, raw: Client, step: int) -> None:
    """It takes effect before the object exists, or after the old chunks are purged."""
    old = await store.put("a", b"old")
    put = asyncio.create_task(store.put("a", b"new"))
    for _ in range(step):
        await asyncio.sleep(0)
    put.cancel()
    await asyncio.wait([put])
    info = await store.get_info("a")
    assert put.cancelled() or put.result() == info
    assert (await store.get("a")).data == (b"old" if info.nuid == old.nuid else b"new")
    assert await chunks(raw, store) == {info.nuid: 1}
    assert store._bucket.api.inbox.outbound.used == 0


@pytest.mark.parametrize("lost", range(1, 1_500, 130))
async def test_put_over_a_broken_connection(
    server: NatsServer, store: jetstow.ObjectStore, raw: Client, lost: int
) -> None:
    async with Proxy(server.port) as proxy:
        nc = await jetstow.connect(proxy.url, reconnect_time_wait=0.01, max_reconnect_attempts=-1)
        delayed = await nc.jetstream().object_store(store.bucket)
        await delayed.put("a", b"old")
        proxy.cut_after(lost, "to_server" if lost % 2 else "to_client")
        for number in range(3):
            await delayed.put("a", bytes(500) + bytes([number]))
        proxy.cancel_cut()
        await purges_ended(delayed)
        info = await store.get_info("a")
        assert (await store.get("a")).data == bytes(500) + bytes([2])
        assert await chunks(raw, store) == {info.nuid: 1}
        await nc.close()


async def test_put_on_a_closed_connection(server: NatsServer, store: jetstow.ObjectStore) -> None:
    nc = await jetstow.connect(server.url)
    closed = await nc.jetstream().object_store(store.bucket)
    await nc.close()
    with pytest.raises(ConnectionLostError):
        await closed.put("a", b"data")


# -- get -------------------------------------------------------------------------------------


@pytest.mark.min_server("2.11.0")
@pytest.mark.not_on_path("consumer", "plain")
async def test_round_trips_of_a_get(
    store: jetstow.ObjectStore, counter: RoundTripCounter, other_store: jetstow.ObjectStore
) -> None:
    await store.put("a", b"one")
    await other_store.put("b", b"two")
    counter.reset()
    assert (await other_store.get("b")).data == b"two"
    assert (counter.count, counter.requests) == (1, 2)
    counter.reset()
    assert (await other_store.get("a")).data == b"one"
    assert (counter.count, counter.requests) == (2, 2), "the name is not known"
    counter.reset()
    assert (await other_store.get("a")).data == b"one"
    assert counter.count == 1


@pytest.mark.min_server("2.11.0")
@pytest.mark.not_on_path("consumer", "plain")
async def test_round_trips_of_an_open_with_prefetch(
    counter: RoundTripCounter, other_store: jetstow.ObjectStore
) -> None:
    """A response with a small object took two round trips: one for its metadata."""
    await other_store.put("a", b"one")
    counter.reset()
    async with other_store.open("a", prefetch=True) as file:
        assert counter.count == 1
        counter.reset()
        assert await file.read() == b"one"
        assert await file.read_at(1, 1) == b"n"
        assert [piece async for piece in file.stream(2)] == [b"e"]
        assert counter.requests == 0


@pytest.mark.parametrize("is_encrypted", [False, True])
async def test_open_with_prefetch(store: jetstow.ObjectStore, is_encrypted: bool) -> None:
    """Sizes around one chunk, several chunks, and more than is prefetched."""
    view = store.encrypted(bytes(32)) if is_encrypted else store
    chunks = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=1_024))
    for size in (0, 1, 1_024, 1_025, 5_000, 131_073):
        data = some_bytes(size)
        info = await view.put("a", data, chunks if size < 10_000 else None)
        for start in {0, size // 2, size}:
            async with view.open("a", prefetch=True) as file:
                assert file.info == info
                assert b"".join([piece async for piece in file.stream(start)]) == data[start:]
    with pytest.raises(RevisionMismatchError):
        await view.open("a", expected_revision=1, prefetch=True)
    with pytest.raises(ObjectNotFoundError):
        await view.open("missing", prefetch=True)


async def test_get_after_a_replacement(
    store: jetstow.ObjectStore, other_store: jetstow.ObjectStore
) -> None:
    """The chunks that were requested with the metadata are not those of the object."""
    await store.put("a", b"one")
    await other_store.put("a", b"another")
    assert (await store.get("a")).data == b"another"
    assert store._bucket.api.inbox.inbound.used == 0


async def test_get_after_a_delete_or_rename(
    store: jetstow.ObjectStore, other_store: jetstow.ObjectStore
) -> None:
    await store.put("a", b"one")
    await other_store.delete("a")
    with pytest.raises(ObjectDeletedError):
        await store.get("a")
    assert (await store.get("a", show_deleted=True)).data == b""
    await other_store.put("b", b"two")
    await store.get("b")
    await other_store.update_meta("b", ObjectMeta(name="c"))
    with pytest.raises(ObjectNotFoundError):
        await store.get("b")
    assert store._bucket.api.inbox.inbound.used == 0


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 1_501, 1_601, 131_073])
async def test_get_of_any_size(store: jetstow.ObjectStore, size: int) -> None:
    data = some_bytes(size)
    await store.put("a", data, SMALL_CHUNKS if size < 2_000 else None)
    for _ in range(2):
        assert (await store.get("a")).data == data
        assert b"".join([piece async for piece in store.stream("a")]) == data


async def test_get_of_damaged_chunks(store: jetstow.ObjectStore, raw: Client) -> None:
    """A small object is verified like a large one, and its chunks are counted."""
    info = await store.put("a", b"good")
    await object_builder.write_object(raw, store.bucket, "a", [b"evil"], digest=info.digest)
    for _ in range(2):
        with pytest.raises(DigestMismatchError):
            await store.get("a")


# -- the names that a client remembers ---------------------------------------------------------


def test_remembered_names_are_bounded() -> None:
    cache = NameCache()
    for i in range(5_000):
        info = jetstow.ObjectInfo(name=str(i), bucket="b", nuid="n", size=1, chunks=1, revision=i)
        cache.remember(info)
    assert cache.get("0") is None
    assert cache.get("4999") == KnownName(4999, "n", 1, 1)
    assert len(cache._names) == 4_096


def test_asking_after_wrong_guesses() -> None:
    cache = NameCache()
    cache.check("a", 0)
    assert not cache.must_ask
    cache.check("a", 7)
    asked = 0
    while cache.must_ask:
        cache.check("a", 0)
        asked += 1
    assert asked == 16
