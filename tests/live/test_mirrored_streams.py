"""Buckets whose streams are mirrors of other streams, or have them as sources."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import (
    BucketSealedError,
    ChunksLostError,
    ObjectNotFoundError,
    WrongStreamError,
)
from tests.support import object_builder, raw_stream
from tests.support.samples import some_bytes

# A mirror of an older server stops at a message with an expected revision.
pytestmark = [pytest.mark.one_path, pytest.mark.min_server("2.11")]

DATA = some_bytes(500_000)


async def copy_stream(raw: Client, bucket: str, **options: Any) -> None:
    """Create a stream without subjects of its own, and wait until it has all messages."""
    await raw_stream.create(raw, bucket, subjects=None, **options)
    origin = options.get("mirror") or options["sources"][0]
    wanted = await raw_stream.request(raw, f"STREAM.INFO.{origin['name']}")
    while True:
        info = await raw_stream.request(raw, f"STREAM.INFO.OBJ_{bucket}")
        if info["state"]["messages"] == wanted["state"]["messages"]:
            return


# -- mirrors -----------------------------------------------------------------------------


@pytest.fixture
async def origin(store: jetstow.ObjectStore) -> jetstow.ObjectStore:
    """A bucket with two objects, a link and a delete marker."""
    await store.put("a", DATA)
    await store.put("b", b"small")
    await store.add_link("link", "a")
    await store.put("gone", b"x")
    await store.delete("gone")
    return store


async def check_copy(copy: jetstow.ObjectStore) -> None:
    """Check every way to read the objects of `origin`."""
    assert {info.name for info in await copy.list()} == {"a", "b", "link"}
    assert {info.name async for info in copy.find("?")} == {"a", "b"}
    for name in ("a", "link"):
        assert (await copy.get(name)).data == DATA
    info = await copy.get_info("a")
    assert info.bucket == copy.bucket
    assert await copy.get_range("a", 300_000, 10) == DATA[300_000:300_010]
    assert b"".join([chunk async for chunk in copy.stream("a")]) == DATA
    async with copy.open("a") as file:
        assert await file.read() == DATA
    async with await copy.watch(ignore_deletes=True) as changes:
        names = [change.name async for change in _until_none(changes)]
        assert sorted(names) == ["a", "b", "link"]
    for quick in (False, True):
        result = await copy.verify(quick=quick)
        assert (result.ok, result.objects, result.links) == (True, 2, 1)
    with pytest.raises(ObjectNotFoundError):
        await copy.get("gone")


async def _until_none(changes: jetstow.ObjectWatcher) -> AsyncIterator[jetstow.ObjectInfo]:
    async for change in changes:
        if change is None:
            return
        yield change


@pytest.mark.parametrize("kind", ["mirror", "sources"])
@pytest.mark.parametrize("transformed", [False, True])
async def test_copied_stream(
    js: jetstow.JetStreamContext, raw: Client, origin: jetstow.ObjectStore,
    kind: str, transformed: bool,
) -> None:  # fmt: skip
    """A mirror has the subjects of the other bucket: it read as empty, and verify succeeded."""
    bucket = f"{origin.bucket}-copy"
    other: dict[str, Any] = {"name": f"OBJ_{origin.bucket}"}
    if transformed:
        transform = {"src": f"$O.{origin.bucket}.>", "dest": f"$O.{bucket}.>"}
        other["subject_transforms"] = [transform]
    await copy_stream(raw, bucket, **{kind: other if kind == "mirror" else [other]})
    copy = await js.object_store(bucket)
    await check_copy(copy)
    what = "mirror" if kind == "mirror" else "copy"
    before = await raw_stream.subjects(raw, origin.bucket)
    for change in (
        copy.put("a", DATA),
        copy.delete("a"),
        copy.rename("a", "c"),
        copy.update_meta("a", ObjectMeta(description="x")),
        copy.add_link("c", "b"),
        copy.collect_garbage(grace=0),
    ):
        with pytest.raises(BucketSealedError, match=f"is a {what} of stream 'OBJ_{origin.bucket}'"):
            await change
    assert await raw_stream.subjects(raw, origin.bucket) == before
    assert (await copy.collect_garbage(grace=0, dry_run=True)).messages == 0


@pytest.mark.parametrize("kind", ["mirror", "sources"])
async def test_updated_copy(
    js: jetstow.JetStreamContext, raw: Client, origin: jetstow.ObjectStore, kind: str
) -> None:
    """The store that was returned read as empty."""
    bucket, other = f"{origin.bucket}-copy", {"name": f"OBJ_{origin.bucket}"}
    await copy_stream(raw, bucket, **{kind: other if kind == "mirror" else [other]})
    for update in (js.update_object_store, js.create_or_update_object_store):
        copy = await update(bucket, description=update.__name__)
        assert (await copy.status()).description == update.__name__
        await check_copy(copy)


async def test_range_from_replicas_without_the_last_chunks(
    js: jetstow.JetStreamContext, raw: Client, store: jetstow.ObjectStore
) -> None:
    """They count the chunks wrongly from the end: the range began at an earlier chunk.

    Mirrors with `mirror_direct` reply to Direct Gets like replicas. These lag forever.
    """
    size, chunks = 10_000, 300
    data = some_bytes(size * chunks)
    meta = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=size))

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(data), size):
            yield data[start : start + size]
            await asyncio.sleep(0)

    # Chunks of two writers: their sequences do not show their numbers.
    info, _ = await asyncio.gather(*(store.put(name, pieces(), meta) for name in ("a", "b")))
    last_seqs = (await object_builder.chunk_sequences(raw, store.bucket, info.nuid))[-50:]
    for number in range(5):
        bucket = f"{store.bucket}-{number}"
        await copy_stream(raw, bucket, mirror={"name": f"OBJ_{store.bucket}"}, mirror_direct=True)
        for seq in last_seqs:
            await raw_stream.request(raw, f"STREAM.MSG.DELETE.OBJ_{bucket}", {"seq": seq})
    right = 0
    for start in range(0, size * 200, size):
        with suppress(ChunksLostError):
            assert await store.get_range("a", start, 10) == data[start : start + 10]
            right += 1
    assert right > 100


async def test_mirror_of_a_mirror(
    js: jetstow.JetStreamContext, raw: Client, origin: jetstow.ObjectStore
) -> None:
    names = [origin.bucket, f"{origin.bucket}-1", f"{origin.bucket}-2"]
    for source, target in itertools.pairwise(names):
        await copy_stream(raw, target, mirror={"name": f"OBJ_{source}"})
    await check_copy(await js.object_store(names[-1]))


async def test_mirror_that_was_opened_empty(
    js: jetstow.JetStreamContext, raw: Client, store: jetstow.ObjectStore
) -> None:
    bucket = f"{store.bucket}-copy"
    await copy_stream(raw, bucket, mirror={"name": f"OBJ_{store.bucket}"})
    copy = await js.object_store(bucket)
    async with await copy.watch() as changes:
        assert await changes.updates() is None
        await store.put("a", b"data")
        change = await changes.updates()
        assert change is not None
        assert (await copy.get(change.name)).data == b"data"


async def test_stream_with_objects_of_several_buckets(
    js: jetstow.JetStreamContext, raw: Client, origin: jetstow.ObjectStore
) -> None:
    """The objects of the other buckets were missing."""
    bucket = f"{origin.bucket}-all"
    await raw_stream.create(raw, bucket, sources=[{"name": f"OBJ_{origin.bucket}"}])
    while not (await raw_stream.request(raw, f"STREAM.INFO.OBJ_{bucket}"))["state"]["messages"]:
        await asyncio.sleep(0)
    store = await js.object_store(bucket)
    assert (await store.get("b")).data == b"small"
    with pytest.raises(BucketSealedError, match=f"has the objects of bucket '{origin.bucket}'"):
        await store.put("own", b"data")
    await raw_stream.write_metadata(raw, bucket, "own", {"name": "own", "nuid": "x"})
    with pytest.raises(WrongStreamError, match="and of other buckets"):
        await js.object_store(bucket)
