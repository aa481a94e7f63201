"""Who runs what: the caller's code in the caller's thread, and all else in the background."""

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
from tests.sync.looking import look

DATA = some_bytes(3_000_000)


class Spy:
    """A file of the caller's that says in which threads it was used."""

    def __init__(self, data: bytes = b"") -> None:
        self.file = io.BytesIO(data)
        self.threads = set[int]()

    def read(self, size: int) -> bytes:
        self.threads.add(threading.get_ident())
        return self.file.read(min(size, 100_000))

    def write(self, data: Any) -> int:
        self.threads.add(threading.get_ident())
        return self.file.write(bytes(data)[:50_000])


MINE = threading.get_ident


def test_what_is_put_is_read_in_the_callers_thread(store: jetstow.ObjectStore) -> None:
    threads = set()

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(DATA), 10_000):
            threads.add(MINE())
            yield DATA[start : start + 10_000]

    store.put("a", pieces())
    spy = Spy(DATA)
    store.put("b", spy)
    assert threads == spy.threads == {MINE()}
    assert store.get("a").data == store.get("b").data == DATA


def test_what_is_got_is_written_in_the_callers_thread(store: jetstow.ObjectStore) -> None:
    store.put("a", DATA)
    spy = Spy()
    store.get("a", spy)
    assert spy.file.getvalue() == DATA
    assert spy.threads == {MINE()}
    text = io.TextIOWrapper(io.BufferedRandom(_Raw()), encoding="utf-8")
    store.get("a", text)
    text.buffer.seek(0)
    assert text.buffer.read() == DATA


class _Raw(io.BytesIO):
    """Somebody's subclass, which may do anything."""


def test_progress_is_told_in_the_callers_thread(store: jetstow.ObjectStore) -> None:
    told = []

    def progress(done: int, total: int | None) -> None:
        store.get_info("before")
        told.append((MINE(), done, total))

    store.put("before", b"x")
    store.put("a", DATA, progress=progress)
    assert told[-1] == (MINE(), len(DATA), len(DATA))
    assert [done for _, done, _ in told] == sorted({done for _, done, _ in told})
    told.clear()
    store.get("a", progress=progress)
    assert told[-1] == (MINE(), len(DATA), len(DATA))


def test_a_source_may_use_the_store_itself(store: jetstow.ObjectStore) -> None:
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
def test_all_kinds_of_data(store: jetstow.ObjectStore, data: Any) -> None:
    expected = {"text": b"text"}.get(data) if isinstance(data, str) else None
    if isinstance(data, io.StringIO):
        expected = data.getvalue().encode()
    elif isinstance(data, list):
        expected = b"".join(data)
    store.put("a", data)
    assert store.get("a").data == (bytes(data) if expected is None else expected)


def test_a_source_may_reuse_its_memory(store: jetstow.ObjectStore) -> None:
    def pieces() -> Iterator[bytearray]:
        memory = bytearray(1000)
        for number in range(250):
            memory[:] = bytes([number]) * 1000
            yield memory

    store.put("a", pieces())
    assert store.get("a").data == b"".join(bytes([number]) * 1000 for number in range(250))


@pytest.mark.parametrize("data", [7, None, [b"1", "2"], [None], io.StringIO("\ud800")])
def test_what_is_not_made_of_bytes(store: jetstow.ObjectStore, data: Any) -> None:
    with pytest.raises(InvalidDataError):
        store.put("a", data)
    with pytest.raises(InvalidDataError):
        store.get("a", data if data is not None else 7)
    assert store.list() == []


async def test_what_belongs_to_a_loop_is_refused(store: jetstow.ObjectStore) -> None:
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


# -- errors, both ways ---------------------------------------------------------------------------


class OurError(Exception):
    """The caller's own."""


@pytest.mark.parametrize("kind", [OurError, KeyboardInterrupt, SystemExit, ValueError])
def test_what_a_source_raises_ends_the_put(
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
    assert look(server, raw_stream.chunks, store.bucket) == {}


@pytest.mark.parametrize("kind", [OurError, KeyboardInterrupt])
def test_what_a_file_or_a_callback_raises(
    store: jetstow.ObjectStore, kind: type[BaseException]
) -> None:
    error = kind("no more")

    class Full(Spy):
        def write(self, _: Any) -> int:
            raise error

    def progress(*_: object) -> None:
        raise error

    store.put("a", DATA)
    for get in (lambda: store.get("a", Full()), lambda: store.get("a", progress=progress)):
        with pytest.raises(kind) as caught:
            get()
        assert caught.value is error


def test_an_error_of_ours_is_the_asynchronous_ones(store: jetstow.ObjectStore) -> None:
    with pytest.raises(ObjectNotFoundError) as caught:
        store.get("a")
    assert (caught.value.bucket, caught.value.name) == (store.bucket, "a")


# -- loops -------------------------------------------------------------------------------------


async def test_it_works_where_a_loop_runs(server: NatsServer, bucket: str) -> None:
    """As in a notebook."""
    with jetstow.connect(server.url) as nc:
        store = nc.jetstream().create_object_store(bucket)
        store.put("a", b"1")
        assert list(store.stream("a")) == [b"1"]
        assert asyncio.get_running_loop().is_running()


def test_the_background_must_not_wait_for_itself(server: NatsServer) -> None:
    found: list[BaseException] = []
    nc = jetstow.connect(server.url)

    async def on_close() -> None:
        try:
            nc.jetstream().object_store("any")
        except RuntimeError as error:
            found.append(error)

    other = jetstow.connect(server.url, closed_cb=on_close)
    other.close()
    nc.close()
    assert "its own background thread" in str(found[0])


def test_the_callers_context_is_seen(server: NatsServer) -> None:
    """What traces calls finds the span that the caller is in."""
    seen = contextvars.ContextVar("seen", default="")
    found = []
    seen.set("by the caller")

    async def on_close() -> None:
        found.append(seen.get())

    jetstow.connect(server.url, closed_cb=on_close).close()
    assert found == ["by the caller"]


def test_what_is_open_keeps_its_connection(store: jetstow.ObjectStore, server: NatsServer) -> None:
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


def test_a_connection_that_nobody_has_any_more_is_closed(server: NatsServer) -> None:
    nc = jetstow.connect(server.url)
    asynchronous = nc.here()
    del nc
    gc.collect()
    with jetstow.connect(server.url) as other:
        other.flush()  # a step later in the same loop
        while not asynchronous.is_closed:
            other.flush()


def test_nothing_waits_that_was_abandoned(store: jetstow.ObjectStore) -> None:
    store.put("a", DATA)
    for _ in range(3):
        next(store.stream("a"))
        next(store.watch())
        store.open("a").read(10)
    gc.collect()
    assert store.get("a").data == DATA
