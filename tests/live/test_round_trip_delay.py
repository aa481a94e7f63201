"""A server that is a long way off: everything takes its time, and nothing else changes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from tests.support.proxy import Proxy
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

DATA = some_bytes(20_000_000)


@pytest.fixture
async def far(server: NatsServer, store: jetstow.ObjectStore) -> AsyncIterator[jetstow.ObjectStore]:
    """The bucket, seen over a round trip of 40 ms."""
    async with Proxy(server.port, delay=0.02) as proxy, await jetstow.connect(proxy.url) as nc:
        yield await nc.jetstream().object_store(store.bucket)


async def test_large_objects_go_there_and_come_back(
    far: jetstow.ObjectStore, store: jetstow.ObjectStore
) -> None:
    await far.put("a", DATA)
    assert (await store.get("a")).data == DATA
    assert (await far.get("a")).data == DATA
    assert await far.get_range("a", 10_000_000, 3_000_000) == DATA[10_000_000:13_000_000]


@pytest.mark.parametrize("chunk", [1_000, 1024 * 1024])
async def test_chunks_of_any_size(far: jetstow.ObjectStore, chunk: int) -> None:
    meta = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=chunk))
    await far.put("a", DATA[:5_000_000], meta)
    assert (await far.get("a")).data == DATA[:5_000_000]
