"""Something goes wrong in the middle of a batch: one error, as without batches, and no chunk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow._core import ingest
from jetstow._core.batch import Batch
from jetstow.errors import (
    BucketFullError,
    BucketNotFoundError,
    BucketSealedError,
    ConnectionLostError,
    InvalidOptionError,
    JetStreamUnavailableError,
    TimeoutError,
)
from tests.support import underneath
from tests.support.cluster import Cluster
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

DATA = some_bytes(3_000_000)
SMALL_CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10_000))

pytestmark = pytest.mark.not_on("windowed")


@pytest.fixture(autouse=True)
def batches(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Batch]]:
    """The batches that uploads begin: there is one in every test."""
    found: list[Batch] = []

    def noted(*args: object) -> Batch:
        found.append(Batch(*args))  # type: ignore[arg-type]
        return found[-1]

    monkeypatch.setattr(ingest, "Batch", noted)
    yield found
    assert found, "no upload got as far as a batch"


async def source(disturb: Callable[[], Awaitable[object]]) -> AsyncIterator[bytes]:
    yield DATA
    await disturb()
    yield DATA


@pytest.fixture
async def fragile_store(fragile: NatsServer) -> AsyncIterator[jetstow.ObjectStore]:
    async with await jetstow.connect(
        fragile.url, max_reconnect_attempts=1, reconnect_time_wait=0.1, drain_timeout=1
    ) as nc:
        yield await nc.jetstream(timeout=2).create_object_store("b")


async def test_the_server_dies(fragile: NatsServer, fragile_store: jetstow.ObjectStore) -> None:
    async def die() -> None:
        fragile.kill()

    with pytest.raises(ConnectionLostError) as caught:
        await fragile_store.put("a", source(die), SMALL_CHUNKS)
    assert (caught.value.bucket, caught.value.name) == ("b", "a")


async def test_the_server_falls_silent(
    fragile: NatsServer, fragile_store: jetstow.ObjectStore
) -> None:
    async def fall_silent() -> None:
        fragile.pause()

    with pytest.raises(TimeoutError, match="did not answer") as caught:
        await fragile_store.put("a", source(fall_silent), SMALL_CHUNKS)
    assert (caught.value.bucket, caught.value.name) == ("b", "a")
    fragile.resume()
    await fragile_store.put("a", DATA, SMALL_CHUNKS)
    assert (await fragile_store.get("a")).data == DATA, "on the same connection"


async def test_the_bucket_is_sealed(store: jetstow.ObjectStore, raw: Client) -> None:
    with pytest.raises(BucketSealedError, match="sealed") as caught:
        await store.put("a", source(store.seal), SMALL_CHUNKS)
    assert (caught.value.bucket, caught.value.name) == (store.bucket, "a")
    assert await underneath.names(raw, store.bucket) == {}


@pytest.mark.parametrize("room", [1_000_000, 4_000_000], ids=["soon", "late"])
async def test_the_bucket_is_full(
    js: jetstow.JetStreamContext, bucket: str, raw: Client, room: int
) -> None:
    store = await js.create_object_store(bucket, max_bytes=room)
    await store.put("a", b"old")
    before = await underneath.subjects(raw, bucket)

    async def nothing() -> None:
        """Nobody disturbs: there is just too much."""

    with pytest.raises(BucketFullError, match="no room") as caught:
        await store.put("a", source(nothing), SMALL_CHUNKS)
    assert (caught.value.bucket, caught.value.name) == (bucket, "a")
    assert await underneath.subjects(raw, bucket) == before
    assert (await store.get("a")).data == b"old"
    assert not store._bucket.js.replies.outbound._used
    await js.delete_object_store(bucket)


async def test_the_bucket_is_deleted(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore
) -> None:
    async def delete() -> None:
        await js.delete_object_store(store.bucket)

    with pytest.raises(BucketNotFoundError) as caught:
        await store.put("a", source(delete), SMALL_CHUNKS)
    assert caught.value.bucket == store.bucket


async def test_two_writers_on_one_name(
    server: NatsServer, store: jetstow.ObjectStore, raw: Client
) -> None:
    async with await jetstow.connect(server.url) as other_nc:
        other = await other_nc.jetstream().object_store(store.bucket)
        for turn in range(10):
            mine, theirs = some_bytes(750_000, 2 * turn), some_bytes(650_000, 2 * turn + 1)
            await asyncio.gather(
                store.put("a", mine, SMALL_CHUNKS), other.put("a", theirs, SMALL_CHUNKS)
            )
            result = await store.get("a")
            assert result.data in {mine, theirs}
            stored = {result.info.nuid: result.info.chunks}
            assert await underneath.chunks(raw, store.bucket) == stored


async def created(js: jetstow.JetStreamContext, bucket: str, **options: int) -> jetstow.ObjectStore:
    """A bucket with replicas; a busy cluster at times takes its own servers for offline."""
    while True:
        with suppress(InvalidOptionError, TimeoutError, JetStreamUnavailableError):
            return await js.create_object_store(bucket, replicas=3, **options)
        await asyncio.sleep(0.1)


@pytest.mark.not_on("consumer")
async def test_three_replicas(batches: list[Batch]) -> None:
    """There the end is answered elsewhere, and the pace is another."""
    with Cluster() as cluster:
        async with await jetstow.connect(cluster.urls) as nc:
            js = nc.jetstream()
            store = await created(js, "b")
            objects = {f"object-{n}": some_bytes(1_500_000, n) for n in range(8)}
            await asyncio.gather(
                *(store.put(name, data, SMALL_CHUNKS) for name, data in objects.items())
            )
            for name, data in objects.items():
                assert (await store.get(name)).data == data
            full = await created(js, "full", max_bytes=1_000_000)
            with pytest.raises(BucketFullError):
                await full.put("a", DATA, SMALL_CHUNKS)
            assert await underneath.subjects(nc, "full") == {}
