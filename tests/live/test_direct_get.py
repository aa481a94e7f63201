"""Reads create no consumer if the server has batched Direct Get, and never leave one behind."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow._core.bucket import stream
from tests.support import object_builder, raw_stream
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

pytestmark = pytest.mark.every_version

DATA = some_bytes(95)
LARGE = some_bytes(6_000_000)
SMALL_CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10))


@asynccontextmanager
async def created_consumers(nc: Client, bucket: str) -> AsyncIterator[list[str]]:
    """Collect the consumers that are created in the bucket's stream, by the server's advisories."""
    created: list[str] = []
    last = asyncio.Event()

    async def note(message: object) -> None:
        created.append(json.loads(message.data)["consumer"])  # type: ignore[attr-defined]
        if created[-1] == "last":
            last.set()

    stream = f"OBJ_{bucket}"
    subscription = await nc.subscribe(f"$JS.EVENT.ADVISORY.CONSUMER.CREATED.{stream}.>", cb=note)
    await raw_stream.flush(nc)
    yield created
    # The advisory for this consumer comes after all others.
    body = {"stream_name": stream, "config": {"durable_name": "last", "ack_policy": "none"}}
    await raw_stream.request(nc, f"CONSUMER.DURABLE.CREATE.{stream}.last", body)
    await last.wait()
    created.remove("last")
    await raw_stream.request(nc, f"CONSUMER.DELETE.{stream}.last")
    await subscription.unsubscribe()


async def read_everything(store: jetstow.ObjectStore, tmp_path: Path) -> None:
    """Read small and large objects by every verb."""
    for name, data in (("a", DATA), ("large", LARGE)):
        assert (await store.get(name)).data == data
        memory = io.BytesIO()
        await store.get(name, memory)
        assert memory.getvalue() == data
        await store.get_file(name, tmp_path / name)
        assert (tmp_path / name).read_bytes() == data
        assert b"".join([chunk async for chunk in store.stream(name)]) == data
        assert await store.get_range(name, 17, 30) == data[17:47]
        assert await store.get_range(name, 0) == data
        async with store.open(name) as file:
            await file.seek(40)
            assert await file.read(20) == data[40:60]
    async with aclosing(store.stream("large")) as chunks:
        assert LARGE.startswith(await anext(chunks))
    assert (await store.get_info("a")).size == 95
    assert {info.name for info in await store.list()} == {"a", "large"}
    assert (await store.status()).size > len(LARGE)


@pytest.fixture
async def filled(store: jetstow.ObjectStore) -> jetstow.ObjectStore:
    await store.put("a", DATA, SMALL_CHUNKS)
    await store.put("large", LARGE)
    return store


@pytest.mark.min_server("2.11")
@pytest.mark.not_on_path("consumer")
async def test_reads_create_no_consumer(
    filled: jetstow.ObjectStore, raw: Client, tmp_path: Path
) -> None:
    async with created_consumers(raw, filled.bucket) as created:
        await read_everything(filled, tmp_path)
    assert created == []


@pytest.mark.not_on_path("consumer")  # the result depends on the server version
async def test_reads_leave_no_consumer(
    filled: jetstow.ObjectStore, raw: Client, server: NatsServer, tmp_path: Path
) -> None:
    async with created_consumers(raw, filled.bucket) as created:
        await read_everything(filled, tmp_path)
    assert bool(created) != server.at_least("2.11"), "only without batched Direct Get"
    assert await raw_stream.consumer_count(raw, filled.bucket) == 0


async def test_metadata_reads_create_no_consumer(filled: jetstow.ObjectStore, raw: Client) -> None:
    async with created_consumers(raw, filled.bucket) as created:
        for _ in range(3):
            await filled.list()
            await filled.get_info("a")
            await filled.status()
        await filled.put("b", b"")
        await filled.update_meta("b", ObjectMeta(name="c"))
        await filled.delete("c")
    assert created == []


@pytest.mark.parametrize("when", ["before it is opened", "while it is open"])
async def test_stream_without_direct_get(
    filled: jetstow.ObjectStore,
    js: jetstow.JetStreamContext,
    raw: Client,
    tmp_path: Path,
    when: str,
) -> None:
    await object_builder.update_stream(raw, filled.bucket, allow_direct=False)
    store = filled if when == "while it is open" else await js.object_store(filled.bucket)
    async with created_consumers(raw, filled.bucket) as created:
        await read_everything(store, tmp_path)
    assert created
    assert await raw_stream.consumer_count(raw, filled.bucket) == 0


async def test_direct_get_disabled_during_a_read(filled: jetstow.ObjectStore, raw: Client) -> None:
    chunks = filled.stream("large")
    found = await anext(chunks)
    await object_builder.update_stream(raw, filled.bucket, allow_direct=False)
    async for chunk in chunks:
        found += chunk
    assert found == LARGE
    assert await raw_stream.consumer_count(raw, filled.bucket) == 0


@pytest.mark.min_server("2.11")
@pytest.mark.not_on_path("consumer")
async def test_direct_get_returns(
    filled: jetstow.ObjectStore, raw: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that is down for a moment does not answer either: Direct Get is used again."""
    monkeypatch.setattr(stream, "DIRECT_GET_PAUSE", 0.01)
    await object_builder.update_stream(raw, filled.bucket, allow_direct=False)
    async with created_consumers(raw, filled.bucket) as created:
        assert (await filled.get("large")).data == LARGE
    assert created
    await object_builder.update_stream(raw, filled.bucket, allow_direct=True)
    async with asyncio.timeout(20):
        while created:
            async with created_consumers(raw, filled.bucket) as created:
                assert (await filled.get("large")).data == LARGE


async def test_consumer_expires_under_a_slow_reader(
    filled: jetstow.ObjectStore, nc: jetstow.Client, raw: Client
) -> None:
    """The server deletes an inactive consumer, and the next request had no responder."""
    await object_builder.update_stream(raw, filled.bucket, allow_direct=False)
    store = await nc.jetstream(timeout=1).object_store(filled.bucket)
    chunks = store.stream("large")
    found = await anext(chunks)
    stream = f"OBJ_{filled.bucket}"
    names = await raw_stream.request(raw, f"CONSUMER.NAMES.{stream}")
    for consumer in names["consumers"]:
        await raw_stream.request(raw, f"CONSUMER.DELETE.{stream}.{consumer}")
    async for chunk in chunks:
        found += chunk
    assert found == LARGE
    assert await raw_stream.consumer_count(raw, filled.bucket) == 0


async def test_cancelled_read_leaves_no_consumer(filled: jetstow.ObjectStore, raw: Client) -> None:
    begun = asyncio.Event()
    task = asyncio.create_task(filled.get("large", progress=lambda *_: begun.set()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await raw_stream.consumer_count(raw, filled.bucket) == 0
    assert (await filled.get("large")).data == LARGE


async def test_concurrent_reads(filled: jetstow.ObjectStore, raw: Client) -> None:
    results = await asyncio.gather(*(filled.get(name) for name in ("a", "large") * 6))
    assert [result.data for result in results] == [DATA, LARGE] * 6
    assert await raw_stream.consumer_count(raw, filled.bucket) == 0
