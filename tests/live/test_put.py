"""put and put_file: sources, replacement, and the cleanup after a failed put."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import aiofiles
import anyio
import pytest
from nats.aio.client import Client
from nats.js import api

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import (
    InvalidDataError,
    InvalidObjectNameError,
    InvalidOptionError,
    LinkError,
    ObjectAlreadyExists,
    RevisionMismatchError,
)
from tests.support import raw_stream
from tests.support.purges import purges_ended
from tests.support.samples import digest_of, some_bytes
from tests.support.servers import NatsServer

pytestmark = pytest.mark.every_version


def small_chunks(**fields: object) -> ObjectMeta:
    return ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10), **fields)  # type: ignore[arg-type]


async def test_put_and_get(store: jetstow.ObjectStore) -> None:
    data = some_bytes(300_000)
    info = await store.put("a", data)
    assert (info.name, info.bucket, info.size, info.chunks) == ("a", store.bucket, 300_000, 3)
    assert info.digest == digest_of(data)
    assert (await store.get("a")).data == data
    stored = await store.get_info("a")
    assert stored == info


async def test_metadata_is_stored(store: jetstow.ObjectStore) -> None:
    meta = ObjectMeta(
        description="large data",
        headers={"Content-Type": "text/plain", "X-Many": ["1", "2"]},
        metadata={"owner": "me", "größe": "klein"},
    )
    await store.put("a", b"x", meta)
    info = await store.get_info("a")
    assert info.description == "large data"
    assert info.headers == {"Content-Type": ["text/plain"], "X-Many": ["1", "2"]}
    assert info.metadata == {"owner": "me", "größe": "klein"}
    assert meta.name is None, "the caller's object is not changed"
    assert meta.options is None


async def test_name_from_the_metadata(store: jetstow.ObjectStore) -> None:
    info = await store.put(None, b"x", api.ObjectMeta(name="from-meta"))
    assert info.name == "from-meta"
    assert (await store.put("given", b"x", api.ObjectMeta(name="from-meta"))).name == "given"


class Short(io.RawIOBase):
    """A file that returns less than was requested, as pipes and sockets do."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        piece = self._data.read(min(7, len(buffer)))
        buffer[: len(piece)] = piece
        return len(piece)


DATA = some_bytes(95)


async def _asynchronous() -> AsyncIterator[bytes]:
    for start in range(0, len(DATA), 13):
        yield DATA[start : start + 13]


def _synchronous() -> Iterator[bytes]:
    for start in range(0, len(DATA), 26):
        yield DATA[start : start + 26]


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(lambda: DATA, id="bytes"),
        pytest.param(lambda: bytearray(DATA), id="bytearray"),
        pytest.param(lambda: memoryview(DATA), id="memoryview"),
        pytest.param(lambda: io.BytesIO(DATA), id="BytesIO"),
        pytest.param(lambda: Short(DATA), id="short reads"),
        pytest.param(lambda: [DATA[:50], b"", DATA[50:]], id="list"),
        pytest.param(_synchronous, id="generator"),
        pytest.param(_asynchronous, id="async generator"),
    ],
)
async def test_sources_are_split_into_full_chunks(
    store: jetstow.ObjectStore, source: object
) -> None:
    info = await store.put("a", source(), small_chunks())  # type: ignore[operator]
    assert (info.size, info.chunks, info.digest) == (95, 10, digest_of(DATA))
    assert (await store.get("a")).data == DATA


async def test_text_is_stored_as_utf8(store: jetstow.ObjectStore, tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("grüße", encoding="utf-8")
    await store.put("str", "grüße")
    await store.put("StringIO", io.StringIO("grüße"))
    with path.open(encoding="utf-8") as file:
        await store.put("file", file)
    for name in ("str", "StringIO", "file"):
        assert (await store.get(name)).data == "grüße".encode()


async def test_put_file_and_asynchronous_files(store: jetstow.ObjectStore, tmp_path: Path) -> None:
    path = tmp_path / "données.bin"
    path.write_bytes(DATA)
    assert (await store.put_file(path)).name == "données.bin"
    assert (await store.put_file(str(path), "other")).name == "other"
    async with aiofiles.open(path, "rb") as file:
        await store.put("aiofiles", file)
    async with await anyio.open_file(path, "rb") as opened:
        await store.put("anyio", opened)
    async with aiofiles.open(path) as text:
        await store.put("aiofiles text", text)
    async with await anyio.open_file(path) as opened_text:
        await store.put("anyio text", opened_text)
    names = ("données.bin", "other", "aiofiles", "anyio", "aiofiles text", "anyio text")
    for name in names:
        assert (await store.get(name)).data == DATA
    with pytest.raises(FileNotFoundError):
        await store.put_file(tmp_path / "missing")


async def test_progress_of_put(store: jetstow.ObjectStore) -> None:
    seen: list[tuple[int, int | None]] = []
    await store.put("a", DATA, small_chunks(), progress=lambda *step: seen.append(step))
    assert seen == [(min(10 * n, 95), 95) for n in range(1, 11)]
    seen.clear()
    await store.put("a", _asynchronous(), progress=lambda *step: seen.append(step))
    assert seen == [(95, None)]


async def test_empty_object(store: jetstow.ObjectStore, raw: Client) -> None:
    info = await store.put("a", b"")
    assert (info.size, info.chunks, info.digest) == (0, 0, digest_of(b""))
    assert (await store.get("a")).data == b""
    assert await raw_stream.chunks(raw, store.bucket) == {}


async def test_replace_purges_the_old_chunks(store: jetstow.ObjectStore, raw: Client) -> None:
    await store.put("a", DATA, small_chunks())
    second = await store.put("a", b"new")
    await purges_ended(store)
    assert await raw_stream.chunks(raw, store.bucket) == {second.nuid: 1}
    assert await raw_stream.names(raw, store.bucket) == {"a": 1}
    assert (await store.get("a")).data == b"new"


@pytest.mark.parametrize("size", [0, -1, 10**9, True, 1.5, "128"])
async def test_invalid_chunk_size(store: jetstow.ObjectStore, size: object) -> None:
    meta = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=size))  # type: ignore[arg-type]
    with pytest.raises(InvalidOptionError, match="max_chunk_size") as caught:
        await store.put("a", b"x", meta)
    assert (caught.value.bucket, caught.value.name) == (store.bucket, "a")


async def test_largest_chunk_size(store: jetstow.ObjectStore) -> None:
    most = store._js._nc.max_payload
    data = some_bytes(most + 1)
    info = await store.put("a", data, ObjectMeta(options=ObjectMetaOptions(max_chunk_size=most)))
    assert info.chunks == 2
    assert (await store.get("a")).data == data


@pytest.mark.parametrize("name", ["", None, 7, "x" * 4000, "\ud800"])
async def test_invalid_object_name(store: jetstow.ObjectStore, name: object) -> None:
    with pytest.raises(InvalidObjectNameError) as caught:
        await store.put(name, b"x")  # type: ignore[arg-type]
    assert caught.value.bucket == store.bucket
    assert (await store.put("fine", b"x")).size == 1, "the connection is still usable"


async def test_longest_object_name(store: jetstow.ObjectStore) -> None:
    from jetstow._core.protocol.subjects import MAX_SUBJECT_LENGTH

    longest = (MAX_SUBJECT_LENGTH - len(f"$O.{store.bucket}.M.")) // 4 * 3
    name = "n" * longest
    await store.put(name, b"x")
    assert [info.name for info in await store.list()] == [name]
    assert (await store.get(name)).data == b"x"
    watcher = await store.watch()
    assert (await watcher.updates()).name == name  # type: ignore[union-attr]
    await watcher.stop()
    with pytest.raises(InvalidObjectNameError, match=f"{longest} at most"):
        await store.put(name + "n", b"x")


async def test_put_with_a_link(store: jetstow.ObjectStore) -> None:
    link = ObjectMetaOptions(link=jetstow.ObjectLink(bucket=store.bucket, name="b"))
    with pytest.raises(LinkError, match="add_link"):
        await store.put("a", b"x", ObjectMeta(options=link))


@pytest.mark.parametrize(
    "data", [None, 7, 1.5, Path("x"), ["text"], [1], {"a": 1}, [b"fine", "text"]], ids=repr
)
async def test_invalid_data(store: jetstow.ObjectStore, raw: Client, data: object) -> None:
    with pytest.raises(InvalidDataError) as caught:
        await store.put("a", data)  # type: ignore[arg-type]
    assert (caught.value.bucket, caught.value.name) == (store.bucket, "a")
    assert "'a'" in str(caught.value)
    assert await raw_stream.subjects(raw, store.bucket) == {}


@pytest.mark.parametrize(
    "fields",
    [
        {"description": 7},
        {"headers": {"a": 7}},
        {"headers": ["a"]},
        {"headers": {7: "a"}},
        {"metadata": {"a": object()}},
        {"metadata": "text"},
    ],
)
async def test_invalid_metadata(store: jetstow.ObjectStore, fields: dict[str, object]) -> None:
    with pytest.raises(InvalidOptionError, match="cannot be stored"):
        await store.put("a", b"x", ObjectMeta(**fields))  # type: ignore[arg-type]


async def test_metadata_larger_than_a_message(store: jetstow.ObjectStore, raw: Client) -> None:
    await store.put("a", b"old")
    before = await raw_stream.subjects(raw, store.bucket)
    with pytest.raises(InvalidOptionError, match="at most"):
        await store.put("a", b"x", ObjectMeta(description="d" * 2_000_000))
    assert await raw_stream.subjects(raw, store.bucket) == before


class SourceFailedError(Exception):
    pass


async def test_source_that_raises(store: jetstow.ObjectStore, raw: Client) -> None:
    await store.put("a", b"old")
    before = await raw_stream.subjects(raw, store.bucket)

    async def failing() -> AsyncIterator[bytes]:
        yield DATA
        raise SourceFailedError

    with pytest.raises(SourceFailedError):
        await store.put("a", failing(), small_chunks())
    assert await raw_stream.subjects(raw, store.bucket) == before
    assert (await store.get("a")).data == b"old"


async def test_cancelled_put(store: jetstow.ObjectStore, raw: Client) -> None:
    await store.put("a", b"old")
    before = await raw_stream.subjects(raw, store.bucket)
    halfway = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield some_bytes(500_000)
        halfway.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(store.put("a", endless()))
    await halfway.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await raw_stream.subjects(raw, store.bucket) == before
    assert (await store.get("a")).data == b"old"


async def test_put_in_a_cancelled_anyio_scope(store: jetstow.ObjectStore, raw: Client) -> None:
    halfway = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield DATA
        halfway.set()
        await asyncio.Event().wait()

    with anyio.CancelScope() as scope:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_cancel_after(halfway, scope))
            await store.put("a", endless(), small_chunks())
    assert scope.cancelled_caught
    assert await raw_stream.subjects(raw, store.bucket) == {}


async def _cancel_after(event: asyncio.Event, scope: anyio.CancelScope) -> None:
    await event.wait()
    scope.cancel()


async def test_expected_revision(store: jetstow.ObjectStore) -> None:
    first = await store.put("a", b"1", expected_revision=0)
    second = await store.put("a", b"2", expected_revision=first.revision)
    with pytest.raises(RevisionMismatchError) as caught:
        await store.put("a", b"3", expected_revision=first.revision)
    assert (caught.value.expected, caught.value.actual) == (first.revision, second.revision)
    assert (await store.get("a")).data == b"2"


async def test_expected_revision_zero(store: jetstow.ObjectStore) -> None:
    await store.put("a", b"1", expected_revision=0)
    with pytest.raises(ObjectAlreadyExists):
        await store.put("a", b"2", expected_revision=0)
    await store.delete("a")
    await store.put("a", b"3", expected_revision=0)
    assert (await store.get("a")).data == b"3"


async def test_revision_mismatch_after_the_upload(store: jetstow.ObjectStore, raw: Client) -> None:
    first = await store.put("a", b"1")

    async def overtaken() -> AsyncIterator[bytes]:
        yield b"mine"
        await store.put("a", b"theirs")

    with pytest.raises(RevisionMismatchError):
        await store.put("a", overtaken(), expected_revision=first.revision)
    assert (await store.get("a")).data == b"theirs"
    assert sum((await raw_stream.chunks(raw, store.bucket)).values()) == 1


async def test_put_without_revision_replaces_a_newer_object(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    async def overtaken() -> AsyncIterator[bytes]:
        yield b"mine"
        await store.put("a", b"theirs")

    info = await store.put("a", overtaken())
    assert (await store.get("a")).data == b"mine"
    assert await raw_stream.chunks(raw, store.bucket) == {info.nuid: 1}


async def test_replace_unreadable_metadata(store: jetstow.ObjectStore, raw: Client) -> None:
    await raw_stream.write_metadata(raw, store.bucket, "a", b"\xff not JSON")
    await store.put("a", b"x")
    assert (await store.get("a")).data == b"x"


async def test_metadata_size_includes_the_message_headers(bucket: str) -> None:
    """The server counts the headers too, and closed the connection."""
    with NatsServer(config="max_payload: 65536") as own:
        async with await jetstow.connect(own.url) as nc:
            store = await nc.jetstream().create_object_store(bucket)
            for size in range(65_200, 65_600, 20):
                with suppress(InvalidOptionError):
                    await store.put("a", b"", ObjectMeta(description="x" * size))
            assert nc.is_connected
            assert not nc.stats["reconnects"]
