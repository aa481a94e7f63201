"""A file as a bucket again: gone on with where it broke off, put over what is there."""

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

MIB = 1024 * 1024


async def archived(store: jetstow.ObjectStore) -> bytes:
    into = io.BytesIO()
    await jetstow.backup(store, into)
    return into.getvalue()


@pytest.fixture
def other(bucket: str) -> str:
    return f"{bucket}-other"


async def test_what_was_cut_short_goes_on(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, other: str, raw: Client
) -> None:
    for number in range(8):
        await store.put(f"{number}", some_bytes(number * 200_000, number))
    data = await archived(store)
    for part in (0.3, 0.6, 0.9):
        with pytest.raises(BadArchiveError, match="truncated") as caught:
            await jetstow.restore(js, io.BytesIO(data[: int(len(data) * part)]), other)
        assert caught.value.bucket == other
        for info in await (await js.object_store(other)).list():
            assert info.digest == (await store.get_info(info.name)).digest
    report = await jetstow.restore(js, io.BytesIO(data), other)
    assert report.unchanged > 2
    assert report.unchanged + report.objects == 8
    copy = await js.object_store(other)
    assert (await copy.get("7")).data == some_bytes(1_400_000, 7)
    # Nothing is left of what had begun.
    nuids = {info.nuid for info in await copy.list() if info.size}
    assert (await raw_stream.chunks(raw, other)).keys() == nuids


async def test_a_cancelled_one_goes_on(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, other: str, raw: Client
) -> None:
    for name in "abc":
        await store.put(name, some_bytes(2_000_000))
    data = await archived(store)
    stalled = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, 5 * MIB, MIB):
            yield data[start : start + MIB]
        stalled.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(jetstow.restore(js, pieces(), other))
    await stalled.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [info.name for info in await (await js.object_store(other)).list()] == ["a", "b"]
    assert len(await raw_stream.chunks(raw, other)) == 2
    report = await jetstow.restore(js, io.BytesIO(data), other)
    assert (report.unchanged, report.objects) == (2, 1)


async def test_what_is_there_otherwise_is_kept_unless_one_asks(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, other: str
) -> None:
    for name in ("same", "other bytes", "other words", "a link", "large"):
        await store.put(name, b"x" * (2 * MIB if name == "large" else 5), ObjectMeta(metadata={}))
    await store.add_link("link", "same")
    await store.add_link("no link", "same")
    data = await archived(store)
    await jetstow.restore(js, io.BytesIO(data), other)

    copy = await js.object_store(other)
    await copy.put("other bytes", b"theirs")
    await copy.update_meta("other words", ObjectMeta(description="theirs"))
    await copy.delete("a link")
    await copy.add_link("a link", "same")
    await copy.put("large", b"theirs")
    await copy.delete("no link")
    await copy.put("no link", b"theirs")
    await copy.put("of their own", b"theirs")
    before = await copy.list()
    changed = {"other bytes", "other words", "a link", "large", "no link"}

    report = await jetstow.restore(js, io.BytesIO(data), other)
    assert {error.name for error in report.failed} == changed
    assert {type(error) for error in report.failed} == {ObjectAlreadyExists}
    assert (report.unchanged, report.objects, report.links) == (2, 0, 0)
    assert await copy.list() == before

    report = await jetstow.restore(js, io.BytesIO(data), other, overwrite=True)
    assert (report.unchanged, report.objects, report.links, report.failed) == (2, 4, 1, [])
    assert (await copy.get("large")).data == b"x" * 2 * MIB
    assert (await copy.get("no link")).data == b"xxxxx"
    assert not (await copy.get_info("other words")).description
    assert (await copy.get_info("a link")).link is None
    assert (await copy.get("of their own")).data == b"theirs"


async def test_a_sealed_bucket_is_not_sealed_again(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, other: str
) -> None:
    await store.put("a", b"x")
    await store.seal()
    report = await jetstow.restore(js, io.BytesIO(await archived(store)), other)
    assert report.sealed
    assert not (await (await js.object_store(other)).status()).sealed
