"""Messages that no regular client stores: headers that imitate the server, thousands of chunks,
chunks larger than the metadata states."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from collections.abc import Iterator

import pytest
from nats.aio.client import Client

import jetstow
from jetstow.errors import SizeMismatchError
from tests.support import object_builder, raw_stream
from tests.support.malicious import Verbs
from tests.support.purges import purges_ended
from tests.support.samples import digest_of, some_bytes
from tests.support.servers import NatsServer

LIMIT = 40
MIB = 1024 * 1024

# Header blocks that are stored with a message: status lines and fields of the server's own
# messages, fields that the server adds to a reply, and invalid header blocks.
LINES = [f"NATS/1.0 {status}\r\n\r\n" for status in (
    "100", "100 FlowControl Request", "204 EOB", "404 No Messages", "408 Request Timeout",
    "409 Consumer Deleted", "503", "²", "9" * 5_000,
)]  # fmt: skip
FIELDS = [f"NATS/1.0\r\n{field}\r\n\r\n" for field in (
    "Status: 404", "Status: 204\r\nDescription: EOB\r\nNats-Num-Pending: 0", "status: 503",
    "Nats-Sequence: 999999", "Nats-Sequence: x", "Nats-Num-Pending: 7", "Nats-Num-Pending: -1",
    "Nats-Stream: OBJ_x\r\nNats-Subject: $O.x.C.y\r\nNats-Sequence: 1\r\nNats-Time-Stamp: x\r\n"  # noqa: ISC004
    "Nats-Num-Pending: 9\r\nNats-Last-Sequence: 9",
    "Nats-Subject: >", "Nats-Time-Stamp: \x00", "Nats-Last-Consumer: 9", "Nats-Msg-Id-X: \xff",
    "Nats-Consumer-Stalled: $JS.API.STREAM.DELETE.OBJ_x", "A" * 20_000, ": nothing", "A:\r\n B",
)]  # fmt: skip
HEADS = [head.encode("latin-1") for head in (*LINES, *FIELDS)]
BROKEN = [b"NATS/1.0", b"NATS/1.0\r\n", b"NATS/1.0\r\nA: b", b"A: b\r\n\r\n", b"\r\n\r\n", b"x"]


class Socket:
    """A client that sends arbitrary bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, server: NatsServer) -> Socket:
        made = cls(*await asyncio.open_connection("127.0.0.1", server.port))
        made.writer.write(b'CONNECT {"verbose":false,"headers":true,"protocol":1}\r\n')
        return made

    def publish(self, subject: str, head: bytes, data: bytes) -> None:
        size = len(head) + len(data)
        self.writer.write(b"HPUB %s %d %d\r\n" % (subject.encode("latin-1"), len(head), size))
        self.writer.write(head + data + b"\r\n")

    async def close(self) -> None:
        """Close the connection when the server has processed everything."""
        self.writer.write(b"PING\r\n")
        while not (line := await self.reader.readline()).startswith(b"PONG"):
            assert not line.startswith(b"-ERR"), line
            assert line, "the server closed the connection"
        self.writer.close()
        await self.writer.wait_closed()


async def wait_until_stored(raw: Client, bucket: str, count: int) -> None:
    """Wait until so many messages are stored: the server acknowledges none of them."""
    while sum((await raw_stream.subjects(raw, bucket)).values()) < count:
        await asyncio.sleep(0)


async def test_stored_headers_that_imitate_the_server(
    store: jetstow.ObjectStore, raw: Client, server: NatsServer, request: pytest.FixtureRequest
) -> None:
    # An invalid header block ends nats-py's own reader.
    heads = HEADS if request.getfixturevalue("_path") == "plain" else HEADS + BROKEN
    pieces = [b"" if number % 3 == 0 else bytes([number]) * 9 for number in range(len(heads))]
    data, bucket = b"".join(pieces), store.bucket
    socket = await Socket.to(server)
    for head, piece in zip(heads, pieces, strict=True):
        socket.publish(raw_stream.chunk_subject(bucket, "nuid"), head, piece)
    await socket.close()
    await wait_until_stored(raw, bucket, len(pieces))
    fields = {"nuid": "nuid", "size": len(data), "chunks": len(pieces), "digest": digest_of(data)}
    body = json.dumps(fields).encode()
    socket = await Socket.to(server)
    names = {f"name {number}" for number in range(len(heads))}
    for number, head in enumerate(heads):
        socket.publish(raw_stream.meta_subject(bucket, f"name {number}"), head, body)
        socket.publish(raw_stream.meta_subject(bucket, f"empty {number}"), head, b"")
    await socket.close()
    await wait_until_stored(raw, bucket, 3 * len(pieces))
    async with asyncio.timeout(LIMIT):
        assert {info.name for info in await store.list()} == names
        assert {info.name async for info in store.list()} == names
        found = set()
        async with await store.watch() as watcher:
            async for change in watcher:
                if change is None:
                    break
                found.add(change.name)
        assert found == names
        for name in ("name 0", f"name {len(heads) - 1}"):
            for read in Verbs(store, name).reads:
                assert await read() == data
        for start in range(0, len(data), 7):
            assert await store.get_range("name 0", start, 9) == data[start : start + 9]
        await store.delete("name 3")
        await store.put("name 4", b"new")
    await purges_ended(store)
    assert await raw_stream.chunks(raw, bucket) == {(await store.get_info("name 4")).nuid: 1}


@pytest.mark.parametrize("size", [0, 1])
async def test_thousands_of_empty_or_tiny_chunks(
    store: jetstow.ObjectStore, raw: Client, size: int
) -> None:
    data = some_bytes(1_500 * size)
    pieces = [data[number * size :][:size] for number in range(1_500)]
    await object_builder.write_object(raw, store.bucket, "a", pieces)
    async with asyncio.timeout(LIMIT):
        assert (await store.get("a")).data == data
        assert b"".join([chunk async for chunk in store.stream("a")]) == data
        if data:
            assert await store.get_range("a", len(data) - 5, 5) == data[-5:]
        await store.delete("a")
    assert await raw_stream.chunks(raw, store.bucket) == {}


@pytest.fixture
def _traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.usefixtures("_traced")
async def test_chunks_larger_than_the_metadata_states(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    """A window of a thousand chunks with a stated size of one byte took a thousand megabytes."""
    count = 48
    chunk = bytes(MIB - 1024)
    subject = raw_stream.chunk_subject(store.bucket, "nuid")
    for _ in range(count - 1):
        await raw.publish(subject, chunk)
        await raw.flush()
    await raw.request(subject, chunk, timeout=10)
    options = {"max_chunk_size": 1}
    for name, size in (("honest", count * len(chunk)), ("short", count)):
        body = {"nuid": "nuid", "chunks": count, "size": size, "options": options}
        await raw_stream.write_metadata(raw, store.bucket, name, body)
    tracemalloc.reset_peak()
    async with asyncio.timeout(LIMIT):
        seen = 0
        async for part in store.stream("honest"):
            seen += len(part)
        assert seen == count * len(chunk)
        for read in Verbs(store, "short").reads:
            with pytest.raises(SizeMismatchError):
                await read()
    assert tracemalloc.get_traced_memory()[1] < count * MIB / 3


TOKENS = [
    b"!!!",
    b"ZmluZQ==\x0c",
    b"ZmluZQ==\x0b",
    b"\x0bZmluZQ==",
    b"ZmluZQ==\x00",
    b"ZmluZQ==\x1f",
    b"YQ",
    b"YR==",
    b"YQ==.YQ==",
    b"\xff\xfe",
    b"\xc3",
    b"=",
    b"_w==",
    b"$O.b.M.YQ==",
]


async def test_undecodable_subjects_are_skipped(
    store: jetstow.ObjectStore, raw: Client, server: NatsServer, request: pytest.FixtureRequest
) -> None:
    body = b'{"nuid": "nuid", "name": "a", "size": 1, "chunks": 1}'
    socket = await Socket.to(server)
    # A subject that is not UTF-8 ends nats-py's own reader, and it strips all whitespace.
    plain = request.getfixturevalue("_path") == "plain"
    tokens = [
        token for token in TOKENS if not plain or (token.isascii() and token.decode().isprintable())
    ]
    for token in tokens:
        socket.publish(f"$O.{store.bucket}.M.{token.decode('latin-1')}", b"NATS/1.0\r\n\r\n", body)
        socket.publish(f"$O.{store.bucket}.C.{token.decode('latin-1')}", b"NATS/1.0\r\n\r\n", body)
    await store.put("fine", b"x")
    for token in tokens:
        socket.publish(f"$O.{store.bucket}.M.{token.decode('latin-1')}", b"NATS/1.0\r\n\r\n", body)
    await socket.close()
    await wait_until_stored(raw, store.bucket, 3 * len(tokens) + 2)
    fine = await store.get_info("fine")
    async with asyncio.timeout(LIMIT):
        assert await store.list() == [fine]
        assert [info async for info in store.list()] == [fine]
        async with await store.watch() as watcher:
            assert [await watcher.updates(), await watcher.updates()] == [fine, None]
        await store.delete("fine")
    assert len(await raw_stream.subjects(raw, store.bucket)) == 2 * len(tokens) + 1
