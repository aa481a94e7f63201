"""A cluster of three servers with a lagging replica: reads through it return the last write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass

import pytest

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import JetstowError
from tests.support.cluster import Cluster
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

MANY_CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10_000))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster() as started:
        yield started


@dataclass
class Lagging:
    """A bucket that is written through its leader and read through a lagging server."""

    writer: jetstow.ObjectStore
    reader: jetstow.ObjectStore
    node: NatsServer

    async def write(self, data: bytes) -> jetstow.ObjectInfo:
        """Put while the reader's server is paused. It has to catch up afterwards."""
        self.node.pause()
        try:
            return await self.writer.put("a", data, MANY_CHUNKS)
        finally:
            self.node.resume()


@pytest.fixture
async def lagging(cluster: Cluster) -> AsyncIterator[Lagging]:
    nc = await jetstow.connect(cluster.urls)
    name = await created(nc)
    leader = next(node for node in cluster.nodes if node.name == name)
    behind = next(node for node in cluster.nodes if node.name != name)
    writing, reading = await jetstow.connect(leader.url), await jetstow.connect(behind.url)
    yield Lagging(
        await writing.jetstream().object_store("b"),
        await reading.jetstream().object_store("b"),
        behind,
    )
    await nc.jetstream().delete_object_store("b")
    for connection in (nc, writing, reading):
        await connection.close()


async def created(nc: jetstow.Client) -> str:
    """Create the bucket as soon as the cluster can, and return the name of its leader."""
    while True:
        try:
            store = await nc.jetstream().create_object_store("b", replicas=3)
        except JetstowError:
            await asyncio.sleep(0.05)
            continue
        cluster = (await store.status()).stream_info.cluster
        if cluster is not None and cluster.leader:
            return str(cluster.leader)


async def whole(store: jetstow.ObjectStore, start: int, stop: int) -> bytes:
    return (await store.get("a")).data[start:stop]


async def ranged(store: jetstow.ObjectStore, start: int, stop: int) -> bytes:
    return await store.get_range("a", start, stop - start)


async def opened(store: jetstow.ObjectStore, start: int, stop: int) -> bytes:
    async with store.open("a") as file:
        await file.seek(start)
        return await file.read(stop - start)


@pytest.mark.parametrize("read", [whole, ranged, opened])
async def test_read_after_write_through_a_lagging_replica(
    lagging: Lagging, read: Callable[[jetstow.ObjectStore, int, int], Awaitable[bytes]]
) -> None:
    """A replica without all chunks counts them wrongly from the end. A range search then looked in
    the wrong place and reported lost chunks."""
    for seed in range(8):
        data = some_bytes(2_000_000, seed)
        await lagging.write(data)
        assert await read(lagging.reader, 1_234_567, 1_300_000) == data[1_234_567:1_300_000]


async def test_list_after_write_through_a_lagging_replica(lagging: Lagging) -> None:
    for seed in range(5):
        written = await lagging.write(some_bytes(200_000, seed))
        assert [info.revision for info in await lagging.reader.list()] == [written.revision]
        assert (await lagging.reader.get_info("a")).revision == written.revision


async def test_page_after_write_through_a_lagging_replica(lagging: Lagging) -> None:
    """The consumer of the index may be on the replica that lags: the page waits for it."""
    async with lagging.reader.index() as index:
        for seed in range(5):
            written = await lagging.write(some_bytes(200_000, seed))
            assert [entry.revision for entry in (await index.page()).entries] == [written.revision]
