"""Objects of broken and malicious clients: a correct result, or one error.

Metadata must affect its own name only: no chunks of other objects, no subjects of the server, and
no unlimited memory.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import tracemalloc
from typing import Any

import nats
import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta
from jetstow.errors import (
    BadObjectMetaError,
    BucketNotFoundError,
    ChunksLostError,
    IntegrityError,
    InvalidOptionError,
    InvalidRangeError,
    JetstowError,
    LinkError,
    ObjectAlreadyExists,
    ObjectDeletedError,
    ObjectNotFoundError,
)
from tests.support import object_builder, raw_stream
from tests.support.malicious import (
    BUFFER_SIZE,
    Verbs,
    raised_error,
    unreadable_metadata,
    unusual_metadata,
)
from tests.support.samples import digest_of, some_bytes
from tests.support.servers import NatsServer

pytestmark = pytest.mark.one_path

# No verb may hang. The test of one bucket takes much less time. In seconds.
LIMIT = 40
DATA = some_bytes(40)
PIECES = [DATA[:20], DATA[20:]]
VICTIM = some_bytes(300)


async def watched_names(store: jetstow.ObjectStore) -> set[str]:
    async with await store.watch() as watcher:
        found: set[str] = set()
        async for change in watcher:
            if change is None:
                return found
            found.add(change.name)
    raise AssertionError("the watcher ended before None")


@pytest.fixture
async def victim(store: jetstow.ObjectStore) -> jetstow.ObjectInfo:
    """A regular object in the bucket that must stay intact."""
    options = jetstow.ObjectMetaOptions(max_chunk_size=50)
    return await store.put("victim", VICTIM, ObjectMeta(options=options))


async def check_victim(store: jetstow.ObjectStore, victim: jetstow.ObjectInfo) -> None:
    assert (await store.get_info("victim")).revision == victim.revision
    assert (await store.get("victim")).data == VICTIM


async def test_unreadable_metadata_does_not_affect_other_objects(
    store: jetstow.ObjectStore, raw: Client, victim: jetstow.ObjectInfo
) -> None:
    body = await object_builder.write_object(raw, store.bucket, "base", PIECES)
    bodies = unreadable_metadata(body)
    for name, metadata in bodies.items():
        await raw_stream.write_metadata(raw, store.bucket, name, metadata)
    chunks = await raw_stream.chunks(raw, store.bucket)
    async with asyncio.timeout(LIMIT):
        assert {info.name for info in await store.list()} == {"victim", "base"}
        assert {info.name async for info in store.list()} == {"victim", "base"}
        assert await watched_names(store) == {"victim", "base"}
        for number, name in enumerate(bodies):
            first, *others = Verbs(store, name).reads_and_lookups
            for verb in (first, others[number % len(others)]):
                error = await raised_error(verb, store, name)
                assert type(error) is BadObjectMetaError, (name, error)
            meta = ObjectMeta(name=name, description="new")
            update = functools.partial(store.update_meta, name, meta)
            error = await raised_error(update, store, name)
            assert isinstance(error, BadObjectMetaError | ObjectDeletedError)
            for write in (
                functools.partial(store.put, name, b"new", expected_revision=0),
                functools.partial(store.rename, "base", name),
                functools.partial(store.add_link, name, "victim"),
            ):
                error = await raised_error(write, store, name)
                assert isinstance(error, ObjectAlreadyExists), (name, error)
                assert "its metadata cannot be read; to replace it, delete" in str(error)
        for number, name in enumerate(bodies):
            await (store.delete(name) if number % 2 else store.put(name, b"new"))
            again = store.get(name)
            if number % 2:
                with pytest.raises(ObjectDeletedError):
                    await again
                await store.put(name, b"new")
            else:
                assert (await again).data == b"new"
        await check_victim(store, victim)
        assert (await store.get("base")).data == DATA
    remaining = await raw_stream.chunks(raw, store.bucket)
    assert {nuid: remaining[nuid] for nuid in chunks} == chunks, (
        "unreadable metadata purges nothing"
    )


async def test_unusual_but_valid_metadata(
    store: jetstow.ObjectStore, raw: Client, victim: jetstow.ObjectInfo
) -> None:
    names = list(unusual_metadata({}))
    async with asyncio.timeout(LIMIT):
        for name in names:
            body = await object_builder.write_object(raw, store.bucket, name, PIECES)
            metadata = unusual_metadata(body)[name]
            await raw_stream.write_metadata(raw, store.bucket, name, metadata)
            info = await store.get_info(name)
            assert (info.name, info.bucket, info.size) == (name, store.bucket, 40)
            for read in Verbs(store, name).reads:
                assert await read() == DATA, name
            assert await store.get_range(name, 19, 3) == DATA[19:22]
            # `update_meta` writes the fields of other clients again, and omits invalid ones.
            await store.update_meta(name, ObjectMeta(name=name, headers={"A\r\nB": ["c\r\n\r\n"]}))
            assert (await store.get_info(name)).headers == {"A\r\nB": ["c\r\n\r\n"]}
            await store.add_link(f"link to {name}", name)
            assert (await store.get(f"link to {name}")).data == DATA
        everything = {"victim", *names, *(f"link to {name}" for name in names)}
        assert (
            {info.name for info in await store.list()} == await watched_names(store) == everything
        )
        for name in names:
            await store.delete(name)
        await check_victim(store, victim)
    assert await raw_stream.chunks(raw, store.bucket) == {victim.nuid: victim.chunks}


LIES: list[dict[str, Any]] = [
    {"size": 2**63 - 1},
    {"size": 2**63 - 1, "chunks": 2**63 - 1},
    {"size": 2**63 - 1, "chunks": 2**63 - 1, "options": {"max_chunk_size": 1}},
    {"size": 2**40, "chunks": 2**40, "options": {"max_chunk_size": 1}},
    {"size": 2**62, "chunks": 2**31, "options": {"max_chunk_size": 2**31}},
    {"size": 0, "chunks": 2**63 - 1},
    {"size": 2**63 - 1, "chunks": 0},
    {"size": 39},
    {"size": 41},
    {"chunks": 1},
    {"chunks": 3},
    {"digest": "SHA-256=" + "x" * 500_000},
    {"digest": "SHA-1024=x"},
    {"digest": "\r\n\x1b[2J"},
    {"digest": digest_of(b"other")},
]


async def test_wrong_sizes_counts_and_digests(
    store: jetstow.ObjectStore, raw: Client, victim: jetstow.ObjectInfo
) -> None:
    async with asyncio.timeout(LIMIT):
        for number, lie in enumerate(LIES):
            name = f"lie {number}"
            body = await object_builder.write_object(raw, store.bucket, name, PIECES, **lie)
            assert (await store.get_info(name)).size == body["size"]
            verbs = Verbs(store, name)
            for read in verbs.reads:
                if body["size"] == 0 and read in {verbs.get_range, verbs.open}:
                    continue
                does_not_fit = read == verbs.get_into_buffer and body["size"] > BUFFER_SIZE
                with pytest.raises(
                    InvalidOptionError if does_not_fit else IntegrityError
                ) as caught:
                    await read()
                assert (caught.value.bucket, caught.value.name) == (store.bucket, name), lie
            for start in (0, 1, 19, 20, 39, 41, 2**61):
                try:
                    found = await store.get_range(name, start, 1)
                except (IntegrityError, InvalidRangeError):
                    continue
                assert found == DATA[start : min(start + 1, body["size"])], (lie, start)
            await store.delete(name)
            with pytest.raises(ObjectDeletedError):
                await store.get(name)
        await check_victim(store, victim)


async def test_metadata_that_refers_to_chunks_of_another_object(
    store: jetstow.ObjectStore, raw: Client, victim: jetstow.ObjectInfo
) -> None:
    """A client that may write metadata can delete any chunks of its bucket. It can neither make a
    reader return other bytes than were put, nor reach another bucket."""
    theirs = await raw_stream.metadata(raw, store.bucket, "victim")
    await raw_stream.write_metadata(raw, store.bucket, "thief", theirs | {"name": "thief"})
    assert (await store.get("thief")).data == VICTIM
    lying = theirs | {"size": 50, "chunks": 1, "digest": digest_of(VICTIM[:50])}
    await raw_stream.write_metadata(raw, store.bucket, "liar", lying)
    with pytest.raises(IntegrityError):
        await store.get("liar")
    await check_victim(store, victim)
    await store.delete("thief")
    with pytest.raises(ChunksLostError) as caught:
        await store.get("victim")
    assert caught.value.name == "victim"


async def test_dangling_and_circular_links(
    store: jetstow.ObjectStore, js: jetstow.JetStreamContext, raw: Client
) -> None:
    other = await js.create_object_store(f"{store.bucket}-other")

    async def link(bucket: str, name: str, to: str, into: str, **more: Any) -> None:
        body = {"name": name, "options": {"link": {"bucket": to, "name": into}}} | more
        await raw_stream.write_metadata(raw, bucket, name, body)

    nuid = await object_builder.write_chunks(raw, store.bucket, PIECES)
    one, two = store.bucket, other.bucket
    for bucket, name, to, into in [
        (one, "itself", one, "itself"),
        (one, "a", two, "b"), (two, "b", one, "c"), (one, "c", one, "a"),
    ]:  # fmt: skip
        await link(bucket, name, to, into)
    for number in range(100):
        await link(one, f"chain {number}", one, f"chain {number + 1}")
    await link(one, "no bucket", "no-such-bucket", "x")
    await link(one, "no object", two, "never there")
    await link(one, "its bytes", two, "never there", nuid=nuid, chunks=2, size=40)
    await other.put("deleted", b"x")
    await other.delete("deleted")
    await link(one, "gone", two, "deleted")
    ends: dict[str, type[JetstowError]] = {
        "itself": LinkError, "a": LinkError, "chain 0": LinkError,
        "no bucket": BucketNotFoundError, "no object": ObjectNotFoundError,
        "its bytes": ObjectNotFoundError, "gone": ObjectDeletedError,
    }  # fmt: skip
    async with asyncio.timeout(LIMIT):
        for name, kind in ends.items():
            for read in Verbs(store, name).reads:
                with pytest.raises(kind) as caught:
                    await read()
                assert caught.value.bucket in {one, two, "no-such-bucket"}
                assert caught.value.name or kind is BucketNotFoundError
            assert (await store.get_info(name)).is_link()
            with pytest.raises(LinkError):
                await store.add_link("a new link", name)
            await store.update_meta(name, ObjectMeta(name=name, description="new"))
            await store.delete(name)
            await store.put(name, DATA)
            assert (await store.get(name)).data == DATA
    remaining = await raw_stream.chunks(raw, store.bucket)
    assert remaining[nuid] == 2, "a link has no chunks: its NUID is ignored"
    await js.delete_object_store(other.bucket)


async def test_oversized_metadata_is_not_parsed(caplog: pytest.LogCaptureFixture) -> None:
    """With a large `max_payload`, a few entries exhausted the memory of a client that listed."""
    numbers = b",".join([b"[[[]]]"] * 700_000)
    body = b'{"nuid": "n", "size": 1, "chunks": 1, "x": [' + numbers + b"]}"
    with NatsServer(config="max_payload: 8MB") as server:
        nc, raw = await jetstow.connect(server.url), await nats.connect(server.url)
        store = await nc.jetstream().create_object_store("b")
        await store.put("fine", DATA)
        for number in range(5):
            await raw_stream.write_metadata(raw, "b", f"large {number}", body)
        async with asyncio.timeout(LIMIT):
            assert [info.name for info in await store.list()] == ["fine"]
            assert len(caplog.records) == 5, "one warning for each entry"
            caplog.set_level(logging.ERROR, "jetstow")  # records keep references to the errors
            caplog.clear()
            tracemalloc.start()
            assert [info.name async for info in store.list()] == ["fine"]
            assert await watched_names(store) == {"fine"}
            for look in Verbs(store, "large 0").reads_and_lookups:
                assert type(await raised_error(look, store, "large 0")) is BadObjectMetaError
            # One entry takes 160 MiB if it is parsed.
            assert tracemalloc.get_traced_memory()[1] < 80 * 1024 * 1024
            await store.delete("large 0")
            await store.put("large 1", DATA)
            assert (await store.get("large 1")).data == DATA
        tracemalloc.stop()
        await nc.close()
        await raw.close()
