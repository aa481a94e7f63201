"""stream: an object's bytes as they come, and what is true at its end."""

from __future__ import annotations

from contextlib import aclosing

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import DigestMismatchError, ObjectNotFoundError
from tests.support import object_builder, raw_stream
from tests.support.samples import some_bytes

DATA = some_bytes(95)
LARGE = some_bytes(6_000_000)
TINY = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10))


async def test_the_chunks_come_in_order(store: jetstow.ObjectStore) -> None:
    await store.put("a", DATA, TINY)
    chunks = [chunk async for chunk in store.stream("a")]
    assert chunks == [DATA[start : start + 10] for start in range(0, 95, 10)]
    assert all(type(chunk) is bytes for chunk in chunks)


async def test_an_empty_object_gives_nothing(store: jetstow.ObjectStore) -> None:
    await store.put("a", b"")
    assert [chunk async for chunk in store.stream("a")] == []


async def test_leaving_early_leaves_the_connection_usable_and_no_consumer(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    await store.put("a", LARGE)
    for _ in range(5):
        async with aclosing(store.stream("a")) as chunks:
            async for chunk in chunks:
                assert LARGE.startswith(chunk)
                break
    assert await raw_stream.consumers(raw, store.bucket) == 0
    assert (await store.get("a")).data == LARGE


async def test_leaving_without_closing_blocks_nobody(store: jetstow.ObjectStore) -> None:
    """What was asked for and is not read counts against no later transfer."""
    await store.put("a", LARGE)
    left = []
    for _ in range(20):
        chunks = store.stream("a")
        assert LARGE.startswith(await anext(chunks))
        left.append(chunks)
    assert (await store.get("a")).data == LARGE
    for chunks in left:
        await chunks.aclose()


async def test_a_slow_reader_gets_everything(store: jetstow.ObjectStore) -> None:
    await store.put("a", LARGE)
    await store.put("b", DATA, TINY)
    found = b""
    async for chunk in store.stream("a"):
        found += chunk
        assert (await store.get("b")).data == DATA, "and others read meanwhile"
    assert found == LARGE


async def test_the_end_is_an_error_where_the_bytes_are_not_right(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    await store.put("a", DATA, TINY)
    await object_builder.change_metadata(raw, store.bucket, "a", digest="SHA-256=" + "A" * 43)
    chunks = store.stream("a")
    assert b"".join([await anext(chunks) for _ in range(10)]) == DATA
    with pytest.raises(DigestMismatchError):
        await anext(chunks)


async def test_what_is_not_there_is_found_out_at_the_first_step(
    store: jetstow.ObjectStore,
) -> None:
    with pytest.raises(ObjectNotFoundError):
        await anext(store.stream("never"))
