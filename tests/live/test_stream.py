"""stream: an object's chunks in order, with verification at the end."""

from __future__ import annotations

from contextlib import aclosing

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import (
    DigestMismatchError,
    InvalidRangeError,
    ObjectNotFoundError,
    ObjectUnchangedError,
    RevisionMismatchError,
)
from tests.support import object_builder, raw_stream
from tests.support.samples import some_bytes

DATA = some_bytes(95)
LARGE = some_bytes(6_000_000)
SMALL_CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10))


async def test_chunks_in_order(store: jetstow.ObjectStore) -> None:
    await store.put("a", DATA, SMALL_CHUNKS)
    chunks = [chunk async for chunk in store.stream("a")]
    assert chunks == [DATA[start : start + 10] for start in range(0, 95, 10)]
    assert all(type(chunk) is bytes for chunk in chunks)


@pytest.mark.parametrize(
    ("start", "length"), [(0, 95), (0, 1), (3, None), (10, 20), (15, 1_000), (95, None), (5, 0)]
)
async def test_range(store: jetstow.ObjectStore, start: int, length: int | None) -> None:
    await store.put("a", DATA, SMALL_CHUNKS)
    pieces = [piece async for piece in store.stream("a", start, length)]
    stop = None if length is None else start + length
    assert b"".join(pieces) == DATA[start:stop] == await store.get_range("a", start, length)
    assert all(type(piece) is bytes and piece for piece in pieces)


async def test_range_of_a_large_object(store: jetstow.ObjectStore) -> None:
    await store.put("a", LARGE)
    vault = store.encrypted(bytes(32))
    await vault.put("v", LARGE)
    await store.add_link("link", "a")
    for view, name in ((store, "a"), (store, "link"), (vault, "v")):
        pieces = [piece async for piece in view.stream(name, start=2_000_001, length=3_000_000)]
        assert b"".join(pieces) == LARGE[2_000_001:5_000_001]
        assert len(pieces) > 1


async def test_range_outside_of_the_object(store: jetstow.ObjectStore) -> None:
    info = await store.put("a", DATA)
    for start, length in ((96, None), (-1, None), (0, -1)):
        with pytest.raises(InvalidRangeError):
            await anext(store.stream("a", start, length))
    with pytest.raises(RevisionMismatchError):
        await anext(store.stream("a", 1, expected_revision=info.revision + 1))
    with pytest.raises(ObjectUnchangedError):
        await anext(store.stream("a", 1, if_changed_since=info.revision))


async def test_empty_object(store: jetstow.ObjectStore) -> None:
    await store.put("a", b"")
    assert [chunk async for chunk in store.stream("a")] == []


async def test_stream_closed_early(store: jetstow.ObjectStore, raw: Client) -> None:
    await store.put("a", LARGE)
    for _ in range(5):
        async with aclosing(store.stream("a")) as chunks:
            async for chunk in chunks:
                assert LARGE.startswith(chunk)
                break
    assert await raw_stream.consumer_count(raw, store.bucket) == 0
    assert (await store.get("a")).data == LARGE


async def test_abandoned_streams_do_not_block_others(store: jetstow.ObjectStore) -> None:
    """Chunks that were requested but not read must not count against later transfers."""
    await store.put("a", LARGE)
    abandoned = []
    for _ in range(20):
        chunks = store.stream("a")
        assert LARGE.startswith(await anext(chunks))
        abandoned.append(chunks)
    assert (await store.get("a")).data == LARGE
    for chunks in abandoned:
        await chunks.aclose()


async def test_slow_reader(store: jetstow.ObjectStore) -> None:
    await store.put("a", LARGE)
    await store.put("b", DATA, SMALL_CHUNKS)
    found = b""
    async for chunk in store.stream("a"):
        found += chunk
        assert (await store.get("b")).data == DATA, "concurrent reads succeed"
    assert found == LARGE


async def test_digest_mismatch_at_the_end(store: jetstow.ObjectStore, raw: Client) -> None:
    await store.put("a", DATA, SMALL_CHUNKS)
    await object_builder.change_metadata(raw, store.bucket, "a", digest="SHA-256=" + "A" * 43)
    chunks = store.stream("a")
    assert b"".join([await anext(chunks) for _ in range(10)]) == DATA
    with pytest.raises(DigestMismatchError):
        await anext(chunks)


async def test_missing_object_raises_on_the_first_chunk(
    store: jetstow.ObjectStore,
) -> None:
    with pytest.raises(ObjectNotFoundError):
        await anext(store.stream("never"))
