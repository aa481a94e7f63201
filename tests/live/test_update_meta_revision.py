"""update_meta with `expected_revision`: concurrent changes of metadata are not lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import jetstow
from jetstow import ObjectMeta
from jetstow._transfer.change_meta import change_meta
from jetstow.errors import (
    ObjectAlreadyExists,
    ObjectChangedError,
    ObjectNotFoundError,
    RevisionMismatchError,
)
from tests.support.samples import some_bytes

pytestmark = pytest.mark.one_path

DATA = some_bytes(95)


@pytest.fixture(params=["plain", "encrypted"])
def any_store(request: pytest.FixtureRequest, store: jetstow.ObjectStore) -> jetstow.ObjectStore:
    return store.encrypted(bytes(32)) if request.param == "encrypted" else store


@pytest.mark.parametrize("new_name", ["a", "b"])
async def test_expected_revision(any_store: jetstow.ObjectStore, new_name: str) -> None:
    store = any_store
    first = await store.put("a", DATA)
    second = await store.update_meta("a", ObjectMeta(description="1"))
    meta = ObjectMeta(name=new_name, description="2")
    with pytest.raises(RevisionMismatchError) as caught:
        await store.update_meta("a", meta, expected_revision=first.revision)
    assert (caught.value.expected, caught.value.actual) == (first.revision, second.revision)
    assert str(caught.value) == (
        f"object 'a' in bucket {store.bucket!r} is at revision {second.revision}, "
        f"not at {first.revision}: it was changed"
    )
    assert (await store.get_info("a")).revision == second.revision
    assert not await store.exists("b")
    third = await store.update_meta("a", meta, expected_revision=second.revision)
    assert third.revision > second.revision
    result = await store.get(new_name)
    assert (result.data, result.info.description) == (DATA, "2")
    assert [info.name for info in await store.list()] == [new_name]


@pytest.mark.parametrize("new_name", ["a", "b"])
async def test_expected_revision_of_no_object(
    any_store: jetstow.ObjectStore, new_name: str
) -> None:
    store, meta = any_store, ObjectMeta(name=new_name)
    with pytest.raises(RevisionMismatchError, match="there is no object 'a'"):
        await store.update_meta("a", meta, expected_revision=7)
    info = await store.put("a", DATA)
    with pytest.raises(ObjectAlreadyExists):
        await store.update_meta("a", meta, expected_revision=0)
    await store.delete("a")
    with pytest.raises(RevisionMismatchError, match="there is no object 'a'"):
        await store.update_meta("a", meta, expected_revision=info.revision)
    for revision in (0, None):
        with pytest.raises(ObjectNotFoundError):
            await store.update_meta("a", meta, expected_revision=revision)


async def test_concurrent_changes_are_all_kept(any_store: jetstow.ObjectStore) -> None:
    store = any_store
    await store.put("a", DATA, metadata={"k": "v"})

    async def set_entry(key: str) -> None:
        await change_meta(
            store, "a", lambda info: replace(info.meta, metadata=(info.metadata or {}) | {key: key})
        )

    await asyncio.gather(*(set_entry(f"{number}") for number in range(8)))
    info = await store.get_info("a")
    assert info.metadata == {"k": "v"} | {f"{number}": f"{number}" for number in range(8)}
    await store.delete("a")
    with pytest.raises(ObjectNotFoundError):
        await set_entry("x")


async def test_sync_keeps_concurrent_metadata(store: jetstow.ObjectStore, tmp_path: Path) -> None:
    """`upload_folder` overwrote metadata that was set between its read and its write."""
    (tmp_path / "a").write_bytes(DATA)
    await store.put("a", DATA)
    await jetstow.upload_folder(tmp_path, changed_before_update(store, _describe))
    info = await store.get_info("a")
    assert info.description == "concurrent"
    assert set(info.metadata or {}) == {"mtime", "mode"}


async def test_sync_of_a_replaced_object(store: jetstow.ObjectStore, tmp_path: Path) -> None:
    """The attributes of a file are not those of other bytes."""
    (tmp_path / "a").write_bytes(DATA)
    await store.put("a", DATA)

    async def replace_object(store: jetstow.ObjectStore) -> None:
        await store.put("a", b"other")

    result = await jetstow.upload_folder(tmp_path, changed_before_update(store, replace_object))
    (error,) = result.failed
    assert isinstance(error, ObjectChangedError)
    assert str(error).startswith(f"object 'a' in bucket {store.bucket!r} was replaced")
    found = await store.get("a")
    assert (found.data, found.info.metadata) == (b"other", None)


async def _describe(store: jetstow.ObjectStore) -> None:
    info = await store.get_info("a")
    await store.update_meta("a", replace(info.meta, description="concurrent"))


def changed_before_update(store: jetstow.ObjectStore, change: Any) -> jetstow.ObjectStore:
    """Return the store; its next `update_meta` finds a change by another client."""
    update = store.update_meta

    async def change_and_update(*args: Any, **options: Any) -> jetstow.ObjectInfo:
        store.update_meta = update  # type: ignore[method-assign]
        await change(store)
        return await update(*args, **options)

    store.update_meta = change_and_update  # type: ignore[method-assign]
    return store
