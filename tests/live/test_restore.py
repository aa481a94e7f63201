"""Restores: continued after an interruption, into a bucket with objects, of a sealed bucket."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta
from jetstow.errors import BadArchiveError, ObjectAlreadyExists
from tests.support import raw_stream
from tests.support.samples import some_bytes

pytestmark = pytest.mark.one_path

MIB = 1024 * 1024


async def archive_of(store: jetstow.ObjectStore) -> bytes:
    output = io.BytesIO()
    await jetstow.backup(store, output)
    return output.getvalue()


@pytest.fixture
def other(bucket: str) -> str:
    return f"{bucket}-other"


async def test_restore_after_truncated_archives(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, other: str, raw: Client
) -> None:
    for number in range(8):
        await store.put(f"{number}", some_bytes(number * 200_000, number))
    data = await archive_of(store)
    for fraction in (0.3, 0.6, 0.9):
        with pytest.raises(BadArchiveError, match="truncated") as caught:
            await jetstow.restore(js, io.BytesIO(data[: int(len(data) * fraction)]), other)
        assert caught.value.bucket == other
        for info in await (await js.object_store(other)).list():
            assert info.digest == (await store.get_info(info.name)).digest
    result = await jetstow.restore(js, io.BytesIO(data), other)
    assert result.unchanged > 2
    assert result.unchanged + result.objects == 8
    copy = await js.object_store(other)
    assert (await copy.get("7")).data == some_bytes(1_400_000, 7)
    # The interrupted restores have left no chunks.
    nuids = {info.nuid for info in await copy.list() if info.size}
    assert (await raw_stream.chunks(raw, other)).keys() == nuids


async def test_restore_after_a_cancelled_restore(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, other: str, raw: Client
) -> None:
    for name in "abc":
        await store.put(name, some_bytes(2_000_000))
    data = await archive_of(store)
    stalled = asyncio.Event()

    async def blocks() -> AsyncIterator[bytes]:
        for start in range(0, 5 * MIB, MIB):
            yield data[start : start + MIB]
        stalled.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(jetstow.restore(js, blocks(), other))
    await stalled.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [info.name for info in await (await js.object_store(other)).list()] == ["a", "b"]
    assert len(await raw_stream.chunks(raw, other)) == 2
    result = await jetstow.restore(js, io.BytesIO(data), other)
    assert (result.unchanged, result.objects) == (2, 1)


async def test_different_objects_are_kept_without_overwrite(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, other: str
) -> None:
    for name in ("same", "other bytes", "other metadata", "a link", "large"):
        await store.put(name, b"x" * (2 * MIB if name == "large" else 5), ObjectMeta(metadata={}))
    await store.add_link("link", "same")
    await store.add_link("not a link", "same")
    data = await archive_of(store)
    await jetstow.restore(js, io.BytesIO(data), other)

    copy = await js.object_store(other)
    await copy.put("other bytes", b"theirs")
    await copy.update_meta("other metadata", ObjectMeta(description="theirs"))
    await copy.delete("a link")
    await copy.add_link("a link", "same")
    await copy.put("large", b"theirs")
    await copy.delete("not a link")
    await copy.put("not a link", b"theirs")
    await copy.put("not in the archive", b"theirs")
    before = await copy.list()
    changed = {"other bytes", "other metadata", "a link", "large", "not a link"}

    result = await jetstow.restore(js, io.BytesIO(data), other)
    assert {error.name for error in result.failed} == changed
    assert {type(error) for error in result.failed} == {ObjectAlreadyExists}
    assert (result.unchanged, result.objects, result.links) == (2, 0, 0)
    assert await copy.list() == before

    result = await jetstow.restore(js, io.BytesIO(data), other, overwrite=True)
    assert (result.unchanged, result.objects, result.links, result.failed) == (2, 4, 1, [])
    assert (await copy.get("large")).data == b"x" * 2 * MIB
    assert (await copy.get("not a link")).data == b"xxxxx"
    assert not (await copy.get_info("other metadata")).description
    assert (await copy.get_info("a link")).link is None
    assert (await copy.get("not in the archive")).data == b"theirs"


async def test_restored_sealed_bucket_is_not_sealed(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, other: str
) -> None:
    await store.put("a", b"x")
    await store.seal()
    result = await jetstow.restore(js, io.BytesIO(await archive_of(store)), other)
    assert result.sealed
    assert not (await (await js.object_store(other)).status()).sealed
