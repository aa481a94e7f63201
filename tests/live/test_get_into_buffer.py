"""get(name, into=buffer): the bytes of an object in memory of the caller."""

from __future__ import annotations

import array
import asyncio
import os
from typing import Any

import numpy as np
import pytest

import jetstow
import jetstow.sync
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import (
    ConnectionLostError,
    DigestMismatchError,
    InvalidDataError,
    InvalidOptionError,
    ObjectNotFoundError,
)
from tests.support import object_builder
from tests.support.proxy import Proxy
from tests.support.round_trips import RoundTripCounter
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

DATA = some_bytes(96)
LARGE = some_bytes(3_000_000)
SMALL_CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10))


def buffers(size: int) -> dict[str, Any]:
    """Return writable buffers of every kind, with `size` bytes."""
    return {
        "bytearray": bytearray(size),
        "memoryview": memoryview(bytearray(size + 8))[4:-4],
        "array": array.array("d", bytes(size)),
        "numpy": np.zeros((size // 24, 3)),
        "big-endian": np.zeros(size // 8, ">f8"),
        "structured": np.zeros(size // 12, [("a", "i4"), ("b", "f8")]),
    }


@pytest.mark.parametrize("kind", buffers(0))
async def test_any_writable_buffer(store: jetstow.ObjectStore, kind: str) -> None:
    await store.put("a", DATA, SMALL_CHUNKS)
    buffer = buffers(96)[kind]
    result = await store.get("a", into=buffer)
    assert memoryview(buffer).cast("B") == DATA
    assert (result.data, result.info) == (b"", await store.get_info("a"))


@pytest.mark.distinct_versions
@pytest.mark.every_path
async def test_large_object_and_the_rest_of_the_buffer(store: jetstow.ObjectStore) -> None:
    await store.put("a", LARGE)
    buffer = bytearray(b"x") * (len(LARGE) + 10)
    assert (await store.get("a", into=buffer)).info.size == len(LARGE)
    assert buffer == LARGE + b"x" * 10


async def test_buffer_can_be_used_and_resized_again(store: jetstow.ObjectStore) -> None:
    await store.put("a", DATA)
    buffer = bytearray(96)
    for _ in range(2):
        await store.get("a", into=buffer)
        assert buffer == DATA
        buffer.clear()
        buffer.extend(bytes(96))
    with pytest.raises(ObjectNotFoundError):
        await store.get("b", into=buffer)
    buffer.clear()


@pytest.mark.parametrize("buffer", [bytearray(), memoryview(b""), np.zeros((0, 3))])
async def test_empty_buffer(store: jetstow.ObjectStore, buffer: Any) -> None:
    await store.put("a", b"")
    if not isinstance(buffer, memoryview):
        assert (await store.get("a", into=buffer)).info.size == 0
    await store.put("a", b"1")
    with pytest.raises((InvalidOptionError, InvalidDataError)):
        await store.get("a", into=buffer)


async def test_small_buffer_is_refused_before_anything_is_read(
    store: jetstow.ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.put("a", LARGE)
    buffer = bytearray(len(LARGE) - 1)
    rounds = RoundTripCounter(monkeypatch)
    with pytest.raises(InvalidOptionError, match="3000000 bytes, and the buffer 2999999") as caught:
        await store.get("a", into=buffer)
    assert (caught.value.bucket, caught.value.name) == (store.bucket, "a")
    assert rounds.requests == 1, "the metadata"
    assert not any(buffer)


@pytest.mark.parametrize(
    ("buffer", "reason"),
    [
        (bytes(96), "read-only"),
        (memoryview(bytearray(192))[::2], "contiguous"),
        (np.asfortranarray(np.zeros((3, 4))), "contiguous"),
        (np.zeros(3, "M8[s]"), "ndarray"),
        ("text", "str"),
        (7, "int"),
    ],
)
async def test_unwritable_buffer(store: jetstow.ObjectStore, buffer: Any, reason: str) -> None:
    await store.put("a", DATA)
    with pytest.raises(InvalidDataError, match=reason) as caught:
        await store.get("a", into=buffer)
    assert (caught.value.bucket, caught.value.name) == (store.bucket, "a")


async def test_two_destinations_are_refused(store: jetstow.ObjectStore, tmp_path: Any) -> None:
    await store.put("a", DATA)
    with (tmp_path / "file").open("wb") as file, pytest.raises(InvalidOptionError, match="both"):
        await store.get("a", file, into=bytearray(96))


async def test_encrypted_object(store: jetstow.ObjectStore) -> None:
    """The buffer needs the size of the plaintext, whose last chunk ends it exactly."""
    encrypted = store.encrypted(os.urandom(32))
    await encrypted.put("a", LARGE)
    buffer = bytearray(len(LARGE))
    await encrypted.get("a", into=buffer)
    assert buffer == LARGE
    with pytest.raises(InvalidOptionError, match="3000000 bytes, and the buffer 96"):
        await encrypted.get("a", into=bytearray(96))


async def test_plain_object_through_a_view_with_a_key(store: jetstow.ObjectStore) -> None:
    """Only its first bytes show that it is not encrypted, and has its size."""
    await store.put("a", LARGE)
    view = store.encrypted(os.urandom(32), allow_plain=True)
    buffer = bytearray(len(LARGE))
    await view.get("a", into=buffer)
    assert buffer == LARGE
    with pytest.raises(InvalidOptionError, match="the buffer 96"):
        await view.get("a", into=bytearray(96))


async def test_damaged_object(store: jetstow.ObjectStore, raw: Any) -> None:
    await store.put("a", LARGE)
    await object_builder.change_metadata(raw, store.bucket, "a", digest="SHA-256=" + "A" * 43 + "=")
    with pytest.raises(DigestMismatchError):
        await store.get("a", into=bytearray(len(LARGE)))


@pytest.mark.parametrize("size", [2**40, 2**62])
async def test_absurd_size_in_the_metadata(store: jetstow.ObjectStore, raw: Any, size: int) -> None:
    """Memory is allocated by the stated size: an impossible one must not end in MemoryError."""
    await store.put("a", LARGE)
    await object_builder.change_metadata(raw, store.bucket, "a", size=size)
    with pytest.raises(jetstow.errors.SizeMismatchError):
        await store.get("a")
    with pytest.raises(InvalidOptionError):
        await store.get("a", into=bytearray(100))


async def test_progress_reports_each_chunk(store: jetstow.ObjectStore) -> None:
    await store.put("a", DATA, SMALL_CHUNKS)
    seen: list[tuple[int, int | None]] = []
    await store.get("a", into=bytearray(96), progress=lambda *step: seen.append(step))
    assert seen == [(min(10 * n, 96), 96) for n in range(1, 11)]


async def test_connection_lost_in_the_middle(server: NatsServer, store: Any) -> None:
    """The chunks that have arrived are not requested again, and each is at its place."""
    await store.put("a", LARGE)
    async with Proxy(server.port) as proxy, jetstow.connect(proxy.url) as nc:
        other = await nc.jetstream().object_store(store.bucket)
        buffer = bytearray(len(LARGE))
        cut = proxy.cut_after(1_500_000, "to_client")
        await other.get("a", into=buffer)
        await cut
        assert buffer == LARGE


async def test_cancelled_get_releases_the_buffer(server: NatsServer, store: Any) -> None:
    await store.put("a", LARGE)
    async with Proxy(server.port) as proxy, jetstow.connect(proxy.url) as nc:
        other = await nc.jetstream().object_store(store.bucket)
        buffer = bytearray(len(LARGE))
        cut = proxy.cut_after(1_500_000, "to_client")
        get = asyncio.create_task(other.get("a", into=buffer))
        await cut
        get.cancel()
        with pytest.raises((asyncio.CancelledError, ConnectionLostError)):
            await get
        del get
        buffer.clear()  # no view of it is left


def test_blocking_get(server: NatsServer, store: jetstow.ObjectStore) -> None:
    with jetstow.sync.connect(server.url) as nc:
        blocking = nc.jetstream().object_store(store.bucket)
        blocking.put("a", LARGE)
        buffer: Any = np.zeros(len(LARGE), "u1")
        assert blocking.get("a", into=buffer).info.size == len(LARGE)
        assert buffer.tobytes() == LARGE
