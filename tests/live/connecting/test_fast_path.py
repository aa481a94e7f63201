"""The fast path on nats-py's socket: the messages of nats-py's users still arrive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import nats
import pytest
import uvloop
from nats.aio.client import Client as NatsClient
from nats.aio.msg import Msg

import jetstow
from jetstow._core.transport.client import FastPathClient
from tests.support import raw_stream
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer


@pytest.fixture
async def other(server: NatsServer) -> AsyncIterator[NatsClient]:
    """A plain nats-py connection to the same server."""
    client = await nats.connect(server.url)
    yield client
    await client.close()


async def test_connection_has_a_fast_path(nc: jetstow.Client) -> None:
    assert isinstance(nc, FastPathClient)
    await nc.flush()
    assert nc._fast_path is not None


async def test_user_subscription(nc: jetstow.Client, other: NatsClient, bucket: str) -> None:
    got: list[Msg] = []

    async def on_message(message: Msg) -> None:
        got.append(message)

    await nc.subscribe(f"{bucket}.>", cb=on_message)
    await raw_stream.flush(nc)
    sent = [(i, some_bytes(i * 7919 % 300_000)) for i in range(200)]
    for i, data in sent:
        await other.publish(f"{bucket}.{i}", data, reply="r", headers={"Number": str(i)})
    await other.flush()
    async with asyncio.timeout(10):
        while len(got) < len(sent):
            await nc.flush()
    assert [(int(m.subject.rpartition(".")[2]), m.data) for m in got] == sent
    assert [m.headers for m in got] == [{"Number": str(i)} for i, _ in sent]
    assert {m.reply for m in got} == {"r"}


async def test_user_requests(nc: jetstow.Client, other: NatsClient, bucket: str) -> None:
    async def answer(message: Msg) -> None:
        await message.respond(message.data[::-1])

    await other.subscribe(bucket, cb=answer)
    await raw_stream.flush(other)
    answers = await asyncio.gather(*(nc.request(bucket, b"%d" % i, timeout=5) for i in range(100)))
    assert [int(m.data[::-1]) for m in answers] == list(range(100))


async def test_more_messages_than_the_backlog(
    nc: jetstow.Client, other: NatsClient, bucket: str
) -> None:
    """The fast path pauses at 512 messages that nats-py has not taken, and continues."""
    subscription = await nc.subscribe(bucket)
    await raw_stream.flush(nc)
    for i in range(5_000):
        await other.publish(bucket, b"%d" % i)
    await other.flush()
    async with asyncio.timeout(20):
        got = [int((await subscription.next_msg(timeout=10)).data) for _ in range(5_000)]
    assert got == list(range(5_000))


async def test_transfers_and_user_messages_at_the_same_time(
    nc: jetstow.Client, store: jetstow.ObjectStore, other: NatsClient, bucket: str
) -> None:
    subscription = await nc.subscribe(f"{bucket}.user")
    await raw_stream.flush(nc)
    data = some_bytes(8_000_000)

    async def publish() -> None:
        for i in range(500):
            await other.publish(f"{bucket}.user", b"%d" % i)
        await other.flush()

    info, _ = await asyncio.gather(store.put("a", data), publish())
    result = await store.get("a")
    assert (result.data, info.size) == (data, len(data))
    assert [int((await subscription.next_msg(timeout=5)).data) for _ in range(500)] == list(
        range(500)
    )


async def test_fast_path_after_reconnect(bucket: str) -> None:
    with NatsServer() as server:
        back = asyncio.Event()

        async def reconnected() -> None:
            back.set()

        nc = await jetstow.connect(
            server.url,
            reconnected_cb=reconnected,
            reconnect_time_wait=0.05,
            max_reconnect_attempts=-1,
        )
        store = await nc.jetstream().create_object_store(bucket)
        await store.put("a", b"before")
        first = nc._fast_path
        server.restart()
        async with asyncio.timeout(20):
            await back.wait()
        assert (await store.get("a")).data == b"before"
        await store.put("b", some_bytes(500_000))
        assert (await store.get("b")).data == some_bytes(500_000)
        assert nc._fast_path is not None
        assert nc._fast_path is not first
        await nc.close()
        assert nc._fast_path is None


def test_writes_after_the_end_of_the_connection(server: NatsServer) -> None:
    """uvloop raises an error for them: it ended a call, or the event loop reported it."""

    async def write() -> list[dict[str, Any]]:
        reported: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, each: reported.append(each))
        async with jetstow.connect(server.url) as nc:
            await nc.flush()
            fast_path = nc._fast_path
            assert fast_path is not None
            fast_path._transport.abort()
            await asyncio.sleep(0)
            fast_path.write(b"PUB x 1\r\n", b"x")
            fast_path.flush_soon()
            await asyncio.sleep(0)
            fast_path.write(b"PUB x 1000000\r\n", bytes(1_000_000))
        return reported

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(write()) == []


async def test_messages_larger_than_the_read_buffer(bucket: str) -> None:
    with NatsServer(config="max_payload: 8MB") as server:
        nc = await jetstow.connect(server.url)
        store = await nc.jetstream().create_object_store(bucket)
        data = some_bytes(20_000_000)
        options = jetstow.ObjectMetaOptions(max_chunk_size=7_000_000)
        await store.put("a", data, jetstow.ObjectMeta(options=options))
        assert (await store.get("a")).data == data
        await nc.close()


async def test_statistics_of_nats_py(nc: jetstow.Client, store: jetstow.ObjectStore) -> None:
    before = dict(nc.stats)
    await store.put("a", some_bytes(1_000_000))
    await store.get("a")
    assert nc.stats["out_bytes"] - before["out_bytes"] > 1_000_000
    assert nc.stats["in_bytes"] - before["in_bytes"] > 1_000_000


async def test_nats_py_connection_without_fast_path(
    other: NatsClient, store: jetstow.ObjectStore
) -> None:
    await store.put("a", some_bytes(3_000_000))
    theirs = await jetstow.jetstream(other).object_store(store.bucket)
    assert (await theirs.get("a")).data == some_bytes(3_000_000)
    await theirs.put("b", b"plain")
    assert (await store.get("b")).data == b"plain"


async def test_message_with_malformed_headers(
    nc: jetstow.Client, store: jetstow.ObjectStore, server: NatsServer
) -> None:
    """Headers without an end stopped the reader, so that every later request timed out."""
    got: asyncio.Queue[bytes] = asyncio.Queue()

    async def take(message: Msg) -> None:
        got.put_nowait(message.data)

    await nc.subscribe("messages", cb=take)
    await raw_stream.flush(nc)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = b"NATS/1.0\r\nx\r\n\r\nA: b\r\n\r\n"
    writer.write(b'CONNECT {"headers":true,"verbose":false}\r\n')
    writer.write(b"HPUB messages %d %d\r\n%sdata\r\n" % (len(head), len(head) + 4, head))
    writer.write(b"PUB messages 4\r\nlast\r\nPING\r\n")
    while b"PONG" not in (line := await reader.readline()):
        assert line, "the server closed the connection"
    writer.close()
    while await got.get() != b"last":
        pass
    await store.put("a", b"data")
    assert (await store.get("a")).data == b"data"
