"""update_meta: a new description, and a new name for the same bytes."""

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

DATA = some_bytes(95)
TINY = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10))


async def test_a_description_changes_and_the_bytes_do_not(store: jetstow.ObjectStore) -> None:
    info = await store.put("a", DATA, replace(TINY, description="old", metadata={"k": "v"}))
    meta = info.meta
    meta.description = "new"
    changed = await store.update_meta("a", meta)
    assert changed.revision > info.revision
    found = await store.get_info("a")
    assert (found.description, found.metadata) == ("new", {"k": "v"})
    assert (found.nuid, found.size, found.digest) == (info.nuid, info.size, info.digest)
    assert (await store.get("a")).data == DATA


async def test_what_is_left_out_of_the_meta_is_gone(store: jetstow.ObjectStore) -> None:
    meta = ObjectMeta(description="old", headers={"h": "1"}, metadata={"k": "v"})
    await store.put("a", DATA, meta)
    await store.update_meta("a", ObjectMeta(name="a"))
    info = await store.get_info("a")
    assert (info.description, info.headers, info.metadata) == (None, None, None)


async def test_nats_pys_own_meta_leaves_our_metadata_alone(store: jetstow.ObjectStore) -> None:
    await store.put("a", DATA, ObjectMeta(metadata={"k": "v"}))
    await store.update_meta("a", api.ObjectMeta(name="a", description="new"))
    info = await store.get_info("a")
    assert (info.description, info.metadata) == ("new", {"k": "v"})


async def test_the_chunk_size_cannot_be_changed(store: jetstow.ObjectStore) -> None:
    await store.put("a", DATA, TINY)
    options = ObjectMetaOptions(max_chunk_size=50)
    await store.update_meta("a", ObjectMeta(name="a", options=options))
    assert (await store.get_info("a")).options == ObjectMetaOptions(max_chunk_size=10)
    assert (await store.get("a")).data == DATA


async def test_fields_of_other_clients_survive(store: jetstow.ObjectStore, raw: Client) -> None:
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


async def test_a_rename_moves_the_name_and_not_the_bytes(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    info = await store.put("old", DATA, replace(TINY, description="same"))
    renamed = await store.update_meta("old", replace(info.meta, name="new"))
    assert (renamed.name, renamed.nuid) == ("new", info.nuid)
    assert (await store.get("new")).data == DATA
    assert (await store.get_info("new")).description == "same"
    with pytest.raises(jetstow.errors.ObjectNotFoundError):
        await store.get_info("old", show_deleted=True)
    assert await raw_stream.names(raw, store.bucket) == {"new": 1}
    assert await raw_stream.chunks(raw, store.bucket) == {info.nuid: 10}


async def test_a_rename_tells_watchers_that_the_old_name_is_gone(
    store: jetstow.ObjectStore,
) -> None:
    """Before, they may hear what its new name is; that message is there for a moment only."""
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


async def test_a_rename_onto_a_live_object_is_refused(store: jetstow.ObjectStore) -> None:
    await store.put("a", b"a")
    await store.put("b", b"b")
    with pytest.raises(ObjectAlreadyExists) as caught:
        await store.update_meta("a", ObjectMeta(name="b"))
    assert "'a'" in str(caught.value)
    assert "'b'" in str(caught.value)
    assert (await store.get("a")).data == b"a"
    assert (await store.get("b")).data == b"b"


async def test_a_rename_onto_a_deleted_object_is_fine(store: jetstow.ObjectStore) -> None:
    await store.put("a", b"a")
    await store.put("b", b"b")
    await store.delete("b")
    await store.update_meta("a", ObjectMeta(name="b"))
    assert (await store.get("b")).data == b"a"


@pytest.mark.parametrize("new_name", ["a", "b"])
async def test_a_missing_or_deleted_object_cannot_be_changed(
    store: jetstow.ObjectStore, new_name: str
) -> None:
    with pytest.raises(ObjectDeletedError, match="there is no"):
        await store.update_meta("a", ObjectMeta(name=new_name))
    await store.put("a", b"x")
    await store.delete("a")
    with pytest.raises(ObjectDeletedError, match="deleted"):
        await store.update_meta("a", ObjectMeta(name=new_name))


async def test_a_new_name_that_cannot_be_is_refused(store: jetstow.ObjectStore) -> None:
    await store.put("a", b"x")
    with pytest.raises(InvalidObjectNameError):
        await store.update_meta("a", ObjectMeta(name=""))
    assert (await store.get("a")).data == b"x"


async def test_a_link_can_be_described_and_renamed(store: jetstow.ObjectStore) -> None:
    target = await store.put("a", DATA)
    await store.add_link("link", target)
    await store.update_meta("link", ObjectMeta(name="alias", description="points to a"))
    info = await store.get_info("alias")
    assert info.link == jetstow.ObjectLink(bucket=store.bucket, name="a")
    assert info.description == "points to a"
    assert (await store.get("alias")).data == DATA


async def test_two_changes_at_once_both_happen_one_after_the_other(
    store: jetstow.ObjectStore,
) -> None:
    info = await store.put("a", DATA)
    described = [replace(info.meta, description=f"{n}") for n in range(10)]
    changed = await asyncio.gather(*(store.update_meta("a", meta) for meta in described))
    assert len({info.revision for info in changed}) == 10
    last = max(changed, key=lambda info: info.revision)
    assert (await store.get_info("a")).description == last.description
