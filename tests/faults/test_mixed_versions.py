"""Servers of different versions: in one cluster, and one after the other in one store folder.

The bucket has default options. A stream with newer options is offline on an older server.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

import jetstow
from jetstow import BucketConfig
from jetstow.errors import JetstowError
from tests.support import versions
from tests.support.cluster import Cluster
from tests.support.replicas import Replicas
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

# Twice, a replica may need several attempts to catch up (`replicas.TIMEOUT`).
pytestmark = [pytest.mark.one_path, pytest.mark.timeout(400)]

OLD, OLDEST = "2.12.8", "2.10.26"


class Objects:
    """Objects that were acknowledged, and their bytes."""

    def __init__(self, store: jetstow.ObjectStore) -> None:
        self._store = store
        self._data: dict[str, bytes] = {}

    async def change(self) -> None:
        """Add, replace, rename, delete and link objects."""
        number = len(self._data)
        name, data = f"object {number}", some_bytes(300_000, number)
        await self._store.put(name, data)
        self._data[name] = data
        replaced = f"object {number % 5}"
        self._data[replaced] = some_bytes(40_000, number)
        await self._store.put(replaced, self._data[replaced])
        await self._store.copy(name, f"copy {number}")
        await self._store.rename(f"copy {number}", f"renamed {number}")
        self._data[f"renamed {number}"] = self._data[name]
        await self._store.put("deleted", data)
        await self._store.delete("deleted")
        await self._store.add_link(f"link {number}", name)
        assert (await self._store.get(f"link {number}")).data == self._data[name]
        await self._store.delete(f"link {number}")

    async def check(self) -> None:
        """Read all of them."""
        assert {info.name for info in await self._store.list()} == set(self._data)
        for name, data in self._data.items():
            assert (await self._store.get(name)).data == data, name
        assert (await self._store.verify()).ok


@asynccontextmanager
async def changing(objects: Objects) -> AsyncIterator[None]:
    """Change objects all the time, until some are changed after the block. No call may fail."""
    ended = asyncio.Event()

    async def change() -> None:
        while not ended.is_set():
            await objects.change()
        await objects.change()

    task = asyncio.create_task(change())
    yield
    ended.set()
    await task


async def test_rolling_upgrade_and_downgrade(bucket: str) -> None:
    """Each of three nodes is replaced in turn by another version, while objects change."""
    with Cluster(OLD, OLD, versions.LATEST) as cluster:
        async with jetstow.connect(
            cluster.urls, reconnect_time_wait=0.1, max_reconnect_attempts=-1
        ) as nc:
            await create(nc, bucket)
            objects = Objects(await nc.jetstream(timeout=2).object_store(bucket))
            replicas = Replicas(cluster, bucket)
            await replicas.wait_until_current()
            for number, version in ((0, versions.LATEST), (2, OLD)):
                async with changing(objects):
                    node = cluster.nodes[number]
                    await asyncio.to_thread(node.restart, version=version, healthy=False)
                await objects.check()
                # While many objects change, a replica may not catch up.
                await replicas.wait_until_current()
                await objects.check()


async def create(nc: jetstow.Client, bucket: str) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                config = BucketConfig(bucket=bucket, replicas=3)
                await nc.jetstream().create_object_store(config=config)
            except JetstowError:
                await asyncio.sleep(0.2)  # the cluster itself may have no leader yet
            else:
                return


async def test_downgrade_and_upgrade_of_one_server() -> None:
    with NatsServer() as server:
        async with jetstow.connect(
            server.url, reconnect_time_wait=0.05, max_reconnect_attempts=-1
        ) as nc:
            store = await nc.jetstream().create_object_store("b")
            objects = Objects(store)
            for version in (OLD, OLDEST, OLD, versions.LATEST):
                await objects.change()
                await asyncio.to_thread(server.restart, version=version)
                await objects.check()
            await objects.change()
            await objects.check()
