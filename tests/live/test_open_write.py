"""open for writing: an object that is written in pieces and exists after `close`."""

from __future__ import annotations

import asyncio

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import (
    InvalidDataError,
    InvalidObjectNameError,
    InvalidOptionError,
    LinkError,
    ObjectAlreadyExists,
    ObjectNotFoundError,
    RevisionMismatchError,
)
from tests.support import raw_stream
from tests.support.samples import digest_of, some_bytes

pytestmark = pytest.mark.one_path

DATA = some_bytes(95)
SMALL_CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10))


@pytest.mark.parametrize("sizes", [[95], [1] * 95, [10] * 9 + [5], [7] * 13 + [4], [0, 95, 0]])
async def test_writes_of_any_size_become_full_chunks(
    store: jetstow.ObjectStore, sizes: list[int]
) -> None:
    async with store.open("a", "wb", SMALL_CHUNKS) as file:
        rest = DATA
        for size in sizes:
            assert await file.write(rest[:size]) == size
            rest = rest[size:]
        assert file.tell() == 95
        assert not file.info
        with pytest.raises(ObjectNotFoundError):
            await store.get("a")
    assert file.info is not None
    assert (file.info.size, file.info.chunks, file.info.digest) == (95, 10, digest_of(DATA))
    assert (await store.get("a")).data == DATA
    assert (await store.get_info("a")).revision == file.info.revision


async def test_attributes_of_a_writer(store: jetstow.ObjectStore) -> None:
    async with store.open("a", "wb") as file:
        assert file.name == "a"
        assert (file.readable(), file.writable(), file.seekable()) == (False, True, False)
        assert not file.closed
    assert file.closed


async def test_close_without_writes(store: jetstow.ObjectStore, raw: Client) -> None:
    async with store.open("a", "wb") as file:
        pass
    assert file.info is not None
    assert (file.info.size, file.info.chunks) == (0, 0)
    assert (await store.get("a")).data == b""
    assert await raw_stream.chunks(raw, store.bucket) == {}


async def test_metadata_of_a_writer(store: jetstow.ObjectStore) -> None:
    meta = ObjectMeta(description="d", headers={"A": "1"}, metadata={"k": "v"})
    async with store.open("a", "wb", meta) as file:
        await file.write(bytearray(DATA))
        await file.write(memoryview(DATA)[::2])
    info = await store.get_info("a")
    assert (info.description, info.headers, info.metadata) == ("d", {"A": ["1"]}, {"k": "v"})
    assert (await store.get("a")).data == DATA + DATA[::2]


async def test_open_with_await(store: jetstow.ObjectStore) -> None:
    file = await store.open("a", "wb")
    await file.write(DATA)
    await file.close()
    assert (await store.get("a")).data == DATA


async def test_close_twice(store: jetstow.ObjectStore) -> None:
    file = await store.open("a", "wb")
    await file.write(DATA)
    await file.close()
    first = file.info
    await file.close()
    await file.abort()
    assert file.info is first
    assert first is not None
    assert (await store.get_info("a")).revision == first.revision
    with pytest.raises(ValueError, match="closed"):
        await file.write(b"more")
    assert (await store.get("a")).data == DATA


async def check_old_object(store: jetstow.ObjectStore, raw: Client) -> None:
    assert (await store.get("a")).data == b"old"
    assert len(await raw_stream.chunks(raw, store.bucket)) == 1
    await store.put("a", b"old")  # the connection is still usable


async def start_long_write(file: jetstow.ObjectWriter) -> asyncio.Task[int]:
    """Write in a new task, and return while it waits for the server."""
    task = asyncio.create_task(file.write(some_bytes(60_000_000)))
    while not file._put.plain_size:
        await asyncio.sleep(0)
    return task


async def test_abort(store: jetstow.ObjectStore, raw: Client) -> None:
    await store.put("a", b"old")
    file = await store.open("a", "wb", SMALL_CHUNKS)
    await file.write(DATA)
    await file.abort()
    assert file.closed
    assert file.info is None
    await file.abort()
    await file.close()
    await check_old_object(store, raw)


class UserError(Exception):
    pass


async def test_exception_inside_the_context(store: jetstow.ObjectStore, raw: Client) -> None:
    await store.put("a", b"old")

    async def fail() -> None:
        async with store.open("a", "wb", SMALL_CHUNKS) as file:
            await file.write(DATA)
            raise UserError

    with pytest.raises(UserError):
        await fail()
    await check_old_object(store, raw)


async def test_cancellation_inside_the_context(store: jetstow.ObjectStore, raw: Client) -> None:
    await store.put("a", b"old")
    written = asyncio.Event()

    async def write() -> None:
        async with store.open("a", "wb", SMALL_CHUNKS) as file:
            await file.write(DATA)
            written.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write())
    await written.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await check_old_object(store, raw)


async def test_cancelled_write_abandons_the_object(store: jetstow.ObjectStore, raw: Client) -> None:
    """Its bytes were in the digest but not in the stream: `close` created an unreadable object."""
    await store.put("a", b"old")
    file = await store.open("a", "wb")
    await file.write(DATA)
    task = await start_long_write(file)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ValueError, match="closed"):
        await file.write(DATA)
    with pytest.raises(ValueError, match="aborted"):
        await file.close()
    await check_old_object(store, raw)


@pytest.mark.parametrize("method", ["abort", "detach"])
async def test_abort_while_another_task_writes(
    store: jetstow.ObjectStore, raw: Client, method: str
) -> None:
    """The write sent chunks after the abort had purged them, or hung."""
    await store.put("a", b"old")
    file = await store.open("a", "wb")
    task = await start_long_write(file)
    await getattr(file, method)()
    with pytest.raises(ValueError, match="object 'a' is closed"):
        await task
    await check_old_object(store, raw)


async def test_calls_while_another_task_writes(store: jetstow.ObjectStore) -> None:
    """Their bytes would be in any order."""
    file = await store.open("a", "wb")
    task = await start_long_write(file)
    for call in (file.write(b"x"), file.close(), file.checkpoint()):
        with pytest.raises(ValueError, match="another task is writing to object 'a'"):
            await call
    assert await task == 60_000_000
    await file.close()
    assert file.info is not None
    assert file.info.digest == digest_of(some_bytes(60_000_000))


@pytest.mark.parametrize("data", ["text", None, 7, ["text"], [b"bytes"]])
async def test_write_of_invalid_data(store: jetstow.ObjectStore, data: object) -> None:
    async with store.open("a", "wb", SMALL_CHUNKS) as file:
        await file.write(DATA[:50])
        with pytest.raises(InvalidDataError) as caught:
            await file.write(data)  # type: ignore[arg-type]
        assert (caught.value.bucket, caught.value.name) == (store.bucket, "a")
        await file.write(DATA[50:])
    assert (await store.get("a")).data == DATA


async def test_invalid_arguments(store: jetstow.ObjectStore, raw: Client) -> None:
    await store.put("there", b"x")
    link = ObjectMetaOptions(link=jetstow.ObjectLink(bucket=store.bucket, name="there"))
    for name, meta, expected, kind in (
        ("", None, None, InvalidObjectNameError),
        ("a", ObjectMeta(options=ObjectMetaOptions(max_chunk_size=0)), None, InvalidOptionError),
        ("a", ObjectMeta(options=link), None, LinkError),
        ("there", None, 0, ObjectAlreadyExists),
        ("there", None, 77, RevisionMismatchError),
        ("a", None, 77, RevisionMismatchError),
    ):
        with pytest.raises(kind):
            await store.open(name, "wb", meta, expected_revision=expected)
    assert await raw_stream.names(raw, store.bucket) == {"there": 1}


async def test_revision_mismatch_on_close(store: jetstow.ObjectStore, raw: Client) -> None:
    first = await store.put("a", b"first")
    file = await store.open("a", "wb", SMALL_CHUNKS, expected_revision=first.revision)
    await file.write(DATA)
    second = await store.put("a", b"second")
    with pytest.raises(RevisionMismatchError) as caught:
        await file.close()
    error = caught.value
    assert (error.expected, error.actual) == (first.revision, second.revision)
    assert (error.bucket, error.name) == (store.bucket, "a")
    assert file.closed
    assert file.info is None
    assert (await store.get("a")).data == b"second"
    assert await raw_stream.chunks(raw, store.bucket) == {second.nuid: 1}


async def test_close_replaces_a_newer_object(store: jetstow.ObjectStore, raw: Client) -> None:
    file = await store.open("a", "wb", SMALL_CHUNKS)
    await file.write(DATA)
    await store.put("a", b"between")
    await file.close()
    assert (await store.get("a")).data == DATA
    assert file.info is not None
    assert await raw_stream.chunks(raw, store.bucket) == {file.info.nuid: 10}


async def test_concurrent_writers(store: jetstow.ObjectStore) -> None:
    async def write(number: int) -> None:
        async with store.open(f"object {number}", "wb", SMALL_CHUNKS) as file:
            for start in range(0, 95, 13):
                await file.write(DATA[start : start + 13] * number)

    await asyncio.gather(*(write(number) for number in range(8)))
    infos = await store.list()
    assert {info.name: info.size for info in infos} == {f"object {n}": 95 * n for n in range(8)}
