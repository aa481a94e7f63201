"""seal: a bucket that can be read but not changed."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import BucketNotFoundError, BucketSealedError, ObjectNotFoundError
from tests.support import object_builder, raw_stream
from tests.support.samples import some_bytes

pytestmark = pytest.mark.one_path

DATA = some_bytes(95)
SMALL_CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10))


async def open_and_write(store: jetstow.ObjectStore) -> None:
    async with store.open("new", "wb", SMALL_CHUNKS) as file:
        await file.write(DATA)


CHANGES: dict[str, Callable[[jetstow.ObjectStore], Any]] = {
    "put": lambda store: store.put("new", DATA, SMALL_CHUNKS),
    "put of an empty object": lambda store: store.put("new", b""),
    "replacing": lambda store: store.put("a", b"new"),
    "delete": lambda store: store.delete("a"),
    "update_meta": lambda store: store.update_meta("a", ObjectMeta(description="d")),
    "renaming": lambda store: store.update_meta("a", ObjectMeta(name="b")),
    "add_link": lambda store: store.add_link("link", "a"),
    "add_bucket_link": lambda store: store.add_bucket_link("link", store),
    "open": open_and_write,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("who", ["sealed here", "sealed by another"])
async def test_changes_of_a_sealed_bucket(
    store: jetstow.ObjectStore,
    raw: Client,
    change: Callable[[jetstow.ObjectStore], Any],
    who: str,
) -> None:
    await store.put("a", DATA, SMALL_CHUNKS)
    if who == "sealed here":
        await store.seal()
    else:
        await object_builder.update_stream(raw, store.bucket, sealed=True)
    before = await raw_stream.subjects(raw, store.bucket)
    with pytest.raises(BucketSealedError) as caught:
        await change(store)
    assert caught.value.bucket == store.bucket
    assert isinstance(caught.value, PermissionError)
    assert await raw_stream.subjects(raw, store.bucket) == before
    assert (await store.get("a")).data == DATA


async def test_reads_of_a_sealed_bucket(store: jetstow.ObjectStore) -> None:
    await store.put("a", DATA, SMALL_CHUNKS)
    await store.put("gone", b"x")
    await store.delete("gone")
    assert not (await store.status()).sealed
    await store.seal()
    assert (await store.status()).sealed
    assert (await store.get("a")).data == DATA
    memory = io.BytesIO()
    await store.get("a", memory)
    assert memory.getvalue() == DATA
    assert await store.get_range("a", 33, 20) == DATA[33:53]
    assert b"".join([chunk async for chunk in store.stream("a")]) == DATA
    assert (await store.get_info("a")).size == 95
    assert [info.name for info in await store.list()] == ["a"]
    with pytest.raises(ObjectNotFoundError):
        await store.get("gone")
    async with await store.watch() as watcher:
        infos = [await watcher.updates() for _ in range(3)]
    assert [info and info.name for info in infos] == ["a", "gone", None]


async def test_seal_keeps_the_current_configuration(
    store: jetstow.ObjectStore, js: jetstow.JetStreamContext
) -> None:
    """Changes by other clients since the bucket was opened must not be undone."""
    await js.update_object_store(store.bucket, description="since then")
    await store.seal()
    status = await store.status()
    assert (status.description, status.sealed) == ("since then", True)


async def test_seal_twice(store: jetstow.ObjectStore) -> None:
    await store.seal()
    await store.seal()
    assert (await store.status()).sealed


async def test_delete_of_a_sealed_bucket(
    store: jetstow.ObjectStore, js: jetstow.JetStreamContext
) -> None:
    await store.seal()
    assert await js.delete_object_store(store.bucket)
    with pytest.raises(BucketNotFoundError):
        await store.seal()


async def test_put_of_many_chunks_leaves_no_warning(
    store: jetstow.ObjectStore, caplog: pytest.LogCaptureFixture
) -> None:
    """A chunk that waited for the window when the refusal arrived counted as sent. The put then
    purged its chunks, which a sealed bucket refuses, too."""
    await store.seal()
    for size in (1_000_000, 3_000_000, 9_000_000):
        with pytest.raises(BucketSealedError):
            await store.put("new", bytes(size))
    assert not [record for record in caplog.records if record.name.startswith("jetstow")]
