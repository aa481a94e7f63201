"""An object opened for reading is a Python file."""

from __future__ import annotations

import gc
import io
import os
import random

import pytest

import jetstow.sync as jetstow
from jetstow.errors import (
    ChunksLostError,
    DigestMismatchError,
    ObjectChangedError,
    ObjectNotFoundError,
    RevisionMismatchError,
)
from tests.support import object_builder
from tests.support.purges import blocking_purges_ended
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer
from tests.sync.plain_client import run_on_server

DATA = some_bytes(6_000_000)


def test_file_interface(store: jetstow.ObjectStore) -> None:
    info = store.put("a", DATA)
    with store.open("a") as file:
        assert isinstance(file, io.BufferedReader)
        assert (file.readable(), file.seekable(), file.writable()) == (True, True, False)
        assert (file.name, file.mode, file.closed) == ("a", "rb", False)
        assert file.info.digest == info.digest
        assert file.read(0) == b""
        assert file.peek(3)[:3] == DATA[:3]
        assert (file.read(5), file.tell()) == (DATA[:5], 5)
        buffer = bytearray(70_000)
        assert file.readinto(buffer) == 70_000
        assert buffer == DATA[5:70_005]
        assert file.seek(-3, os.SEEK_END) == len(DATA) - 3
        assert file.read() == DATA[-3:]
        assert (file.read(), file.read(5)) == (b"", b"")
        assert file.seek(10_000_000) == 10_000_000
        assert file.read(1) == b""
        with pytest.raises(ValueError, match="before the start"):
            file.seek(-1)
        with pytest.raises(io.UnsupportedOperation):
            file.write(b"1")
        assert file.read_at(1_000_000, 10) == DATA[1_000_000:1_000_010]
    assert file.closed
    with pytest.raises(ValueError, match="closed"):
        file.read(1)
    file.close()


def test_lines(store: jetstow.ObjectStore) -> None:
    lines = [f"line {number}\n".encode() for number in range(50_000)]
    store.put("a", lines)
    with store.open("a") as file:
        assert file.readline() == lines[0]
        assert list(file) == lines[1:]
    with io.TextIOWrapper(store.open("a"), encoding="ascii") as text:
        assert text.readline() == "line 0\n"
        assert sum(1 for _ in text) == len(lines) - 1


@pytest.mark.parametrize("size", [1000, 64 * 1024, 100_001, 5_000_000, -1])
def test_sequential_reads(store: jetstow.ObjectStore, size: int) -> None:
    store.put("a", DATA)
    with store.open("a") as file:
        assert b"".join(iter(lambda: file.read(size), b"")) == DATA
    with store.open("a") as file:
        file.seek(1_234_567)
        assert b"".join(iter(lambda: file.read(size), b"")) == DATA[1_234_567:]


def test_random_reads(store: jetstow.ObjectStore) -> None:
    store.put(
        "a", DATA, jetstow.ObjectMeta(options=jetstow.ObjectMetaOptions(max_chunk_size=9_999))
    )
    chance = random.Random(1)
    with store.open("a") as file:
        for _ in range(60):
            start = chance.randrange(len(DATA))
            size = chance.choice([1, 500, 70_000, 400_000])
            file.seek(start)
            assert file.read(size) == DATA[start : start + size]
            assert file.read(size) == DATA[start + size : start + 2 * size]


def test_empty_object(store: jetstow.ObjectStore) -> None:
    store.put("a", b"")
    with store.open("a") as file:
        assert (file.read(), file.read(5), file.seek(0, os.SEEK_END)) == (b"", b"", 0)
        assert list(file) == []


def test_open_errors(store: jetstow.ObjectStore) -> None:
    info = store.put("a", DATA)
    with pytest.raises(ObjectNotFoundError):
        store.open("none")
    with pytest.raises(RevisionMismatchError):
        store.open("a", expected_revision=info.revision + 1)
    for mode in ("r", "w", "r+b", "ab", ""):
        with pytest.raises(ValueError, match="'rb' or 'wb'"):
            store.open("a", mode)  # type: ignore[call-overload]


def test_link_to_another_bucket(js: jetstow.JetStreamContext, store: jetstow.ObjectStore) -> None:
    other = js.create_object_store(f"{store.bucket}-2")
    store.add_link("link", other.put("a", DATA))
    with store.open("link") as file:
        file.seek(3_000_000)
        assert file.read(10) == DATA[3_000_000:3_000_010]
        assert file.info.bucket == other.bucket
    js.delete_object_store(other.bucket)


@pytest.mark.parametrize("size", [4_000, 1_000_000, -1])
def test_full_read_verifies_the_digest(
    store: jetstow.ObjectStore, server: NatsServer, size: int
) -> None:
    store.put("a", DATA)
    run_on_server(
        server, object_builder.change_metadata, store.bucket, "a", digest="SHA-256=" + "A" * 43
    )
    with store.open("a") as file:
        for _ in range(2):
            with pytest.raises(DigestMismatchError):
                list(iter(lambda: file.read(size), b""))
    with store.open("a") as file:
        file.seek(10)
        assert file.read() == DATA[10:], "a part cannot be verified"


def test_replaced_object_raises(store: jetstow.ObjectStore) -> None:
    store.put("a", DATA)
    with store.open("a") as file:
        assert file.read(10) == DATA[:10]
        store.update_meta("a", jetstow.ObjectMeta(name="b", description="other words"))
        file.seek(5_000_000)
        assert file.read(10) == DATA[5_000_000:5_000_010], "a rename does not move the bytes"
        store.put("b", b"new")
        blocking_purges_ended(store)
        file.seek(3_000_000)
        with pytest.raises(ObjectChangedError):
            file.read(10)


def test_lost_chunks_raise_each_time(store: jetstow.ObjectStore, server: NatsServer) -> None:
    info = store.put("a", DATA)
    run_on_server(server, object_builder.delete_chunks, store.bucket, info.nuid, 20)
    with store.open("a") as file:
        for _ in range(2):
            with pytest.raises(ChunksLostError):
                file.read()
            file.seek(0)


def test_collected_file_is_closed(store: jetstow.ObjectStore) -> None:
    store.put("a", DATA)
    raw = store.open("a").raw
    assert raw.read(3) == DATA[:3]
    del raw
    gc.collect()
    assert store.open("a").read(3) == DATA[:3]
