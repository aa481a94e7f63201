"""Three servers, and what happens to the one that leads: nothing is lost, and all goes on."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import nats
import pytest
from nats.aio.client import Client
from nats.js.errors import ServiceUnavailableError

import jetstow
from jetstow import BucketConfig, ObjectMeta, ObjectMetaOptions
from jetstow.errors import JetstowError, ObjectDeletedError, ObjectNotFoundError
from tests.support import raw_stream
from tests.support.cluster import Cluster
from tests.support.replicas import Replicas
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

# A cluster has one way to store and to read, and elections take their time.
pytestmark = pytest.mark.not_on("consumer", "plain")

DATA = some_bytes(3_000_000)
MANY_CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=4_000))


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """One a test: a bucket made while a server comes back may stay without a copy there."""
    with Cluster() as started:
        yield started


@pytest.fixture
async def replicas(cluster: Cluster, bucket: str) -> AsyncIterator[Replicas]:
    async with await jetstow.connect(cluster.urls) as nc:
        config = BucketConfig(bucket=bucket, replicas=3)
        async with asyncio.timeout(60):
            while True:
                try:
                    await nc.jetstream().create_object_store(config=config)
                    break
                except JetstowError:
                    await asyncio.sleep(0.2)  # the cluster itself may have no leader yet
        replicas = Replicas(cluster, bucket)
        await replicas.are_current()
        yield replicas


async def opened(node: NatsServer, bucket: str) -> jetstow.ObjectStore:
    nc = await jetstow.connect(node.url, reconnect_time_wait=0.1)
    # The shorter the silence that is borne, the sooner a request that got lost is made again.
    return await nc.jetstream(timeout=2).object_store(bucket)


async def stepped_down(replicas: Replicas, _: NatsServer) -> None:
    await replicas.step_down()


async def killed(_: Replicas, leader: NatsServer) -> None:
    await asyncio.to_thread(leader.kill)


async def stopped(_: Replicas, leader: NatsServer) -> None:
    leader.pause()


Fault = Callable[[Replicas, NatsServer], Coroutine[Any, Any, None]]


class UnderWay:
    """All that goes on by two followers while something happens to the leader."""

    def __init__(self, here: jetstow.ObjectStore, there: jetstow.ObjectStore) -> None:
        self.here, self.there = here, there
        self.put_half, self.read_half, self.is_over = (asyncio.Event() for _ in range(3))
        self.written: list[tuple[str, int | None]] = []
        self.renamed = 0

    async def put(self) -> None:
        async def source() -> AsyncIterator[bytes]:
            yield DATA[:1_500_000]
            self.put_half.set()
            yield DATA[1_500_000:2_000_000]
            await self.is_over.wait()
            yield DATA[2_000_000:]

        await self.here.put("new", source(), MANY_CHUNKS)

    async def read(self) -> None:
        found = io.BytesIO()
        async for chunk in self.there.stream("old"):
            found.write(chunk)
            if found.tell() == 1_000_000:
                self.read_half.set()
                await self.is_over.wait()
        assert found.getvalue() == DATA

    async def rename(self) -> None:
        """There is one name at a time, also for those who ask another server."""
        await self.there.put("name-0", b"renamed")
        while not self.is_over.is_set():
            before, self.renamed = self.renamed, self.renamed + 1
            await self.there.update_meta(f"name-{before}", ObjectMeta(name=f"name-{self.renamed}"))
            assert (await self.here.get(f"name-{self.renamed}")).data == b"renamed"
            with pytest.raises((ObjectDeletedError, ObjectNotFoundError)):
                await self.here.get_info(f"name-{before}")

    async def write_and_read(self) -> None:
        while not self.is_over.is_set():
            name = f"small-{len(self.written)}"
            info = await self.here.put(name, name)
            self.written.append((name, info.revision))
            assert (await self.there.get(name)).data == name.encode(), "read what is acknowledged"
            await asyncio.sleep(0.01)

    async def disturb(self, fault: Fault, replicas: Replicas, leader: NatsServer) -> None:
        await self.put_half.wait()
        await self.read_half.wait()
        await fault(replicas, leader)
        await replicas.leader()
        before = len(self.written)
        while len(self.written) < before + 3:
            await asyncio.sleep(0.05)
        self.is_over.set()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("fault", [stepped_down, killed, stopped])
async def test_everything_goes_on_without_the_leader(replicas: Replicas, fault: Fault) -> None:
    """A put, a read, a watch, renames, and writes that are read elsewhere, all under way."""
    leader = await replicas.leader()
    one, other = await replicas.followers()
    here, there = await opened(one, replicas.bucket), await opened(other, replicas.bucket)
    await here.put("old", DATA, MANY_CHUNKS)
    life = UnderWay(here, there)
    async with await there.watch(updates_only=True) as watcher:
        async with asyncio.timeout(90), asyncio.TaskGroup() as group:
            for step in (life.put, life.read, life.rename, life.write_and_read):
                group.create_task(step())
            group.create_task(life.disturb(fault, replicas, leader))
        told = await told_of(watcher, "small-", len(life.written))
    assert life.renamed > 0
    assert told == life.written, "nothing missed, nothing twice, in the order of its revisions"
    for store in (here, there):
        await store._js._nc.close()
    await replicas.heal()
    await is_whole_everywhere(replicas, {"old": DATA, "new": DATA})


async def told_of(
    watcher: jetstow.ObjectWatcher, prefix: str, count: int
) -> list[tuple[str, int | None]]:
    told: list[tuple[str, int | None]] = []
    while len(told) < count:
        change = await watcher.updates(timeout=30)
        if change is not None and change.name.startswith(prefix):
            told.append((change.name, change.revision))
    return told


async def is_whole_everywhere(replicas: Replicas, objects: dict[str, bytes]) -> None:
    """By another client, through every server; and every chunk belongs to an object."""
    for node in replicas.cluster.nodes:
        async with await nats.connect(node.url) as nc, asyncio.timeout(60):
            while True:
                try:
                    await is_whole_by(nc, replicas.bucket, objects)
                    break
                except (ServiceUnavailableError, nats.errors.TimeoutError):
                    await asyncio.sleep(0.1)  # it has yet to hear who leads the cluster


async def is_whole_by(nc: Client, bucket: str, objects: dict[str, bytes]) -> None:
    store = await nc.jetstream().object_store(bucket)
    for name, data in objects.items():
        into = io.BytesIO()
        await store.get(name, writeinto=into)
        assert hashlib.sha256(into.getvalue()).digest() == hashlib.sha256(data).digest()
    names = await raw_stream.names(nc, bucket)
    named = [await raw_stream.metadata(nc, bucket, name) for name in names]
    expected = {each["nuid"]: each["chunks"] for each in named if each.get("chunks")}
    assert await raw_stream.chunks(nc, bucket) == expected


@pytest.mark.timeout(120)
async def test_the_server_that_one_is_connected_to_dies(replicas: Replicas) -> None:
    """It leads the bucket as well: the connection goes elsewhere, and the transfer with it."""
    leader = await replicas.leader()
    urls = [leader.url, *(node.url for node in await replicas.followers())]
    async with await jetstow.connect(urls, dont_randomize=True, reconnect_time_wait=0.1) as nc:
        assert nc.connected_url is not None
        assert nc.connected_url.port == leader.port
        store = await nc.jetstream().object_store(replicas.bucket)

        async def source() -> AsyncIterator[bytes]:
            yield DATA[:2_000_000]
            await asyncio.to_thread(leader.kill)
            yield DATA[2_000_000:]

        await store.put("a", source(), MANY_CHUNKS)
        assert (await store.get("a")).data == DATA
    await replicas.heal()
    await is_whole_everywhere(replicas, {"a": DATA})


@pytest.mark.timeout(120)
async def test_a_disk_is_wiped_and_filled_again(replicas: Replicas) -> None:
    leader, (follower, _) = await replicas.leader(), await replicas.followers()
    store = await opened(leader, replicas.bucket)
    await store.put("before", DATA, MANY_CHUNKS)
    wiping = asyncio.create_task(replicas.wipe(follower))
    await store.put("meanwhile", DATA, MANY_CHUNKS)
    await wiping
    async with await jetstow.connect(follower.url) as nc:
        # It may have nothing of it yet, and is asked all the same.
        through = await nc.jetstream().object_store(replicas.bucket)
        for name in ("before", "meanwhile"):
            assert (await through.get(name)).data == DATA
    await store._js._nc.close()
    await replicas.are_current()
    await is_whole_everywhere(replicas, {"before": DATA, "meanwhile": DATA})
