"""open for reading: an object as a seekable file, at one revision."""

from __future__ import annotations

import array
import asyncio
import os
import random

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import (
    ChunksLostError,
    DigestMismatchError,
    InvalidObjectNameError,
    LinkIsABucketError,
    ObjectChangedError,
    ObjectDeletedError,
    ObjectNotFoundError,
)
from tests.support import object_builder
from tests.support.samples import some_bytes

pytestmark = pytest.mark.one_path

DATA = some_bytes(995)
SMALL_CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10))


@pytest.fixture
async def file(store: jetstow.ObjectStore) -> jetstow.ObjectReader:
    await store.put("a", DATA, SMALL_CHUNKS)
    return await store.open("a")


async def test_attributes_of_a_reader(
    file: jetstow.ObjectReader, store: jetstow.ObjectStore
) -> None:
    assert file.name == "a"
    assert file.info == await store.get_info("a")
    assert (file.readable(), file.writable(), file.seekable()) == (True, False, True)
    assert not file.closed


async def test_sequential_reads(file: jetstow.ObjectReader) -> None:
    assert file.tell() == 0
    assert await file.read(0) == b""
    assert await file.read(5) == DATA[:5]
    assert file.tell() == 5
    assert await file.read(20) == DATA[5:25]
    assert await file.read(7) == DATA[25:32]
    assert await file.read() == DATA[32:]
    assert file.tell() == 995
    assert await file.read() == b""
    assert await file.read(10) == b""


async def test_read_all(store: jetstow.ObjectStore) -> None:
    await store.put("a", DATA, SMALL_CHUNKS)
    for everything in ((), (None,), (-1,), (-7,), (995,), (10_000,)):
        async with store.open("a") as file:
            assert await file.read(*everything) == DATA


async def test_seek(file: jetstow.ObjectReader) -> None:
    assert await file.seek(500) == 500
    assert await file.read(5) == DATA[500:505]
    assert await file.seek(-5, os.SEEK_CUR) == 500
    assert await file.seek(7, 1) == 507
    assert await file.read(3) == DATA[507:510]
    assert await file.seek(-4, os.SEEK_END) == 991
    assert await file.read(100) == DATA[991:]
    assert await file.seek(0) == 0
    assert await file.read(12) == DATA[:12]


async def test_read_past_the_end(file: jetstow.ObjectReader) -> None:
    assert await file.seek(2_000) == 2_000
    assert file.tell() == 2_000
    assert await file.read() == b""
    assert await file.read(5) == b""
    assert [piece async for piece in file] == []
    assert await file.seek(5, os.SEEK_END) == 1_000
    assert await file.seek(990) == 990
    assert await file.read(10) == DATA[990:]


async def test_seek_to_an_invalid_position(file: jetstow.ObjectReader) -> None:
    await file.seek(3)
    for offset, whence in ((-1, 0), (-4, 1), (-996, 2), (0, 3), (0, -1)):
        with pytest.raises(ValueError, match=r"before the start|whence"):
            await file.seek(offset, whence)
    assert file.tell() == 3
    assert await file.read(2) == DATA[3:5]


async def test_seeks_and_reads_match_bytesio(file: jetstow.ObjectReader) -> None:
    import io

    rng, expected = random.Random(5), io.BytesIO(DATA)
    for _ in range(60):
        if rng.random() < 0.4:
            position = rng.randint(0, 1_000)
            assert await file.seek(position) == expected.seek(position)
        size = rng.choice([0, 1, 9, 10, 11, 100, 400, -1])
        assert await file.read(size) == expected.read(size)
        assert file.tell() == expected.tell()


async def test_readinto(file: jetstow.ObjectReader) -> None:
    buffer = bytearray(7)
    assert await file.readinto(buffer) == 7
    assert buffer == DATA[:7]
    numbers = array.array("i", [0, 0])
    assert await file.readinto(numbers) == 8
    assert numbers.tobytes() == DATA[7:15]
    await file.seek(-3, os.SEEK_END)
    assert await file.readinto(buffer) == 3
    assert buffer == DATA[-3:] + DATA[3:7]
    assert await file.readinto(buffer) == 0
    with pytest.raises(TypeError):
        await file.readinto(b"read only")


async def test_iteration_yields_the_rest(file: jetstow.ObjectReader) -> None:
    await file.seek(13)
    assert await file.read(2) == DATA[13:15]
    pieces = [piece async for piece in file]
    assert b"".join(pieces) == DATA[15:]
    assert len(pieces) > 1
    assert all(type(piece) is bytes for piece in pieces)
    await file.seek(990)
    assert b"".join([piece async for piece in file]) == DATA[990:]


async def test_empty_object(store: jetstow.ObjectStore) -> None:
    await store.put("a", b"")
    async with store.open("a") as file:
        assert await file.read() == b""
        assert await file.read(5) == b""
        assert await file.seek(0, os.SEEK_END) == 0
        assert [piece async for piece in file] == []


async def test_closed_reader(store: jetstow.ObjectStore) -> None:
    await store.put("a", DATA, SMALL_CHUNKS)
    async with store.open("a") as file:
        await file.read(3)
    assert file.closed
    await file.close()
    for step in (file.read(), file.read(0), file.seek(0), file.readinto(bytearray(1)), anext(file)):
        with pytest.raises(ValueError, match="closed"):
            await step
    assert file.tell() == 3


async def test_open_with_await(store: jetstow.ObjectStore) -> None:
    await store.put("a", DATA, SMALL_CHUNKS)
    file = await store.open("a", "rb")
    assert await file.read() == DATA
    await file.close()


async def test_open_of_a_link(store: jetstow.ObjectStore) -> None:
    await store.put("a", DATA, SMALL_CHUNKS)
    await store.add_link("link", "a")
    async with store.open("link") as file:
        assert await file.read() == DATA
        assert file.info.name == "a"


async def test_open_errors(store: jetstow.ObjectStore) -> None:
    await store.put("gone", b"x")
    await store.delete("gone")
    await store.add_bucket_link("all", store)
    for name, kind in (
        ("never", ObjectNotFoundError),
        ("gone", ObjectDeletedError),
        ("all", LinkIsABucketError),
        ("", InvalidObjectNameError),
    ):
        with pytest.raises(kind):
            await store.open(name)
        with pytest.raises(kind):
            async with store.open(name):
                pass
    for mode in ("r", "w", "ab", "r+b", "", None):
        with pytest.raises(ValueError, match="'rb' or 'wb'"):
            store.open("a", mode)  # type: ignore[call-overload]


# -- damaged objects and cancelled reads -------------------------------------------------


@pytest.mark.parametrize("sizes", [(995,), (-1,), (500, 495), (990, 5), (985, 5, 5), (0, -1)])
async def test_sequential_read_verifies_the_digest(
    store: jetstow.ObjectStore, raw: Client, sizes: tuple[int, ...]
) -> None:
    """If the last bytes were in the read-ahead, the end of the object was not verified."""
    await store.put("a", DATA, SMALL_CHUNKS)
    await object_builder.change_metadata(raw, store.bucket, "a", digest="SHA-256=" + "A" * 43)
    async with store.open("a") as file:
        for size in sizes[:-1]:
            await file.read(size)
        with pytest.raises(DigestMismatchError):
            await file.read(sizes[-1])


async def test_iteration_verifies_the_digest(store: jetstow.ObjectStore, raw: Client) -> None:
    await store.put("a", DATA, SMALL_CHUNKS)
    await object_builder.change_metadata(raw, store.bucket, "a", digest="SHA-256=" + "A" * 43)
    async with store.open("a") as file:
        found = b"".join([await anext(file) for _ in range(100)])
        assert found == DATA
        with pytest.raises(DigestMismatchError):
            await anext(file)


async def test_failed_read_is_not_end_of_file(store: jetstow.ObjectStore, raw: Client) -> None:
    """A read after a failed one returned b"", as at the end of the file."""
    info = await store.put("a", DATA, SMALL_CHUNKS)
    async with store.open("a") as file:
        await file.seek(5)
        await object_builder.delete_chunks(raw, store.bucket, info.nuid, 50)
        for _ in range(3):
            with pytest.raises(ChunksLostError):
                await file.read()
            assert file.tell() == 5


async def test_read_after_a_cancelled_read(store: jetstow.ObjectStore) -> None:
    """A cancelled read closed the chunk iterator, and the next read took that for the end."""
    large = some_bytes(3_000_000)
    await store.put("a", large)
    async with store.open("a") as file:
        await file.seek(10)
        for steps in range(1, 30, 3):
            task = asyncio.create_task(file.read())
            for _ in range(steps):
                await asyncio.sleep(0)
            if not task.cancel():
                assert task.result() == large[10:], "the read was not cancelled in time"
                await file.seek(10)
                continue
            with pytest.raises(asyncio.CancelledError):
                await task
            assert file.tell() == 10
        assert await file.read() == large[10:]


async def test_read_at_keeps_the_position(file: jetstow.ObjectReader) -> None:
    await file.seek(7)
    reads = [file.read_at(offset, 100) for offset in (0, 500, 900, 990, 995, 2_000)]
    expected = [DATA[offset : offset + 100] for offset in (0, 500, 900, 990, 995, 2_000)]
    assert await asyncio.gather(*reads) == expected
    assert await file.read_at(3, 0) == b""
    assert (file.tell(), await file.read(5)) == (7, DATA[7:12])
    for offset, size in ((-1, 1), (0, -1)):
        with pytest.raises(ValueError, match="'a'"):
            await file.read_at(offset, size)
    await file.close()
    with pytest.raises(ValueError, match="closed"):
        await file.read_at(0, 1)


async def test_read_at_of_a_replaced_object(
    file: jetstow.ObjectReader, store: jetstow.ObjectStore
) -> None:
    await store.put("a", b"new")
    with pytest.raises(ObjectChangedError):
        await file.read_at(0, 10)
