"""A put sends the purge of the chunks that it replaces, and does not wait for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import nats
import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow._core.aio.unawaited import Unawaited
from jetstow._core.bucket import purge
from jetstow._core.transport.jetstream_api import JetStreamAPI
from jetstow.errors import BucketFullError
from tests.support import raw_stream
from tests.support.proxy import Proxy
from tests.support.purges import purges_ended
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

pytestmark = pytest.mark.one_path

SMALL_CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=100))
SIZE = 2_000
# What a server counts at most for an object of that size, in one chunk or in 20.
STORED_SIZE = SIZE + 700
STORED_SIZE_IN_CHUNKS = SIZE + 4_000


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """Purges that are sent when something waits for them, or by the test."""
    send, wait = JetStreamAPI.send_unawaited, Unawaited.wait
    held: list[Callable[[], object]] = []

    def hold(*args: Any) -> None:
        held.append(lambda: send(*args))

    async def send_and_wait(purges: Unawaited) -> None:
        while held:
            held.pop()()
        await wait(purges)

    monkeypatch.setattr(JetStreamAPI, "send_unawaited", hold)
    monkeypatch.setattr(Unawaited, "wait", send_and_wait)
    return held


async def remaining(raw: Client, bucket: str, count: int) -> None:
    """Wait until the bucket has that number of chunks."""
    while sum((await raw_stream.chunks(raw, bucket)).values()) != count:
        await asyncio.sleep(0.01)


# -- a bucket without much space -----------------------------------------------------------


@pytest.mark.first_and_last_version
async def test_many_replacements_in_a_nearly_full_bucket(
    js: jetstow.JetStreamContext, bucket: str
) -> None:
    store = await js.create_object_store(bucket, max_bytes=3 * STORED_SIZE, storage="memory")
    await store.put("other", some_bytes(SIZE))
    for number in range(2_000):
        await store.put("a", b"%04d" % number * (SIZE // 4))
    assert (await store.get("a")).data == b"1999" * (SIZE // 4)
    assert (await store.verify(quick=True)).unused == 0
    await js.delete_object_store(bucket)


async def test_concurrent_replacements_in_a_nearly_full_bucket(
    js: jetstow.JetStreamContext, bucket: str
) -> None:
    space = 7 * STORED_SIZE_IN_CHUNKS
    store = await js.create_object_store(bucket, max_bytes=space, storage="memory")

    async def replace(name: str) -> None:
        for number in range(50):
            await store.put(name, b"%04d" % number * (SIZE // 4), SMALL_CHUNKS)

    await asyncio.gather(*map(replace, "abc"))
    for name in "abc":
        assert (await store.get(name)).data == b"0049" * (SIZE // 4)
    result = await store.verify(quick=True)
    assert (result.unused, result.findings) == (0, ())
    await js.delete_object_store(bucket)


@pytest.mark.parametrize("meta", [None, SMALL_CHUNKS])
async def test_full_until_the_purge(
    js: jetstow.JetStreamContext,
    bucket: str,
    held: list[Callable[[], object]],
    meta: ObjectMeta | None,
) -> None:
    """The server refuses chunks of which it would have had space for after the purge."""
    space = 3 * (STORED_SIZE if meta is None else STORED_SIZE_IN_CHUNKS)
    store = await js.create_object_store(bucket, max_bytes=space)
    await store.put("other", some_bytes(SIZE), meta)
    for number in range(4):
        await store.put("a", b"%04d" % number * (SIZE // 4), meta)
    assert held
    assert (await store.get("a")).data == b"0003" * (SIZE // 4)
    assert (await store.verify(quick=True)).unused == 0
    await js.delete_object_store(bucket)


async def test_no_space_for_the_metadata_until_the_purge(
    js: jetstow.JetStreamContext, bucket: str, held: list[Callable[[], object]]
) -> None:
    store = await js.create_object_store(bucket, max_bytes=10_000)
    await store.put("a", some_bytes(4_000))
    await store.put("a", some_bytes(4_000))
    await store.put("empty", b"", ObjectMeta(description="d" * 2_000))
    assert not held
    await js.delete_object_store(bucket)


async def test_full_without_purges(
    js: jetstow.JetStreamContext, bucket: str, held: list[Callable[[], object]]
) -> None:
    store = await js.create_object_store(bucket, max_bytes=3 * SIZE)
    await store.put("a", some_bytes(SIZE))
    await store.put("a", some_bytes(SIZE))
    with pytest.raises(BucketFullError, match="object 'large'"):
        await store.put("large", some_bytes(10 * SIZE), SMALL_CHUNKS)
    assert (await store.verify(quick=True)).unused == 0
    assert (await store.get("a")).data == some_bytes(SIZE)
    await js.delete_object_store(bucket)


async def test_seal_waits_for_purges(
    store: jetstow.ObjectStore, raw: Client, held: list[Callable[[], object]]
) -> None:
    """A sealed bucket refuses purges: the chunks would stay forever."""
    await store.put("a", b"old")
    await store.put("a", b"new")
    assert held
    await store.seal()
    assert sum((await raw_stream.chunks(raw, store.bucket)).values()) == 1


# -- the end of the connection, and of the event loop --------------------------------------


@pytest.mark.every_path
@pytest.mark.parametrize("end", ["close", "drain"])
async def test_end_of_the_connection_waits(
    server: NatsServer,
    raw: Client,
    bucket: str,
    end: str,
    held: list[Callable[[], object]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with Proxy(server.port, delay=0.03) as proxy:
        nc = await jetstow.connect(proxy.url)
        store = await nc.jetstream().create_object_store(bucket)
        await store.put("a", b"old")
        await store.put("a", b"new")
        held.pop()()
        assert store._bucket.purges
        await getattr(nc, end)()
        assert not store._bucket.purges
        assert sum((await raw_stream.chunks(raw, bucket)).values()) == 1
    assert not caplog.records


async def test_close_of_a_nats_py_connection(
    server: NatsServer,
    raw: Client,
    bucket: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    nc = await nats.connect(server.url)
    store = await jetstow.jetstream(nc).create_object_store(bucket)
    await store.put("a", b"old")
    await store.put("a", b"new")
    await nc.close()
    await remaining(raw, bucket, 1)
    assert not caplog.records


async def test_nats_py_connection_closed_before_the_purge(
    server: NatsServer,
    bucket: str,
    held: list[Callable[[], object]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    nc = await nats.connect(server.url)
    store = await jetstow.jetstream(nc).create_object_store(bucket)
    info = await store.put("a", b"old")
    await store.put("a", b"new")
    held.pop()()
    with caplog.at_level(logging.WARNING, "jetstow.write"):
        await nc.close()
        await purges_ended(store)
    assert f"(NUID {info.nuid}) were not purged" in caplog.text


async def test_lost_connection(
    server: NatsServer, raw: Client, bucket: str, held: list[Callable[[], object]]
) -> None:
    """After the reconnect, the purge is sent again."""
    async with (
        Proxy(server.port) as proxy,
        jetstow.connect(proxy.url, reconnect_time_wait=0.05, max_reconnect_attempts=-1) as nc,
    ):
        store = await nc.jetstream().create_object_store(bucket)
        await store.put("a", b"old")
        await store.put("a", b"new")
        proxy.cut()
        held.pop()()
        assert store._bucket.purges
        await purges_ended(store)
        assert sum((await raw_stream.chunks(raw, bucket)).values()) == 1


async def test_close_while_disconnected(
    server: NatsServer,
    bucket: str,
    held: list[Callable[[], object]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    disconnected = asyncio.Event()

    async def on_disconnected() -> None:
        disconnected.set()

    async with Proxy(server.port) as proxy:
        nc = await jetstow.connect(proxy.url, disconnected_cb=on_disconnected)
        store = await nc.jetstream().create_object_store(bucket)
        info = await store.put("a", b"old")
        await store.put("a", b"new")
        proxy.refuse()
        proxy.cut()
        held.pop()()
        await disconnected.wait()
        with caplog.at_level(logging.WARNING, "jetstow.write"):
            await nc.close()
    assert f"(NUID {info.nuid}) may be left: the connection was closed" in caplog.text


@pytest.mark.parametrize("portion", [1_000, 10])
def test_end_of_the_event_loop(
    server: NatsServer,
    bucket: str,
    portion: int,
    held: list[Callable[[], object]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        nc = await jetstow.connect(server.url)
        store = await nc.jetstream().create_object_store(bucket)
        await store.put("a", bytes(50_000), SMALL_CHUNKS)
        await store.put("a", b"new")
        while held:
            held.pop()()
        assert store._bucket.purges

        async def close_at_the_end() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await nc.close()

        task.append(asyncio.create_task(close_at_the_end()))
        await asyncio.sleep(0)

    async def check() -> None:
        async with await nats.connect(server.url) as raw:
            await remaining(raw, bucket, 1)

    task: list[asyncio.Task[None]] = []
    monkeypatch.setattr(purge, "MAX_PORTION_MESSAGES", portion)
    asyncio.run(main())
    asyncio.run(check())
    assert not caplog.records


async def test_deleted_bucket(
    js: jetstow.JetStreamContext,
    bucket: str,
    held: list[Callable[[], object]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The chunks were deleted with the bucket: a warning would be wrong."""
    store = await js.create_object_store(bucket)
    await store.put("a", b"old")
    await store.put("a", b"new")
    await js.delete_object_store(bucket)
    held.pop()()
    await purges_ended(store)
    assert not caplog.records
