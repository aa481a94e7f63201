"""Reading makes no consumer where the server can do without, and leaves none elsewhere."""

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
from tests.support import object_builder, raw_stream
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

DATA = some_bytes(95)
LARGE = some_bytes(6_000_000)
TINY = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10))


@asynccontextmanager
async def consumers_made(nc: Client, bucket: str) -> AsyncIterator[list[str]]:
    """The consumers that the bucket's stream gets meanwhile, as the server tells of them."""
    made: list[str] = []
    last = asyncio.Event()

    async def note(message: object) -> None:
        made.append(json.loads(message.data)["consumer"])  # type: ignore[attr-defined]
        if made[-1] == "last":
            last.set()

    stream = f"OBJ_{bucket}"
    told = await nc.subscribe(f"$JS.EVENT.ADVISORY.CONSUMER.CREATED.{stream}.>", cb=note)
    await raw_stream.arrived(nc)
    yield made
    # One more, made here: when the server tells of it, it has told of all before.
    body = {"stream_name": stream, "config": {"durable_name": "last", "ack_policy": "none"}}
    await raw_stream.request(nc, f"CONSUMER.DURABLE.CREATE.{stream}.last", body)
    await last.wait()
    made.remove("last")
    await raw_stream.request(nc, f"CONSUMER.DELETE.{stream}.last")
    await told.unsubscribe()


async def read_everything(store: jetstow.ObjectStore, tmp_path: Path) -> None:
    """Every way to read, small objects and large ones."""
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
    await store.put("a", DATA, TINY)
    await store.put("large", LARGE)
    return store


@pytest.mark.min_server("2.11")
@pytest.mark.not_on("consumer")
async def test_no_read_makes_a_consumer(
    filled: jetstow.ObjectStore, raw: Client, tmp_path: Path
) -> None:
    async with consumers_made(raw, filled.bucket) as made:
        await read_everything(filled, tmp_path)
    assert made == []


@pytest.mark.not_on("consumer")  # says which servers need one
async def test_reading_leaves_no_consumer_behind(
    filled: jetstow.ObjectStore, raw: Client, server: NatsServer, tmp_path: Path
) -> None:
    async with consumers_made(raw, filled.bucket) as made:
        await read_everything(filled, tmp_path)
    assert bool(made) != server.at_least("2.11"), "only where there is no other way"
    assert await raw_stream.consumers(raw, filled.bucket) == 0


async def test_names_are_read_without_a_consumer_on_every_server(
    filled: jetstow.ObjectStore, raw: Client
) -> None:
    async with consumers_made(raw, filled.bucket) as made:
        for _ in range(3):
            await filled.list()
            await filled.get_info("a")
            await filled.status()
        await filled.put("b", b"")
        await filled.update_meta("b", ObjectMeta(name="c"))
        await filled.delete("c")
    assert made == []


@pytest.mark.parametrize("when", ["before it is opened", "while it is open"])
async def test_a_stream_without_direct_get_is_read_by_consumers(
    filled: jetstow.ObjectStore,
    js: jetstow.JetStreamContext,
    raw: Client,
    tmp_path: Path,
    when: str,
) -> None:
    await object_builder.configure(raw, filled.bucket, allow_direct=False)
    store = filled if when == "while it is open" else await js.object_store(filled.bucket)
    async with consumers_made(raw, filled.bucket) as made:
        await read_everything(store, tmp_path)
    assert made
    assert await raw_stream.consumers(raw, filled.bucket) == 0


async def test_direct_get_that_ends_in_the_middle_of_a_read_is_gone_on_by_a_consumer(
    filled: jetstow.ObjectStore, raw: Client
) -> None:
    chunks = filled.stream("large")
    found = await anext(chunks)
    await object_builder.configure(raw, filled.bucket, allow_direct=False)
    async for chunk in chunks:
        found += chunk
    assert found == LARGE
    assert await raw_stream.consumers(raw, filled.bucket) == 0


async def test_a_consumer_that_expires_under_a_slow_reader_is_replaced(
    filled: jetstow.ObjectStore, nc: jetstow.Client, raw: Client
) -> None:
    """The server drops it after a while of silence, and the next request met nobody."""
    await object_builder.configure(raw, filled.bucket, allow_direct=False)
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
    assert await raw_stream.consumers(raw, filled.bucket) == 0


async def test_a_cancelled_read_leaves_no_consumer_behind(
    filled: jetstow.ObjectStore, raw: Client
) -> None:
    begun = asyncio.Event()
    task = asyncio.create_task(filled.get("large", progress=lambda *_: begun.set()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await raw_stream.consumers(raw, filled.bucket) == 0
    assert (await filled.get("large")).data == LARGE


async def test_many_reads_at_once_on_every_server(filled: jetstow.ObjectStore, raw: Client) -> None:
    results = await asyncio.gather(*(filled.get(name) for name in ("a", "large") * 6))
    assert [result.data for result in results] == [DATA, LARGE] * 6
    assert await raw_stream.consumers(raw, filled.bucket) == 0
