"""get_range: any part of an object, for any client and any layout of its chunks."""

from __future__ import annotations

import asyncio
import random

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import (
    InvalidObjectNameError,
    InvalidRangeError,
    LinkIsABucketError,
    ObjectDeletedError,
    ObjectNotFoundError,
)
from tests.support import object_builder
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

pytestmark = pytest.mark.every_version

DATA = some_bytes(997)


def chunks_of(size: int) -> ObjectMeta:
    return ObjectMeta(options=ObjectMetaOptions(max_chunk_size=size))


def split(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


async def check_ranges(
    store: jetstow.ObjectStore, data: bytes, name: str = "a", tries: int = 25, seed: int = 0
) -> None:
    """Check ranges at both ends, and random ones."""
    size = len(data)
    rng = random.Random(seed)
    starts = [0, 0, size, size - 1, 0] + [rng.randint(0, size) for _ in range(tries)]
    lengths = [None, 0, 5, None, size] + [rng.choice([None, 1, 10, 33, size])] * tries
    for start, length in zip(starts, lengths, strict=True):
        wanted = data[start:] if length is None else data[start : start + length]
        assert await store.get_range(name, start, length) == wanted, (start, length)


@pytest.mark.parametrize("chunk_size", [1, 10, 64, 996, 997, 998, None])
async def test_random_ranges_by_chunk_size(
    store: jetstow.ObjectStore, chunk_size: int | None
) -> None:
    await store.put("a", DATA, chunks_of(chunk_size) if chunk_size else None)
    await check_ranges(store, DATA)


async def test_every_range_of_a_small_object(store: jetstow.ObjectStore) -> None:
    data = DATA[:9]
    await store.put("a", data, chunks_of(4))
    for start in range(10):
        for length in range(11 - start):
            assert await store.get_range("a", start, length) == data[start : start + length]


async def test_ranges_across_many_windows(store: jetstow.ObjectStore) -> None:
    data = some_bytes(3_000_000)
    await store.put("a", data, chunks_of(100_000))
    for start, length in ((0, 2_999_999), (1, None), (99_999, 2), (1_234_567, 1_500_000)):
        stop = len(data) if length is None else start + length
        assert await store.get_range("a", start, length) == data[start:stop]


async def test_range_past_the_end(store: jetstow.ObjectStore) -> None:
    await store.put("a", DATA, chunks_of(10))
    assert await store.get_range("a", 990, 100) == DATA[990:]
    assert await store.get_range("a", 990, 2**62) == DATA[990:]
    assert await store.get_range("a", 997, 5) == b""
    await store.put("empty", b"")
    assert await store.get_range("empty", 0) == b""
    assert await store.get_range("empty", 0, 10) == b""


@pytest.mark.parametrize(
    ("start", "length"), [(998, None), (998, 0), (-1, None), (-1, 5), (0, -1), (2**62, 1)]
)
async def test_invalid_range(store: jetstow.ObjectStore, start: int, length: int | None) -> None:
    await store.put("a", DATA, chunks_of(10))
    with pytest.raises(InvalidRangeError, match="997 bytes") as caught:
        await store.get_range("a", start, length)
    error = caught.value
    assert (error.bucket, error.name, error.size) == (store.bucket, "a", 997)
    assert await store.get_range("a", 0) == DATA


async def test_range_of_a_missing_object(store: jetstow.ObjectStore) -> None:
    await store.put("gone", b"x")
    await store.delete("gone")
    await store.add_bucket_link("all", store)
    for name, kind in (
        ("never", ObjectNotFoundError),
        ("gone", ObjectDeletedError),
        ("all", LinkIsABucketError),
    ):
        with pytest.raises(kind) as caught:
            await store.get_range(name, 0)
        assert (caught.value.bucket, caught.value.name) == (store.bucket, name)
    with pytest.raises(InvalidObjectNameError):
        await store.get_range("", 0)


async def test_range_of_a_link(
    store: jetstow.ObjectStore, js: jetstow.JetStreamContext, bucket: str
) -> None:
    other = await js.create_object_store(f"{bucket}-other")
    info = await other.put("target", DATA, chunks_of(10))
    await store.add_link("a", info)
    await check_ranges(store, DATA, tries=5)
    with pytest.raises(InvalidRangeError) as caught:
        await store.get_range("a", 998)
    assert caught.value.name == "a", "the error names the link"
    await js.delete_object_store(other.bucket)


# -- chunks that are not contiguous ------------------------------------------------------


async def test_chunks_interleaved_with_other_writers(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    """The chunks of a single writer are contiguous. Here every gap has another size."""
    rng = random.Random(1)
    nuids = ["one", "two", "three"]
    rest = {nuid: split(some_bytes(600, n), 10) for n, nuid in enumerate(nuids)}
    while rest:
        nuid = rng.choice(sorted(rest))
        for _ in range(rng.choice([1, 1, 2, 25])):
            if rest.get(nuid):
                await object_builder.write_chunks(raw, store.bucket, [rest[nuid].pop(0)], nuid)
        rest = {nuid: chunks for nuid, chunks in rest.items() if chunks}
    for number, nuid in enumerate(nuids):
        options = {"max_chunk_size": 10}
        fields = {"nuid": nuid, "size": 600, "chunks": 60, "options": options, "digest": None}
        await object_builder.write_object(raw, store.bucket, nuid, [], **fields)
        data = some_bytes(600, number)
        assert (await store.get(nuid)).data == data
        await check_ranges(store, data, nuid, seed=number)


async def test_concurrent_writers(store: jetstow.ObjectStore) -> None:
    contents = {f"object {n}": some_bytes(900, n) for n in range(4)}
    async with asyncio.TaskGroup() as tasks:
        for name, data in contents.items():
            tasks.create_task(store.put(name, data, chunks_of(10)))
    for name, data in contents.items():
        await check_ranges(store, data, name, tries=10)


async def test_metadata_rewritten_after_the_chunks(store: jetstow.ObjectStore) -> None:
    """The search starts at the revision, which is far from the chunks after an update."""
    await store.put("before", some_bytes(500), chunks_of(10))
    await store.put("a", DATA, chunks_of(10))
    for number in range(3):
        await store.put(f"after {number}", some_bytes(700), chunks_of(7))
    await store.update_meta("a", ObjectMeta(description="rewritten"))
    await check_ranges(store, DATA)
    await store.update_meta("a", ObjectMeta(name="b"))
    await check_ranges(store, DATA, "b")


async def test_gap_between_chunks(store: jetstow.ObjectStore, raw: Client) -> None:
    chunks = split(DATA, 10)
    await object_builder.write_chunks(raw, store.bucket, chunks[:13], "nuid")
    await store.put("between", some_bytes(5_000), chunks_of(5))
    await object_builder.write_chunks(raw, store.bucket, chunks[13:], "nuid")
    fields = {"nuid": "nuid", "size": 997, "chunks": 100, "options": {"max_chunk_size": 10}}
    await object_builder.write_object(raw, store.bucket, "a", [], **fields, digest=None)
    await check_ranges(store, DATA)
    await store.delete("between")
    await check_ranges(store, DATA)


# -- chunks of unexpected sizes ----------------------------------------------------------

UNEVEN = {
    "short ones in the middle": [10] * 20 + [3] + [10] * 30,
    "the same number as even ones": [10, 10, 4, 10, 10, 10],
    "the last one full": [10, 6, 10, 4, 10],
    "a short first one": [1] + [10] * 20,
    "growing": list(range(1, 30)),
    "empty ones": [10, 0, 10, 0, 0, 10, 5],
    "empty ones at the ends": [0, 10, 10, 10, 0],
    "larger than stated": [25, 25, 25, 3],
}


@pytest.mark.parametrize("sizes", UNEVEN.values(), ids=UNEVEN)
@pytest.mark.parametrize(
    "options", [{"max_chunk_size": 10}, None], ids=["size stated", "size not stated"]
)
async def test_uneven_chunks(
    store: jetstow.ObjectStore, raw: Client, sizes: list[int], options: object
) -> None:
    data = some_bytes(sum(sizes))
    ends = [sum(sizes[: n + 1]) for n in range(len(sizes))]
    chunks = [data[end - size : end] for end, size in zip(ends, sizes, strict=True)]
    await object_builder.write_object(raw, store.bucket, "a", chunks, options=options)
    assert (await store.get("a")).data == data
    await check_ranges(store, data, tries=15)


@pytest.mark.parametrize("size", [7, 10, 996, 997])
async def test_even_chunks_without_a_stated_size(
    store: jetstow.ObjectStore, raw: Client, size: int
) -> None:
    await object_builder.write_object(raw, store.bucket, "a", split(DATA, size))
    await check_ranges(store, DATA, tries=15)


@pytest.mark.parametrize("stated_size", [1, 9, 11, 1000, 2**40])
async def test_even_chunks_with_a_wrong_stated_size(
    store: jetstow.ObjectStore, raw: Client, stated_size: int
) -> None:
    options = {"max_chunk_size": stated_size}
    await object_builder.write_object(raw, store.bucket, "a", split(DATA, 10), options=options)
    await check_ranges(store, DATA, tries=15)


async def test_range_comes_from_one_revision(
    store: jetstow.ObjectStore, nc: jetstow.Client, server: NatsServer
) -> None:
    """A reader gets bytes of one revision, never of two, while another client writes."""
    # Before 2.10, a server does not report a purge to a consumer: the read waits for the timeout.
    js = nc.jetstream(timeout=5 if server.at_least("2.10") else 1)
    reader = await js.object_store(store.bucket)
    versions = [bytes([n]) * 400 for n in range(8)]
    await store.put("a", versions[0], chunks_of(10))
    done = asyncio.Event()

    async def write() -> None:
        for data in versions[1:]:
            await store.put("a", data, chunks_of(10))
        done.set()

    writing = asyncio.create_task(write())
    found = set()
    while not done.is_set():
        found.add(await reader.get_range("a", 195, 30))
    await writing
    assert found <= {data[195:225] for data in versions}
    assert await store.get_range("a", 195, 30) == versions[-1][195:225]
