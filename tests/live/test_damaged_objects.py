"""Stored data that does not match its metadata is reported, never returned as if it did."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import (
    ChunksLostError,
    DigestMismatchError,
    IntegrityError,
    SizeMismatchError,
)
from tests.support import object_builder
from tests.support.samples import digest_of, some_bytes

pytestmark = pytest.mark.one_path

DATA = some_bytes(95)
SMALL_CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10))

Damage = Callable[[Client, str, str], Awaitable[object]]


def metadata(**fields: object) -> Damage:
    """Change fields of the metadata."""
    return lambda nc, bucket, _: object_builder.change_metadata(nc, bucket, "a", **fields)


def delete(*which: int) -> Damage:
    return lambda nc, bucket, nuid: object_builder.delete_chunks(nc, bucket, nuid, *which)


def add(*chunks: bytes) -> Damage:
    return lambda nc, bucket, nuid: object_builder.write_chunks(nc, bucket, list(chunks), nuid)


async def replace_last_chunk(nc: Client, bucket: str, nuid: str) -> None:
    """Replace the last chunk by another of the same size."""
    await object_builder.delete_chunks(nc, bucket, nuid, -1)
    await object_builder.write_chunks(nc, bucket, [b"other"], nuid)


DAMAGES = [
    pytest.param(metadata(digest=digest_of(b"other")), DigestMismatchError, id="another digest"),
    pytest.param(metadata(digest="SHA-256=nonsense"), DigestMismatchError, id="no digest at all"),
    pytest.param(metadata(digest="MD5=abc"), DigestMismatchError, id="a digest of another kind"),
    pytest.param(replace_last_chunk, DigestMismatchError, id="a chunk that is another"),
    pytest.param(metadata(size=94), SizeMismatchError, id="a byte less in the metadata"),
    pytest.param(metadata(size=96), SizeMismatchError, id="a byte more in the metadata"),
    pytest.param(metadata(size=0), SizeMismatchError, id="no bytes in the metadata"),
    pytest.param(metadata(size=2**62), SizeMismatchError, id="a huge size in the metadata"),
    pytest.param(metadata(chunks=9), SizeMismatchError, id="a chunk less in the metadata"),
    pytest.param(metadata(chunks=0), SizeMismatchError, id="no chunks in the metadata"),
    pytest.param(metadata(chunks=11), ChunksLostError, id="a chunk more in the metadata"),
    pytest.param(metadata(chunks=2**62), ChunksLostError, id="a huge count in the metadata"),
    pytest.param(add(b"x"), SizeMismatchError, id="a chunk too many"),
    pytest.param(add(b"", b""), SizeMismatchError, id="empty chunks too many"),
    pytest.param(delete(0), ChunksLostError, id="the first chunk lost"),
    pytest.param(delete(0, 1, 2), ChunksLostError, id="the first three lost"),
    pytest.param(delete(5), ChunksLostError, id="a middle chunk lost"),
    pytest.param(delete(-1), ChunksLostError, id="the last chunk lost"),
    pytest.param(object_builder.delete_all_chunks, ChunksLostError, id="all lost"),
]


@pytest.fixture
async def damaged(
    store: jetstow.ObjectStore, raw: Client, request: pytest.FixtureRequest
) -> jetstow.ObjectStore:
    info = await store.put("a", DATA, SMALL_CHUNKS)
    await request.param(raw, store.bucket, info.nuid)
    return store


@pytest.mark.parametrize(("damaged", "kind"), DAMAGES, indirect=["damaged"])
async def test_read_error_by_kind_of_damage(
    damaged: jetstow.ObjectStore, kind: type[IntegrityError], tmp_path: Path
) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"old")

    async def stream() -> list[bytes]:
        return [chunk async for chunk in damaged.stream("a")]

    async def opened() -> bytes:
        async with damaged.open("a") as file:
            return await file.read()

    async def ranged() -> bytes:
        return await damaged.get_range("a", 0)

    reads: list[Callable[[], Awaitable[object]]] = [
        lambda: damaged.get("a"),
        lambda: damaged.get("a", io.BytesIO()),
        lambda: damaged.get_file("a", target),
        stream,
    ]
    info = await damaged.get_info("a")
    if info.size:
        reads += [opened, ranged]
    for read in reads:
        with pytest.raises(kind) as caught:
            await read()
        assert type(caught.value) is kind
        assert (caught.value.bucket, caught.value.name) == (damaged.bucket, "a")
        assert f"object 'a' in bucket {damaged.bucket!r}" in str(caught.value)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]

    await damaged.put("b", DATA)
    assert (await damaged.get("b")).data == DATA, "the connection is still usable"


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(delete(0), id="the first chunk lost"),
        pytest.param(delete(0, 1, 2), id="the first three lost"),
        pytest.param(delete(3), id="one lost"),
        pytest.param(delete(2, 3, 4), id="three lost"),
        pytest.param(delete(*range(9)), id="all but the last lost"),
        pytest.param(delete(-1), id="the last lost"),
        pytest.param(add(b"12345"), id="a chunk too many"),
    ],
    indirect=True,
)
async def test_range_of_a_damaged_object(
    damaged: jetstow.ObjectStore,
) -> None:
    """Without the first chunks, the search for a later one did not end. With other chunks missing,
    or one too many, it returned the bytes of a wrong chunk."""
    for start in range(0, 95, 5):
        try:
            found = await damaged.get_range("a", start, 7)
        except IntegrityError:
            continue
        assert found == DATA[start : start + 7]


async def test_lost_chunk_before_the_first_byte(store: jetstow.ObjectStore, raw: Client) -> None:
    info = await store.put("a", DATA, SMALL_CHUNKS)
    await object_builder.delete_chunks(raw, store.bucket, info.nuid, 5)
    with pytest.raises(ChunksLostError):
        await anext(store.stream("a"))


async def test_replace_and_delete_damaged_objects(store: jetstow.ObjectStore, raw: Client) -> None:
    for name in ("a", "b"):
        info = await store.put(name, DATA, SMALL_CHUNKS)
        await object_builder.delete_chunks(raw, store.bucket, info.nuid, 5)
    await store.put("a", b"new")
    await store.delete("b")
    assert (await store.get("a")).data == b"new"
    assert [info.name for info in await store.list()] == ["a"]


@pytest.mark.parametrize(
    "body",
    [b"", b"no JSON", b"{}", b"[]", b'{"nuid": "\xff"}', b'{"nuid": ">", "chunks": 1, "size": 1}'],
)
async def test_read_with_unreadable_metadata(
    store: jetstow.ObjectStore, raw: Client, body: bytes
) -> None:
    from jetstow.errors import BadObjectMetaError
    from tests.support import raw_stream

    await store.put("fine", DATA)
    await raw_stream.write_metadata(raw, store.bucket, "a", body)
    with pytest.raises(BadObjectMetaError) as caught:
        await store.get("a")
    assert (caught.value.bucket, caught.value.name) == (store.bucket, "a")
    for read in (store.get_info("a"), store.get_range("a", 0), store.open("a")):
        with pytest.raises(BadObjectMetaError):
            await read
    assert [info.name for info in await store.list()] == ["fine"]
