"""delete: it purges the chunks and leaves a delete marker."""

from __future__ import annotations

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta
from jetstow.errors import ObjectDeletedError, ObjectNotFoundError
from tests.support import raw_stream
from tests.support.samples import some_bytes


async def test_delete_removes_object_and_chunks(store: jetstow.ObjectStore, raw: Client) -> None:
    await store.put("a", some_bytes(300_000))
    await store.delete("a")
    with pytest.raises(ObjectNotFoundError) as caught:
        await store.get("a")
    assert isinstance(caught.value, ObjectDeletedError)
    assert isinstance(caught.value, FileNotFoundError)
    assert await raw_stream.chunks(raw, store.bucket) == {}


async def test_delete_marker(store: jetstow.ObjectStore) -> None:
    put = await store.put("a", b"x", ObjectMeta(description="was here"))
    await store.delete("a")
    info = await store.get_info("a", show_deleted=True)
    assert (info.deleted, info.size, info.chunks, info.digest) == (True, 0, 0, "")
    assert (info.nuid, info.description) == (put.nuid, "was here")
    assert info.revision > put.revision
    assert await store.list() == []
    assert [info.name for info in await store.list(ignore_deletes=False)] == ["a"]
    assert (await store.get("a", show_deleted=True)).data == b""


async def test_delete_of_a_missing_object(store: jetstow.ObjectStore) -> None:
    with pytest.raises(ObjectNotFoundError) as caught:
        await store.delete("a")
    assert (caught.value.bucket, caught.value.name) == (store.bucket, "a")
    await store.put("a", b"x")
    await store.delete("a")
    with pytest.raises(ObjectNotFoundError):
        await store.delete("a")


async def test_put_after_delete(store: jetstow.ObjectStore) -> None:
    await store.put("a", b"1")
    await store.delete("a")
    await store.put("a", b"2")
    assert (await store.get("a")).data == b"2"
    assert not (await store.get_info("a")).deleted


async def test_delete_of_a_link(store: jetstow.ObjectStore) -> None:
    target = await store.put("a", b"x")
    await store.add_link("link", target)
    await store.delete("link")
    assert (await store.get("a")).data == b"x"
    with pytest.raises(ObjectNotFoundError):
        await store.get("link")


async def test_delete_of_unreadable_metadata(store: jetstow.ObjectStore, raw: Client) -> None:
    await raw_stream.write_metadata(raw, store.bucket, "a", b"\xff not JSON")
    await store.delete("a")
    with pytest.raises(ObjectDeletedError):
        await store.get_info("a")
