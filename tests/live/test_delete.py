"""delete: the bytes go, a marker stays."""

from __future__ import annotations

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta
from jetstow.errors import ObjectDeletedError, ObjectNotFoundError
from tests.support import raw_stream
from tests.support.samples import some_bytes


async def test_a_deleted_object_is_gone_and_its_chunks_are(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    await store.put("a", some_bytes(300_000))
    await store.delete("a")
    with pytest.raises(ObjectNotFoundError) as caught:
        await store.get("a")
    assert isinstance(caught.value, ObjectDeletedError)
    assert isinstance(caught.value, FileNotFoundError)
    assert await raw_stream.chunks(raw, store.bucket) == {}


async def test_a_marker_stays_for_those_who_ask(store: jetstow.ObjectStore) -> None:
    put = await store.put("a", b"x", ObjectMeta(description="was here"))
    await store.delete("a")
    info = await store.get_info("a", show_deleted=True)
    assert (info.deleted, info.size, info.chunks, info.digest) == (True, 0, 0, "")
    assert (info.nuid, info.description) == (put.nuid, "was here")
    assert info.revision > put.revision
    assert await store.list() == []
    assert [info.name for info in await store.list(ignore_deletes=False)] == ["a"]
    assert (await store.get("a", show_deleted=True)).data == b""


async def test_what_is_not_there_cannot_be_deleted(store: jetstow.ObjectStore) -> None:
    with pytest.raises(ObjectNotFoundError) as caught:
        await store.delete("a")
    assert (caught.value.bucket, caught.value.name) == (store.bucket, "a")
    await store.put("a", b"x")
    await store.delete("a")
    with pytest.raises(ObjectNotFoundError):
        await store.delete("a")


async def test_a_deleted_name_can_be_put_again(store: jetstow.ObjectStore) -> None:
    await store.put("a", b"1")
    await store.delete("a")
    await store.put("a", b"2")
    assert (await store.get("a")).data == b"2"
    assert not (await store.get_info("a")).deleted


async def test_deleting_a_link_leaves_its_target(store: jetstow.ObjectStore) -> None:
    target = await store.put("a", b"x")
    await store.add_link("link", target)
    await store.delete("link")
    assert (await store.get("a")).data == b"x"
    with pytest.raises(ObjectNotFoundError):
        await store.get("link")


async def test_metadata_that_nobody_can_read_can_be_deleted(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    await raw_stream.write_metadata(raw, store.bucket, "a", b"\xff not JSON")
    await store.delete("a")
    with pytest.raises(ObjectDeletedError):
        await store.get_info("a")
