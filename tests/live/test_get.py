"""get: into memory and into files of every kind, whole and verified."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import aiofiles
import anyio
import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import (
    InvalidDataError,
    InvalidObjectNameError,
    ObjectDeletedError,
    ObjectNotFoundError,
)
from tests.support import object_builder
from tests.support.samples import digest_of, some_bytes

pytestmark = pytest.mark.every_version

DATA = some_bytes(95)
SMALL_CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10))


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 19, 20, 21, 95, 100])
async def test_sizes_around_the_chunk_size(store: jetstow.ObjectStore, size: int) -> None:
    data = some_bytes(size)
    put = await store.put("a", data, SMALL_CHUNKS)
    result = await store.get("a")
    assert result.data == data
    assert type(result.data) is bytes
    assert (result.info.chunks, result.info.size) == (-(-size // 10), size)
    assert result.info.revision == put.revision
    assert result.info == await store.get_info("a")


@pytest.mark.parametrize("size", [131_071, 131_072, 131_073, 5_000_000])
async def test_sizes_with_default_chunks(store: jetstow.ObjectStore, size: int) -> None:
    data = some_bytes(size)
    await store.put("a", data)
    assert (await store.get("a")).data == data


async def test_object_with_3000_chunks(store: jetstow.ObjectStore) -> None:
    data = some_bytes(3_000)
    info = await store.put("a", data, ObjectMeta(options=ObjectMetaOptions(max_chunk_size=1)))
    assert info.chunks == 3_000
    assert (await store.get("a")).data == data


async def test_concurrent_gets(store: jetstow.ObjectStore) -> None:
    """Together they request more than a connection may have in flight."""
    contents = {f"object {n}": some_bytes(1_500_000, n) for n in range(4)}
    for name, data in contents.items():
        await store.put(name, data)
    results = await asyncio.gather(*(store.get(name) for name in [*contents] * 8))
    for (name, data), result in zip([*contents.items()] * 8, results, strict=True):
        assert result.info.name == name
        assert result.data == data


async def test_progress_of_get(store: jetstow.ObjectStore) -> None:
    await store.put("a", DATA, SMALL_CHUNKS)
    seen: list[tuple[int, int | None]] = []
    await store.get("a", progress=lambda *step: seen.append(step))
    assert seen == [(min(10 * n, 95), 95) for n in range(1, 11)]
    seen.clear()
    await store.get("a", io.BytesIO(), progress=lambda *step: seen.append(step))
    assert seen[-1] == (95, 95)


# -- into files ------------------------------------------------------------------------------


async def test_get_into_memory_and_raw_files(store: jetstow.ObjectStore, tmp_path: Path) -> None:
    await store.put("a", DATA, SMALL_CHUNKS)
    memory = io.BytesIO()
    result = await store.get("a", memory)
    assert memory.getvalue() == DATA
    assert result.data == b"", "the bytes went to the file"
    assert result.info == await store.get_info("a")
    for buffering in (0, -1):
        with (tmp_path / "file").open("wb", buffering=buffering) as file:
            await store.get("a", writeinto=file)
        assert (tmp_path / "file").read_bytes() == DATA


async def test_get_into_a_text_file_uses_its_buffer(
    store: jetstow.ObjectStore, tmp_path: Path
) -> None:
    await store.put("a", DATA, SMALL_CHUNKS)
    with (tmp_path / "file").open("w") as file:
        file.write("before ")
        await store.get("a", file)
    assert (tmp_path / "file").read_bytes() == b"before " + DATA


async def test_get_into_asynchronous_files(store: jetstow.ObjectStore, tmp_path: Path) -> None:
    await store.put("a", DATA, SMALL_CHUNKS)
    path = tmp_path / "file"
    async with aiofiles.open(path, "wb") as file:
        await store.get("a", file)
    assert path.read_bytes() == DATA
    path.unlink()
    async with await anyio.open_file(path, "wb") as opened:
        await store.get("a", opened)
    assert path.read_bytes() == DATA


class ShortFile(io.RawIOBase):
    """A raw file that accepts part of its input, as pipes and sockets do."""

    def __init__(self) -> None:
        self.taken = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.taken += data[:7]
        return min(7, len(data))


async def test_get_into_a_file_with_short_writes(store: jetstow.ObjectStore) -> None:
    await store.put("a", DATA)
    short = ShortFile()
    await store.get("a", short)
    assert bytes(short.taken) == DATA


async def test_get_of_an_empty_object_into_a_file(store: jetstow.ObjectStore) -> None:
    await store.put("a", b"")
    memory = io.BytesIO(b"there")
    result = await store.get("a", memory)
    assert (memory.getvalue(), result.info.size) == (b"there", 0)


@pytest.mark.parametrize("into", [io.StringIO(), "path", 7, object()], ids=["StringIO", *"str"])
async def test_get_into_an_unwritable_target(store: jetstow.ObjectStore, into: object) -> None:
    await store.put("a", DATA)
    with pytest.raises(InvalidDataError) as caught:
        await store.get("a", into)  # type: ignore[arg-type]
    assert (caught.value.bucket, caught.value.name) == (store.bucket, "a")
    assert "'a'" in str(caught.value)


class DiskFullError(Exception):
    pass


class FullFile:
    """A file that accepts some bytes and then raises an error."""

    def __init__(self) -> None:
        self.remaining = 1_500_000

    def write(self, data: bytes) -> int:
        self.remaining -= len(data)
        if self.remaining < 0:
            raise DiskFullError
        return len(data)


async def test_write_error_ends_only_the_get(
    store: jetstow.ObjectStore,
) -> None:
    data = some_bytes(6_000_000)
    await store.put("a", data)
    with pytest.raises(DiskFullError):
        await store.get("a", FullFile())
    assert (await store.get("a")).data == data


async def test_cancelled_get(store: jetstow.ObjectStore) -> None:
    data = some_bytes(6_000_000)
    await store.put("a", data)
    for _ in range(5):  # each leaves windows in flight
        begun = asyncio.Event()
        task = asyncio.create_task(store.get("a", progress=lambda *_, begun=begun: begun.set()))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert (await store.get("a")).data == data


# -- missing objects, and metadata of other clients --------------------------------------


async def test_get_of_a_missing_or_deleted_object(store: jetstow.ObjectStore) -> None:
    await store.put("deleted", b"x")
    await store.delete("deleted")
    for name, kind in (("never", ObjectNotFoundError), ("deleted", ObjectDeletedError)):
        for read in (store.get(name), store.get(name, io.BytesIO()), store.get_info(name)):
            with pytest.raises(ObjectNotFoundError) as caught:
                await read
            assert type(caught.value) is kind
            assert (caught.value.bucket, caught.value.name) == (store.bucket, name)
            assert f"{name!r} in bucket {store.bucket!r}" in str(caught.value)


async def test_get_with_show_deleted(store: jetstow.ObjectStore) -> None:
    await store.put("a", DATA)
    await store.delete("a")
    result = await store.get("a", show_deleted=True)
    assert result.info.deleted
    assert (result.data, result.info.size) == (b"", 0)
    assert (await store.get_info("a", show_deleted=True)) == result.info
    with pytest.raises(ObjectNotFoundError):
        await store.get("never", show_deleted=True)


@pytest.mark.parametrize("name", ["", None, 7, "x" * 4000, "\ud800"])
async def test_invalid_object_name(store: jetstow.ObjectStore, name: Any) -> None:
    await store.put("a", DATA)
    for read in (store.get, store.get_info, lambda it: store.get_file(it, "nowhere")):
        with pytest.raises(InvalidObjectNameError) as caught:
            await read(name)
        assert caught.value.bucket == store.bucket
    assert (await store.get("a")).data == DATA, "the connection is still usable"


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"digest": None}, id="no digest"),
        pytest.param({"digest": ""}, id="an empty digest"),
        pytest.param({"digest": digest_of(DATA).replace("SHA", "sha")}, id="lower case"),
        pytest.param({"digest": digest_of(DATA).rstrip("=")}, id="no padding"),
        pytest.param({"options": None}, id="no options"),
        pytest.param({"options": {"max_chunk_size": 3}}, id="another chunk size"),
        pytest.param({"mtime": "", "revision": 7, "more": {"a": [1]}}, id="more fields"),
        pytest.param({"headers": {"A": "text"}}, id="headers as text"),
        pytest.param({"name": "else", "bucket": "else"}, id="another name"),
    ],
)
async def test_metadata_from_other_clients(
    store: jetstow.ObjectStore, raw: Client, fields: dict[str, Any]
) -> None:
    chunks = [DATA[:50], DATA[50:]]
    await object_builder.write_object(raw, store.bucket, "a", chunks, **fields)
    result = await store.get("a")
    assert result.data == DATA
    assert (result.info.name, result.info.bucket) == ("a", store.bucket)
    assert [info.name for info in await store.list()] == ["a"]
