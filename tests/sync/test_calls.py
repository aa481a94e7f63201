"""The code of a caller runs in the calling thread, everything else in the background loop."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import io
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import jetstow.sync as jetstow
from jetstow.errors import InvalidDataError, ObjectNotFoundError
from tests.support import raw_stream
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer
from tests.sync.plain_client import run_on_server

DATA = some_bytes(3_000_000)


class RecordingFile:
    """A file that records the threads in which it is used."""

    def __init__(self, data: bytes = b"") -> None:
        self.file = io.BytesIO(data)
        self.threads = set[int]()

    def read(self, size: int) -> bytes:
        self.threads.add(threading.get_ident())
        return self.file.read(min(size, 100_000))

    def write(self, data: Any) -> int:
        self.threads.add(threading.get_ident())
        return self.file.write(bytes(data)[:50_000])


thread_id = threading.get_ident


def test_put_source_is_read_in_calling_thread(store: jetstow.ObjectStore) -> None:
    threads = set()

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(DATA), 10_000):
            threads.add(thread_id())
            yield DATA[start : start + 10_000]

    store.put("a", pieces())
    file = RecordingFile(DATA)
    store.put("b", file)
    assert threads == file.threads == {thread_id()}
    assert store.get("a").data == store.get("b").data == DATA


def test_get_target_is_written_in_calling_thread(store: jetstow.ObjectStore) -> None:
    store.put("a", DATA)
    file = RecordingFile()
    store.get("a", file)
    assert file.file.getvalue() == DATA
    assert file.threads == {thread_id()}
    raw: Any = _Raw()
    text = io.TextIOWrapper(io.BufferedRandom(raw), encoding="utf-8")
    store.get("a", text)
    text.buffer.seek(0)
    assert text.buffer.read() == DATA


class _Raw(io.BytesIO):
    """A subclass of a standard file, whose methods may block."""


def test_progress_is_called_in_calling_thread(store: jetstow.ObjectStore) -> None:
    calls = []

    def progress(done: int, total: int | None) -> None:
        store.get_info("before")
        calls.append((thread_id(), done, total))

    store.put("before", b"x")
    store.put("a", DATA, progress=progress)
    assert calls[-1] == (thread_id(), len(DATA), len(DATA))
    assert [done for _, done, _ in calls] == sorted({done for _, done, _ in calls})
    calls.clear()
    store.get("a", progress=progress)
    assert calls[-1] == (thread_id(), len(DATA), len(DATA))


def test_source_uses_the_same_store(store: jetstow.ObjectStore) -> None:
    store.put("a", DATA)
    store.put("b", store.stream("a"))
    with store.open("b") as file:
        store.put("c", file)
    assert store.get_info("c").digest == store.get_info("a").digest


@pytest.mark.parametrize(
    "data",
    ["text", b"", bytearray(b"12"), memoryview(b"123456")[::2], io.StringIO("ü"), [b"1", b"2"]],
    ids=["str", "empty", "bytearray", "strided", "StringIO", "list"],
)
def test_put_data_types(store: jetstow.ObjectStore, data: Any) -> None:
    expected = {"text": b"text"}.get(data) if isinstance(data, str) else None
    if isinstance(data, io.StringIO):
        expected = data.getvalue().encode()
    elif isinstance(data, list):
        expected = b"".join(data)
    store.put("a", data)
    assert store.get("a").data == (bytes(data) if expected is None else expected)


def test_source_reuses_its_buffer(store: jetstow.ObjectStore) -> None:
    def pieces() -> Iterator[bytearray]:
        memory = bytearray(1000)
        for number in range(250):
            memory[:] = bytes([number]) * 1000
            yield memory

    store.put("a", pieces())
    assert store.get("a").data == b"".join(bytes([number]) * 1000 for number in range(250))


@pytest.mark.parametrize("data", [7, None, [b"1", "2"], [None], io.StringIO("\ud800")])
def test_invalid_data(store: jetstow.ObjectStore, data: Any) -> None:
    with pytest.raises(InvalidDataError):
        store.put("a", data)
    with pytest.raises(InvalidDataError):
        store.get("a", data if data is not None else 7)  # type: ignore[arg-type]
    assert store.list() == []


async def test_async_data_is_refused(store: jetstow.ObjectStore) -> None:
    async def pieces() -> Any:
        yield b"1"

    class File:
        async def read(self, _: int) -> bytes:
            return b""

        async def write(self, _: bytes) -> int:
            return 0

    for data in (pieces(), File()):
        with pytest.raises(InvalidDataError, match="asynchronous"):
            store.put("a", data)
        with pytest.raises(InvalidDataError, match="asynchronous"):
            store.get("a", data)


# -- errors ------------------------------------------------------------------------------------


class CallerError(Exception):
    """An exception of the caller."""


@pytest.mark.parametrize("kind", [CallerError, KeyboardInterrupt, SystemExit, ValueError])
def test_put_source_raises(
    store: jetstow.ObjectStore, server: NatsServer, kind: type[BaseException]
) -> None:
    error = kind("half-way")

    def pieces() -> Iterator[bytes]:
        yield DATA
        raise error

    with pytest.raises(kind) as caught:
        store.put("a", pieces())
    assert caught.value is error
    assert store.list() == []
    assert run_on_server(server, raw_stream.chunks, store.bucket) == {}


@pytest.mark.parametrize("kind", [CallerError, KeyboardInterrupt])
def test_get_target_or_progress_raises(
    store: jetstow.ObjectStore, kind: type[BaseException]
) -> None:
    error = kind("no more")

    class FullFile(RecordingFile):
        def write(self, _: Any) -> int:
            raise error

    def progress(*_: object) -> None:
        raise error

    store.put("a", DATA)
    for get in (lambda: store.get("a", FullFile()), lambda: store.get("a", progress=progress)):
        with pytest.raises(kind) as caught:
            get()
        assert caught.value is error


def test_errors_name_bucket_and_object(store: jetstow.ObjectStore) -> None:
    with pytest.raises(ObjectNotFoundError) as caught:
        store.get("a")
    assert (caught.value.bucket, caught.value.name) == (store.bucket, "a")


# -- loops -------------------------------------------------------------------------------------


async def test_calls_within_a_running_loop(server: NatsServer, bucket: str) -> None:
    """As in a notebook."""
    with jetstow.connect(server.url) as nc:
        store = nc.jetstream().create_object_store(bucket)
        store.put("a", b"1")
        assert list(store.stream("a")) == [b"1"]
        assert asyncio.get_running_loop().is_running()


def test_call_in_background_thread_raises(server: NatsServer) -> None:
    errors: list[BaseException] = []
    nc = jetstow.connect(server.url)

    async def on_close() -> None:
        try:
            nc.jetstream().object_store("any")
        except RuntimeError as error:
            errors.append(error)

    other = jetstow.connect(server.url, closed_cb=on_close)
    other.close()
    nc.close()
    assert "its own background thread" in str(errors[0])


def test_context_variables_reach_the_loop(server: NatsServer) -> None:
    """Tracing finds the current span of the caller."""
    seen = contextvars.ContextVar("seen", default="")
    found = []
    seen.set("by the caller")

    async def on_close() -> None:
        found.append(seen.get())

    jetstow.connect(server.url, closed_cb=on_close).close()
    assert found == ["by the caller"]


def test_open_resources_keep_the_connection(store: jetstow.ObjectStore, server: NatsServer) -> None:
    store.put("a", DATA)

    def opened() -> jetstow.ObjectStore:
        return jetstow.connect(server.url).jetstream().object_store(store.bucket)

    stream, file, out = opened().stream("a"), opened().open("a"), opened().open("b", "wb")
    watcher = opened().watch()
    gc.collect()
    assert b"".join(stream) == file.read() == DATA
    assert next(watcher) is not None
    with file, out:
        out.write(DATA)
    assert store.get("b").data == DATA


def test_collected_connection_is_closed(server: NatsServer) -> None:
    nc = jetstow.connect(server.url)
    client = nc.async_client()
    del nc
    gc.collect()
    with jetstow.connect(server.url) as other:
        other.flush()  # runs in the same loop, after the close was scheduled
        while not client.is_closed:
            other.flush()


def test_collected_resources_do_not_block(store: jetstow.ObjectStore) -> None:
    store.put("a", DATA)
    for _ in range(3):
        next(store.stream("a"))
        next(store.watch())
        store.open("a").read(10)
    gc.collect()
    assert store.get("a").data == DATA
