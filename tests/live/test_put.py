"""put and put_file: what goes in, what it replaces, and what a failed put leaves behind."""

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
from tests.support.samples import digest_of, some_bytes
from tests.support.servers import NatsServer


def tiny_chunks(**fields: object) -> ObjectMeta:
    return ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10), **fields)  # type: ignore[arg-type]


async def test_an_object_comes_back_as_it_was_put(store: jetstow.ObjectStore) -> None:
    data = some_bytes(300_000)
    info = await store.put("a", data)
    assert (info.name, info.bucket, info.size, info.chunks) == ("a", store.bucket, 300_000, 3)
    assert info.digest == digest_of(data)
    assert (await store.get("a")).data == data
    stored = await store.get_info("a")
    info.mtime = stored.mtime  # the server's stamp stands for this machine's clock
    assert stored == info


async def test_what_the_user_says_of_an_object_is_kept(store: jetstow.ObjectStore) -> None:
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
    assert meta.name is None, "the caller's own object is left alone"
    assert meta.options is None


async def test_the_name_may_stand_in_the_meta(store: jetstow.ObjectStore) -> None:
    info = await store.put(None, b"x", api.ObjectMeta(name="from-meta"))
    assert info.name == "from-meta"
    assert (await store.put("given", b"x", api.ObjectMeta(name="from-meta"))).name == "given"


class Short(io.RawIOBase):
    """A file that gives less than it is asked for, as pipes and sockets do."""

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
async def test_every_kind_of_source_is_cut_into_full_chunks(
    store: jetstow.ObjectStore, source: object
) -> None:
    info = await store.put("a", source(), tiny_chunks())  # type: ignore[operator]
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


async def test_files_go_in_from_a_path_and_from_async_libraries(
    store: jetstow.ObjectStore, tmp_path: Path
) -> None:
    path = tmp_path / "données.bin"
    path.write_bytes(DATA)
    assert (await store.put_file(path)).name == "données.bin"
    assert (await store.put_file(str(path), "other")).name == "other"
    async with aiofiles.open(path, "rb") as file:
        await store.put("aiofiles", file)
    async with await anyio.open_file(path, "rb") as opened:
        await store.put("anyio", opened)
    for name in ("données.bin", "other", "aiofiles", "anyio"):
        assert (await store.get(name)).data == DATA
    with pytest.raises(FileNotFoundError):
        await store.put_file(tmp_path / "missing")


async def test_progress_counts_up_to_the_end(store: jetstow.ObjectStore) -> None:
    seen: list[tuple[int, int | None]] = []
    await store.put("a", DATA, tiny_chunks(), progress=lambda *step: seen.append(step))
    assert seen == [(min(10 * n, 95), 95) for n in range(1, 11)]
    seen.clear()
    await store.put("a", _asynchronous(), progress=lambda *step: seen.append(step))
    assert seen == [(95, None)]


async def test_an_empty_object_is_an_object(store: jetstow.ObjectStore, raw: Client) -> None:
    info = await store.put("a", b"")
    assert (info.size, info.chunks, info.digest) == (0, 0, digest_of(b""))
    assert (await store.get("a")).data == b""
    assert await raw_stream.chunks(raw, store.bucket) == {}


async def test_replacing_drops_the_old_chunks(store: jetstow.ObjectStore, raw: Client) -> None:
    await store.put("a", DATA, tiny_chunks())
    second = await store.put("a", b"new")
    assert await raw_stream.chunks(raw, store.bucket) == {second.nuid: 1}
    assert await raw_stream.names(raw, store.bucket) == {"a": 1}
    assert (await store.get("a")).data == b"new"


@pytest.mark.parametrize("size", [0, -1, 10**9, True, 1.5, "128"])
async def test_a_chunk_size_that_cannot_be_is_refused(
    store: jetstow.ObjectStore, size: object
) -> None:
    meta = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=size))  # type: ignore[arg-type]
    with pytest.raises(InvalidOptionError, match="max_chunk_size") as caught:
        await store.put("a", b"x", meta)
    assert (caught.value.bucket, caught.value.name) == (store.bucket, "a")


async def test_a_chunk_may_be_as_large_as_the_server_takes(store: jetstow.ObjectStore) -> None:
    most = store._js._nc.max_payload
    data = some_bytes(most + 1)
    info = await store.put("a", data, ObjectMeta(options=ObjectMetaOptions(max_chunk_size=most)))
    assert info.chunks == 2
    assert (await store.get("a")).data == data


@pytest.mark.parametrize("name", ["", None, 7, "x" * 4000, "\ud800"])
async def test_a_name_that_cannot_be_is_refused(store: jetstow.ObjectStore, name: object) -> None:
    with pytest.raises(InvalidObjectNameError) as caught:
        await store.put(name, b"x")  # type: ignore[arg-type]
    assert caught.value.bucket == store.bucket
    assert (await store.put("fine", b"x")).size == 1, "the connection is still usable"


async def test_the_longest_name_that_is_allowed_works(store: jetstow.ObjectStore) -> None:
    from jetstow._core.protocol.subjects import MAX_SUBJECT

    longest = (MAX_SUBJECT - len(f"$O.{store.bucket}.M.")) // 4 * 3
    name = "n" * longest
    await store.put(name, b"x")
    assert [info.name for info in await store.list()] == [name]
    assert (await store.get(name)).data == b"x"
    watcher = await store.watch()
    assert (await watcher.updates()).name == name  # type: ignore[union-attr]
    await watcher.stop()
    with pytest.raises(InvalidObjectNameError, match=f"{longest} at most"):
        await store.put(name + "n", b"x")


async def test_a_link_is_not_put(store: jetstow.ObjectStore) -> None:
    link = ObjectMetaOptions(link=jetstow.ObjectLink(bucket=store.bucket, name="b"))
    with pytest.raises(LinkError, match="add_link"):
        await store.put("a", b"x", ObjectMeta(options=link))


@pytest.mark.parametrize(
    "data", [None, 7, 1.5, Path("x"), ["text"], [1], {"a": 1}, [b"fine", "text"]], ids=repr
)
async def test_what_is_not_bytes_is_refused(
    store: jetstow.ObjectStore, raw: Client, data: object
) -> None:
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
async def test_metadata_that_is_not_text_is_refused(
    store: jetstow.ObjectStore, fields: dict[str, object]
) -> None:
    with pytest.raises(InvalidOptionError, match="cannot be stored"):
        await store.put("a", b"x", ObjectMeta(**fields))  # type: ignore[arg-type]


async def test_metadata_larger_than_a_message_is_refused_and_leaves_nothing(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    await store.put("a", b"old")
    before = await raw_stream.subjects(raw, store.bucket)
    with pytest.raises(InvalidOptionError, match="at most"):
        await store.put("a", b"x", ObjectMeta(description="d" * 2_000_000))
    assert await raw_stream.subjects(raw, store.bucket) == before


class SourceFailedError(Exception):
    pass


async def test_a_source_that_raises_leaves_the_old_object_and_no_chunk(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    await store.put("a", b"old")
    before = await raw_stream.subjects(raw, store.bucket)

    async def failing() -> AsyncIterator[bytes]:
        yield DATA
        raise SourceFailedError

    with pytest.raises(SourceFailedError):
        await store.put("a", failing(), tiny_chunks())
    assert await raw_stream.subjects(raw, store.bucket) == before
    assert (await store.get("a")).data == b"old"


async def test_a_cancelled_put_leaves_the_old_object_and_no_chunk(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    await store.put("a", b"old")
    before = await raw_stream.subjects(raw, store.bucket)
    half_way = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield some_bytes(500_000)
        half_way.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(store.put("a", endless()))
    await half_way.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await raw_stream.subjects(raw, store.bucket) == before
    assert (await store.get("a")).data == b"old"


async def test_a_put_cut_short_by_a_timeout_of_the_caller_cleans_up(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    half_way = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield DATA
        half_way.set()
        await asyncio.Event().wait()

    with anyio.CancelScope() as scope:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_cancel_after(half_way, scope))
            await store.put("a", endless(), tiny_chunks())
    assert scope.cancelled_caught
    assert await raw_stream.subjects(raw, store.bucket) == {}


async def _cancel_after(event: asyncio.Event, scope: anyio.CancelScope) -> None:
    await event.wait()
    scope.cancel()


async def test_expected_revision_lets_one_writer_through(store: jetstow.ObjectStore) -> None:
    first = await store.put("a", b"1", expected_revision=0)
    second = await store.put("a", b"2", expected_revision=first.revision)
    with pytest.raises(RevisionMismatchError) as caught:
        await store.put("a", b"3", expected_revision=first.revision)
    assert (caught.value.expected, caught.value.actual) == (first.revision, second.revision)
    assert (await store.get("a")).data == b"2"


async def test_revision_zero_means_that_there_is_no_object(store: jetstow.ObjectStore) -> None:
    await store.put("a", b"1", expected_revision=0)
    with pytest.raises(ObjectAlreadyExists):
        await store.put("a", b"2", expected_revision=0)
    await store.delete("a")
    await store.put("a", b"3", expected_revision=0)
    assert (await store.get("a")).data == b"3"


async def test_a_writer_overtaken_during_its_upload_is_refused_and_cleans_up(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    first = await store.put("a", b"1")

    async def overtaken() -> AsyncIterator[bytes]:
        yield b"mine"
        await store.put("a", b"theirs")

    with pytest.raises(RevisionMismatchError):
        await store.put("a", overtaken(), expected_revision=first.revision)
    assert (await store.get("a")).data == b"theirs"
    assert sum((await raw_stream.chunks(raw, store.bucket)).values()) == 1


async def test_a_put_without_revision_wins_over_one_that_came_between(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    async def overtaken() -> AsyncIterator[bytes]:
        yield b"mine"
        await store.put("a", b"theirs")

    info = await store.put("a", overtaken())
    assert (await store.get("a")).data == b"mine"
    assert await raw_stream.chunks(raw, store.bucket) == {info.nuid: 1}


async def test_metadata_that_nobody_can_read_can_be_replaced(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    await raw_stream.write_metadata(raw, store.bucket, "a", b"\xff not JSON")
    await store.put("a", b"x")
    assert (await store.get("a")).data == b"x"


async def test_metadata_that_fits_but_not_with_its_headers(bucket: str) -> None:
    """The server closed the connection, as it counts the headers as well."""
    with NatsServer(config="max_payload: 65536") as own:
        async with await jetstow.connect(own.url) as nc:
            store = await nc.jetstream().create_object_store(bucket)
            for size in range(65_200, 65_600, 20):
                with suppress(InvalidOptionError):
                    await store.put("a", b"", ObjectMeta(description="x" * size))
            assert nc.is_connected
            assert not nc.stats["reconnects"]
