"""A server with a long round trip: transfers take longer, and succeed."""

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
async def delayed_store(
    server: NatsServer, store: jetstow.ObjectStore
) -> AsyncIterator[jetstow.ObjectStore]:
    """The bucket, over a round trip of 40 ms."""
    async with Proxy(server.port, delay=0.02) as proxy, await jetstow.connect(proxy.url) as nc:
        yield await nc.jetstream().object_store(store.bucket)


async def test_large_object(delayed_store: jetstow.ObjectStore, store: jetstow.ObjectStore) -> None:
    await delayed_store.put("a", DATA)
    assert (await store.get("a")).data == DATA
    assert (await delayed_store.get("a")).data == DATA
    assert await delayed_store.get_range("a", 10_000_000, 3_000_000) == DATA[10_000_000:13_000_000]


@pytest.mark.parametrize("chunk", [1_000, 1024 * 1024])
async def test_chunk_sizes(delayed_store: jetstow.ObjectStore, chunk: int) -> None:
    meta = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=chunk))
    await delayed_store.put("a", DATA[:5_000_000], meta)
    assert (await delayed_store.get("a")).data == DATA[:5_000_000]
