"""A cluster of three servers that loses the leader: operations continue and lose nothing."""

from __future__ import annotations

import asyncio
import hashlib
import io
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import nats
import pytest
from nats.aio.client import Client
from nats.js.errors import DigestMismatchError, ServiceUnavailableError

import jetstow
from jetstow import BucketConfig, ObjectMeta, ObjectMetaOptions
from jetstow.errors import JetstowError, ObjectDeletedError, ObjectNotFoundError
from tests.support import raw_stream
from tests.support.cluster import Cluster
from tests.support.replicas import Replicas
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

# Elections take time: one path is enough.
# A replica may need several attempts to catch up (`replicas.TIMEOUT`).
pytestmark = [pytest.mark.one_path, pytest.mark.timeout(240)]

DATA = some_bytes(3_000_000)
MANY_CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=4_000))


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A cluster for each test: a bucket created while a server starts may lack a replica there."""
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
        await replicas.wait_until_current()
        yield replicas


async def opened(node: NatsServer, bucket: str) -> jetstow.ObjectStore:
    nc = await jetstow.connect(node.url, reconnect_time_wait=0.1, max_reconnect_attempts=-1)
    # A short timeout: a lost request is sent again soon.
    return await nc.jetstream(timeout=2).object_store(bucket)


async def stepped_down(replicas: Replicas, _: NatsServer) -> None:
    await replicas.step_down()


async def killed(_: Replicas, leader: NatsServer) -> None:
    await asyncio.to_thread(leader.kill)


async def stopped(_: Replicas, leader: NatsServer) -> None:
    leader.pause()


Fault = Callable[[Replicas, NatsServer], Coroutine[Any, Any, None]]


class Activity:
    """Concurrent operations through two followers during a fault of the leader."""

    def __init__(self, first: jetstow.ObjectStore, second: jetstow.ObjectStore) -> None:
        self.first, self.second = first, second
        self.put_half, self.read_half, self.ended = (asyncio.Event() for _ in range(3))
        self.written: list[tuple[str, int | None]] = []
        self.renamed = 0

    async def put(self) -> None:
        async def source() -> AsyncIterator[bytes]:
            yield DATA[:1_500_000]
            self.put_half.set()
            yield DATA[1_500_000:2_000_000]
            await self.ended.wait()
            yield DATA[2_000_000:]

        await self.first.put("new", source(), MANY_CHUNKS)

    async def read(self) -> None:
        found = io.BytesIO()
        async for chunk in self.second.stream("old"):
            found.write(chunk)
            if found.tell() == 1_000_000:
                self.read_half.set()
                await self.ended.wait()
        assert found.getvalue() == DATA

    async def rename(self) -> None:
        """Rename repeatedly; the other server must never have both names, or neither."""
        await self.second.put("name-0", b"renamed")
        while not (self.ended.is_set() and self.renamed):
            before, self.renamed = self.renamed, self.renamed + 1
            await self.second.update_meta(f"name-{before}", ObjectMeta(name=f"name-{self.renamed}"))
            assert (await self.first.get(f"name-{self.renamed}")).data == b"renamed"
            with pytest.raises((ObjectDeletedError, ObjectNotFoundError)):
                await self.first.get_info(f"name-{before}")

    async def write_and_read(self) -> None:
        while not self.ended.is_set():
            name = f"small-{len(self.written)}"
            info = await self.first.put(name, name)
            self.written.append((name, info.revision))
            assert (await self.second.get(name)).data == name.encode(), (
                "acknowledged objects can be read"
            )
            await asyncio.sleep(0.01)

    async def disturb(self, fault: Fault, replicas: Replicas, leader: NatsServer) -> None:
        await self.put_half.wait()
        await self.read_half.wait()
        await fault(replicas, leader)
        await replicas.leader()
        before = len(self.written)
        while len(self.written) < before + 3:
            await asyncio.sleep(0.05)
        self.ended.set()


@pytest.mark.parametrize(
    "fault",
    [killed, *(pytest.param(each, marks=pytest.mark.slow) for each in (stepped_down, stopped))],
)
async def test_operations_continue_after_leader_loss(replicas: Replicas, fault: Fault) -> None:
    """A put, a read, a watch, renames, and writes that another server reads."""
    leader = await replicas.leader()
    one, other = await replicas.followers()
    first, second = await opened(one, replicas.bucket), await opened(other, replicas.bucket)
    await first.put("old", DATA, MANY_CHUNKS)
    activity = Activity(first, second)
    async with await second.watch(updates_only=True) as watcher:
        async with asyncio.timeout(90), asyncio.TaskGroup() as group:
            for step in (activity.put, activity.read, activity.rename, activity.write_and_read):
                group.create_task(step())
            group.create_task(activity.disturb(fault, replicas, leader))
        updates = await read_updates(watcher, "small-", len(activity.written))
    assert activity.renamed > 0
    assert updates == activity.written, "every update once, in order"
    for store in (first, second):
        await store._js._nc.close()
    await replicas.start_all()
    await check_all_nodes(replicas, {"old": DATA, "new": DATA})


async def read_updates(
    watcher: jetstow.ObjectWatcher, prefix: str, count: int
) -> list[tuple[str, int | None]]:
    updates: list[tuple[str, int | None]] = []
    while len(updates) < count:
        change = await watcher.updates(timeout=30)
        if change is not None and change.name.startswith(prefix):
            updates.append((change.name, change.revision))
    return updates


async def check_all_nodes(replicas: Replicas, objects: dict[str, bytes]) -> None:
    """Read the objects by nats-py through every server; every chunk must belong to an object."""
    for node in replicas.cluster.nodes:
        async with await nats.connect(node.url) as nc, asyncio.timeout(60):
            while True:
                try:
                    await check_objects(nc, replicas.bucket, objects)
                    break
                except (
                    ServiceUnavailableError,  # the server does not have the new leader yet
                    nats.errors.TimeoutError,
                    DigestMismatchError,  # nats-py loses chunks when its consumer is replaced
                ):
                    await asyncio.sleep(0.1)


async def check_objects(nc: Client, bucket: str, objects: dict[str, bytes]) -> None:
    store = await nc.jetstream().object_store(bucket)
    for name, data in objects.items():
        into = io.BytesIO()
        await store.get(name, writeinto=into)
        assert hashlib.sha256(into.getvalue()).digest() == hashlib.sha256(data).digest()
    names = await raw_stream.names(nc, bucket)
    named = [await raw_stream.metadata(nc, bucket, name) for name in names]
    expected = {each["nuid"]: each["chunks"] for each in named if each.get("chunks")}
    assert await raw_stream.chunks(nc, bucket) == expected


@pytest.mark.slow
async def test_connected_server_is_killed(replicas: Replicas) -> None:
    """The server leads the bucket, too: connection and transfer move to another server."""
    leader = await replicas.leader()
    urls = [leader.url, *(node.url for node in await replicas.followers())]
    async with await jetstow.connect(
        urls, dont_randomize=True, reconnect_time_wait=0.1, max_reconnect_attempts=-1
    ) as nc:
        assert nc.connected_url is not None
        assert nc.connected_url.port == leader.port
        store = await nc.jetstream().object_store(replicas.bucket)

        async def source() -> AsyncIterator[bytes]:
            yield DATA[:2_000_000]
            await asyncio.to_thread(leader.kill)
            yield DATA[2_000_000:]

        await store.put("a", source(), MANY_CHUNKS)
        assert (await store.get("a")).data == DATA
    await replicas.start_all()
    await check_all_nodes(replicas, {"a": DATA})


@pytest.mark.slow
async def test_bucket_is_opened_while_a_leader_is_elected(replicas: Replicas) -> None:
    """It raised `TimeoutError`: only the requests of an open bucket were sent again."""
    leader, (follower, _) = await replicas.leader(), await replicas.followers()
    async with await jetstow.connect(follower.url) as nc:
        await asyncio.to_thread(leader.kill)
        store = await nc.jetstream(timeout=1).object_store(replicas.bucket)
        assert await store.list() == []


@pytest.mark.slow
async def test_cancelled_calls_without_a_leader(
    replicas: Replicas, caplog: pytest.LogCaptureFixture
) -> None:
    """They were retried for 20 seconds before they ended."""
    caplog.set_level(logging.INFO, "jetstow.retry")
    nodes = [await replicas.leader(), *(await replicas.followers())]
    store, half = await opened(nodes.pop(), replicas.bucket), asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        yield DATA
        half.set()
        await asyncio.Event().wait()

    for name in ("a", "b"):
        await store.put(name, DATA, MANY_CHUNKS)
    put = asyncio.create_task(store.put("c", source(), MANY_CHUNKS))
    await half.wait()
    await store.get_info("a")  # the chunks before it have been sent
    for node in nodes:
        await asyncio.to_thread(node.kill)
    calls = [asyncio.create_task(call) for call in (store.delete("a"), store.rename("b", "d"))]
    while not all(f"'{name}'" in caplog.text for name in ("a", "b")):
        await asyncio.sleep(0.05)
    for call in (put, *calls):
        call.cancel()
    await asyncio.sleep(0)
    caplog.clear()
    await asyncio.wait(calls)
    assert not caplog.records
    await asyncio.wait([put])
    assert store._bucket.purges, "the purge goes on until there is a leader"
    assert all(call.cancelled() for call in (put, *calls))
    await store._js._nc.close()


async def test_page_of_an_index_after_leader_loss(replicas: Replicas) -> None:
    """The leader may have had the consumer of the index, too."""
    leader, (follower, other) = await replicas.leader(), await replicas.followers()
    store, writer = await opened(follower, replicas.bucket), await opened(other, replicas.bucket)
    async with store.index() as index:
        assert (await index.page()).entries == []
        await asyncio.to_thread(leader.kill)
        for number in range(5):
            await writer.put(f"{number}", b"x")
            assert len((await index.page()).entries) == number + 1
    for each in (store, writer):
        await each._js._nc.close()


@pytest.mark.slow
async def test_replica_with_a_wiped_disk(replicas: Replicas) -> None:
    leader, (follower, _) = await replicas.leader(), await replicas.followers()
    store = await opened(leader, replicas.bucket)
    await store.put("before", DATA, MANY_CHUNKS)
    wiping = asyncio.create_task(replicas.wipe(follower))
    await store.put("during", DATA, MANY_CHUNKS)
    await wiping
    async with await jetstow.connect(follower.url) as nc:
        # The replica may still be empty.
        through = await nc.jetstream().object_store(replicas.bucket)
        for name in ("before", "during"):
            assert (await through.get(name)).data == DATA
    await store._js._nc.close()
    await replicas.wait_until_current()
    await check_all_nodes(replicas, {"before": DATA, "during": DATA})


@pytest.mark.slow
async def test_buckets_are_created_and_deleted_during_an_election(replicas: Replicas) -> None:
    """The leader of the cluster is killed: it handles these requests."""
    async with jetstow.connect(replicas.cluster.urls) as nc:
        await nc.jetstream().create_object_store("old")
    leader = replicas.cluster.leader()
    node = next(node for node in replicas.cluster.nodes if node is not leader)
    async with jetstow.connect(node.url) as nc:
        js = nc.jetstream(timeout=1)
        await asyncio.to_thread(leader.kill)
        await asyncio.gather(
            js.create_object_store(f"{replicas.bucket}-2"), js.delete_object_store("old")
        )
        assert "old" not in await js.object_store_names()
    await replicas.start_all()
