"""A replica that does not catch up, and still replies: the leader is asked for what it lacks.

Here, a mirror without chunks replies to Direct Get instead of the stream.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TypeAlias

import pytest

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import ChunksLostError, ObjectChangedError, SizeMismatchError
from tests.faults.test_lagging_replica import opened, ranged, whole
from tests.support import object_builder, raw_stream
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

pytestmark = pytest.mark.one_path

DATA = some_bytes(2_000_000)
MANY_CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10_000))
Read: TypeAlias = Callable[[jetstow.ObjectStore, int, int], Awaitable[bytes]]
READS: list[Read] = [whole, ranged, opened]

# Consumers may be on a replica that is current. The second user cannot create one.
CONFIG = """
mappings: { "$JS.API.DIRECT.GET.OBJ_b": "$JS.API.DIRECT.GET.OBJ_behind" }
authorization {
  users: [
    { user: all, password: p }
    { user: reader, password: p, permissions: { publish: { deny: "$JS.API.CONSUMER.>" } } }
  ]
}
no_auth_user: all
"""


@pytest.fixture(scope="module")
def server() -> Iterator[NatsServer]:
    with NatsServer(config=CONFIG) as started:
        yield started


@pytest.fixture
async def reader(nc: jetstow.Client, server: NatsServer) -> AsyncIterator[jetstow.ObjectStore]:
    """The bucket through the replica without chunks."""
    await nc.jetstream().create_object_store("b")
    mirror = {
        "name": "OBJ_behind",
        "mirror": {"name": "OBJ_b", "filter_subject": "$O.b.M.>"},
        "allow_direct": True,
        "mirror_direct": True,
        "storage": "memory",
    }
    assert "error" not in await raw_stream.request(nc, "STREAM.CREATE.OBJ_behind", mirror)
    async with jetstow.connect(server.url, user="reader", password="p") as client:
        yield await client.jetstream().object_store("b")
    for stream in ("OBJ_behind", "OBJ_b"):
        await raw_stream.request(nc, f"STREAM.DELETE.{stream}")


async def test_reads(nc: jetstow.Client, reader: jetstow.ObjectStore) -> None:
    writer = await nc.jetstream().object_store("b")
    await writer.put("a", DATA, MANY_CHUNKS)
    for read in READS:
        assert await read(reader, 1_234_567, 1_300_000) == DATA[1_234_567:1_300_000], read
    assert (await reader.verify("a")).ok
    buffer = bytearray(len(DATA))
    await reader.get("a", into=buffer)
    assert buffer == DATA
    await writer.put("small", b"small")
    assert (await reader.get("small")).data == b"small"


async def test_checkpoint(nc: jetstow.Client, reader: jetstow.ObjectStore) -> None:
    writer = await nc.jetstream().object_store("b")
    async with writer.open("a", "wb", MANY_CHUNKS) as file:
        await file.write(DATA[:45_000])
        stored = await file.checkpoint()
        assert b"".join([each async for each in reader.stream_checkpoint(stored)]) == DATA[:45_000]


async def test_object_is_replaced(nc: jetstow.Client, reader: jetstow.ObjectStore) -> None:
    writer = await nc.jetstream().object_store("b")
    await writer.put("a", DATA, MANY_CHUNKS)
    chunks = reader.stream("a")
    assert await anext(chunks) == DATA[:10_000]
    await writer.put("a", b"other")
    with pytest.raises(ObjectChangedError):
        await anext(chunks)


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize(
    ("lost", "text"),
    [(1, "has lost 1 of its 200 chunks"), (200, "has lost 200 of its 200 chunks")],
)
async def test_chunks_that_the_leader_lacks(
    nc: jetstow.Client, reader: jetstow.ObjectStore, read: Read, lost: int, text: str
) -> None:
    info = await (await nc.jetstream().object_store("b")).put("a", DATA, MANY_CHUNKS)
    await object_builder.delete_chunks(nc, "b", info.nuid, *range(lost))
    with pytest.raises(ChunksLostError, match=text):
        await read(reader, 1_234_567, 1_300_000)


@pytest.mark.parametrize("read", READS)
async def test_chunks_that_the_metadata_lacks(
    nc: jetstow.Client, reader: jetstow.ObjectStore, read: Read
) -> None:
    info = await (await nc.jetstream().object_store("b")).put("a", DATA, MANY_CHUNKS)
    await object_builder.write_chunks(nc, "b", [b"x"], info.nuid)
    with pytest.raises(SizeMismatchError, match="has 201 chunks in the stream and 200 in"):
        await read(reader, 1_234_567, 1_300_000)
