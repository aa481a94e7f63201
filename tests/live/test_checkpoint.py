"""Checkpoints of an object that is being written: its chunks outlive a failure."""

from __future__ import annotations

import asyncio

import pytest

import jetstow
from jetstow import ObjectMetaOptions, StoredChunks
from jetstow.errors import (
    ChunksLostError,
    InvalidOptionError,
    ObjectAlreadyExists,
    ObjectNotFoundError,
    RevisionMismatchError,
)
from jetstow.models import ObjectMeta
from tests.support.samples import some_bytes

pytestmark = [pytest.mark.one_path, pytest.mark.first_and_last_version]

DATA = some_bytes(95)
META = ObjectMeta(name="a", options=ObjectMetaOptions(max_chunk_size=10))


async def read(store: jetstow.ObjectStore, stored: StoredChunks) -> bytes:
    return b"".join([chunk async for chunk in store.stream_checkpoint(stored)])


async def test_checkpoint_has_all_bytes(store: jetstow.ObjectStore) -> None:
    async with store.open("a", "wb", META) as file:
        await file.write(DATA[:33])
        stored = await file.checkpoint()
        assert (stored.chunks, stored.chunk_size, stored.size) == (3, 10, 33)
        await file.write(DATA[33:])
        assert await read(store, stored) == DATA[:33]
    assert (await store.get("a")).data == DATA


async def test_abort_at_the_end_of_a_checkpoint(store: jetstow.ObjectStore) -> None:
    """The server had replied, and the checkpoint kept the chunks that the abort was to purge."""
    file = await store.open("a", "wb", META)
    await file.write(DATA[:20])
    checkpoint = asyncio.create_task(file.checkpoint())
    mailbox = file._put._upload._publisher._mailbox  # type: ignore[union-attr]
    while not (checkpoint.done() or (mailbox._waiter and mailbox._waiter.done())):
        await asyncio.sleep(0)
    await file.abort()
    with pytest.raises(ValueError, match="object 'a' is closed"):
        await checkpoint
    assert (await store.collect_garbage(grace=0)).messages == 0


@pytest.mark.parametrize("sizes", [(10,), (12, 12), (10, 10, 40), (5, 5, 5)])
async def test_checkpoint_after_one_chunk(
    store: jetstow.ObjectStore, sizes: tuple[int, ...]
) -> None:
    """A first chunk is held back until there is a second: a checkpoint stores it alone."""
    written = 0
    async with store.open("a", "wb", META) as file:
        for size in sizes:
            await file.write(DATA[written : written + size])
            written += size
            stored = await file.checkpoint()
            assert (stored.chunks, stored.size) == (written // 10, written)
            assert await read(store, stored) == DATA[:written]
    info = await store.get_info("a")
    assert (info.size, info.chunks) == (written, -(-written // 10))
    assert (await store.get("a")).data == DATA[:written]


async def test_checkpoint_outlives_its_writer(store: jetstow.ObjectStore) -> None:
    file = await store.open("a", "wb", META)
    await file.write(DATA)
    stored = await file.checkpoint()
    await file.detach()
    with pytest.raises(ObjectNotFoundError):
        await store.get_info("a")
    assert await read(store, stored) == DATA
    assert (await store.collect_garbage(grace=0, keep=lambda nuids: nuids)).uploads == 0
    assert (await store.collect_garbage(grace=0)).uploads == 1
    with pytest.raises(ChunksLostError):
        await read(store, stored)


async def test_checkpoint_outlives_a_commit_that_fails(store: jetstow.ObjectStore) -> None:
    file = await store.open("a", "wb", META)
    await file.write(DATA)
    stored = await file.checkpoint()
    await store.put("a", b"other")
    file.expect_revision(0)
    with pytest.raises(ObjectAlreadyExists):
        await file.close()
    assert await read(store, stored) == DATA


async def test_abort_purges_the_chunks_of_a_checkpoint(store: jetstow.ObjectStore) -> None:
    file = await store.open("a", "wb", META)
    await file.write(DATA)
    stored = await file.checkpoint()
    await file.abort()
    with pytest.raises(ChunksLostError):
        await read(store, stored)
    assert (await store.collect_garbage(grace=0)).uploads == 0


async def test_detach_without_a_checkpoint_leaves_nothing(store: jetstow.ObjectStore) -> None:
    file = await store.open("a", "wb", META)
    await file.write(DATA)
    await file.detach()
    assert (await store.collect_garbage(grace=0)).uploads == 0


async def test_revision_is_expected_late(store: jetstow.ObjectStore) -> None:
    """The state of the name that was read when the writer was opened is older."""
    file = await store.open("a", "wb")
    await file.write(DATA)
    first = await store.put("a", b"one")
    second = await store.put("a", b"two")
    file.expect_revision(second.revision)
    await file.close()
    assert (await store.get("a")).data == DATA
    file = await store.open("a", "wb", expected_revision=file.info.revision if file.info else 0)
    file.expect_revision(first.revision)
    with pytest.raises(RevisionMismatchError):
        await file.close()
    assert (await store.get("a")).data == DATA


async def test_encrypted_object_has_no_checkpoint(store: jetstow.ObjectStore) -> None:
    async with store.encrypted(bytes(32)).open("a", "wb") as file:
        with pytest.raises(InvalidOptionError, match="checkpoint"):
            await file.checkpoint()


async def test_discarded_checkpoint(store: jetstow.ObjectStore) -> None:
    file = await store.open("a", "wb", META)
    await file.write(DATA)
    stored = await file.checkpoint()
    await file.detach()
    await store.discard_checkpoint(stored)
    with pytest.raises(ChunksLostError):
        await read(store, stored)
    assert (await store.collect_garbage(grace=0)).uploads == 0


async def test_checkpoint_of_a_complete_object_is_not_discarded(store: jetstow.ObjectStore) -> None:
    async with store.open("a", "wb", META) as file:
        await file.write(DATA)
        stored = await file.checkpoint()
    await store.discard_checkpoint(stored)
    assert (await store.get("a")).data == DATA
