"""update_meta: new metadata, and a new name for the same chunks."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from nats.aio.client import Client
from nats.js import api

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import InvalidObjectNameError, ObjectAlreadyExists, ObjectDeletedError
from tests.support import raw_stream
from tests.support.samples import some_bytes

pytestmark = pytest.mark.one_path

DATA = some_bytes(95)
SMALL_CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10))


async def test_description_changes_and_content_stays(store: jetstow.ObjectStore) -> None:
    info = await store.put("a", DATA, replace(SMALL_CHUNKS, description="old", metadata={"k": "v"}))
    meta = info.meta
    meta.description = "new"
    changed = await store.update_meta("a", meta)
    assert changed.revision > info.revision
    found = await store.get_info("a")
    assert (found.description, found.metadata) == ("new", {"k": "v"})
    assert (found.nuid, found.size, found.digest) == (info.nuid, info.size, info.digest)
    assert (await store.get("a")).data == DATA


async def test_omitted_fields_are_removed(store: jetstow.ObjectStore) -> None:
    meta = ObjectMeta(description="old", headers={"h": "1"}, metadata={"k": "v"})
    await store.put("a", DATA, meta)
    await store.update_meta("a", ObjectMeta(name="a"))
    info = await store.get_info("a")
    assert (info.description, info.headers, info.metadata) == (None, None, None)


async def test_nats_py_object_meta_keeps_the_metadata(store: jetstow.ObjectStore) -> None:
    await store.put("a", DATA, ObjectMeta(metadata={"k": "v"}))
    await store.update_meta("a", api.ObjectMeta(name="a", description="new"))
    info = await store.get_info("a")
    assert (info.description, info.metadata) == ("new", {"k": "v"})


async def test_chunk_size_is_kept(store: jetstow.ObjectStore) -> None:
    await store.put("a", DATA, SMALL_CHUNKS)
    options = ObjectMetaOptions(max_chunk_size=50)
    await store.update_meta("a", ObjectMeta(name="a", options=options))
    assert (await store.get_info("a")).options == ObjectMetaOptions(max_chunk_size=10)
    assert (await store.get("a")).data == DATA


async def test_unknown_fields_are_kept(store: jetstow.ObjectStore, raw: Client) -> None:
    await store.put("a", DATA)
    body = await raw_stream.metadata(raw, store.bucket, "a")
    body |= {"x-vendor": {"deep": [1, 2]}}
    body["options"]["x-option"] = True
    await raw_stream.write_metadata(raw, store.bucket, "a", body)
    await store.update_meta("a", ObjectMeta(name="a", description="new"))
    found = await raw_stream.metadata(raw, store.bucket, "a")
    assert found["x-vendor"] == {"deep": [1, 2]}
    assert found["options"]["x-option"] is True
    assert found["description"] == "new"


async def test_rename_keeps_the_chunks(store: jetstow.ObjectStore, raw: Client) -> None:
    info = await store.put("old", DATA, replace(SMALL_CHUNKS, description="same"))
    renamed = await store.update_meta("old", replace(info.meta, name="new"))
    assert (renamed.name, renamed.nuid) == ("new", info.nuid)
    assert (await store.get("new")).data == DATA
    assert (await store.get_info("new")).description == "same"
    marker = await store.get_info("old", show_deleted=True)
    assert marker.deleted
    assert await raw_stream.names(raw, store.bucket) == {"new": 1, "old": 1}
    assert await raw_stream.chunks(raw, store.bucket) == {info.nuid: 10}


async def test_rename_reports_a_delete_of_the_old_name(
    store: jetstow.ObjectStore,
) -> None:
    """The delete marker was purged at once, so that a watcher could miss it.

    A watcher may also report the old name with a reference to the new one: that message exists
    for a moment.
    """
    info = await store.put("old", DATA)
    seen: list[tuple[str, bool | None]] = []
    async with await store.watch(updates_only=True) as watcher:
        await store.update_meta("old", replace(info.meta, name="new"))
        while ("old", True) not in seen:
            change = await watcher.updates(timeout=20)
            assert change is not None
            seen.append((change.name, change.deleted))
    assert seen[-2:] == [("new", False), ("old", True)]
    assert seen[:-2] in ([], [("old", False)])


async def test_rename_to_an_existing_name(store: jetstow.ObjectStore) -> None:
    await store.put("a", b"a")
    await store.put("b", b"b")
    with pytest.raises(ObjectAlreadyExists) as caught:
        await store.update_meta("a", ObjectMeta(name="b"))
    assert "'a'" in str(caught.value)
    assert "'b'" in str(caught.value)
    assert (await store.get("a")).data == b"a"
    assert (await store.get("b")).data == b"b"


async def test_rename_to_a_deleted_name(store: jetstow.ObjectStore) -> None:
    await store.put("a", b"a")
    await store.put("b", b"b")
    await store.delete("b")
    await store.update_meta("a", ObjectMeta(name="b"))
    assert (await store.get("b")).data == b"a"


@pytest.mark.parametrize("new_name", ["a", "b"])
async def test_update_of_a_missing_or_deleted_object(
    store: jetstow.ObjectStore, new_name: str
) -> None:
    with pytest.raises(ObjectDeletedError, match="there is no"):
        await store.update_meta("a", ObjectMeta(name=new_name))
    await store.put("a", b"x")
    await store.delete("a")
    with pytest.raises(ObjectDeletedError, match="deleted"):
        await store.update_meta("a", ObjectMeta(name=new_name))


async def test_rename_to_an_invalid_name(store: jetstow.ObjectStore) -> None:
    await store.put("a", b"x")
    with pytest.raises(InvalidObjectNameError):
        await store.update_meta("a", ObjectMeta(name=""))
    assert (await store.get("a")).data == b"x"


async def test_update_and_rename_of_a_link(store: jetstow.ObjectStore) -> None:
    target = await store.put("a", DATA)
    await store.add_link("link", target)
    await store.update_meta("link", ObjectMeta(name="alias", description="points to a"))
    info = await store.get_info("alias")
    assert info.link == jetstow.ObjectLink(bucket=store.bucket, name="a")
    assert info.description == "points to a"
    assert (await store.get("alias")).data == DATA


async def test_concurrent_updates_are_all_applied(
    store: jetstow.ObjectStore,
) -> None:
    info = await store.put("a", DATA)
    described = [replace(info.meta, description=f"{n}") for n in range(10)]
    changed = await asyncio.gather(*(store.update_meta("a", meta) for meta in described))
    assert len({info.revision for info in changed}) == 10
    last = max(changed, key=lambda info: info.revision)
    assert (await store.get_info("a")).description == last.description
