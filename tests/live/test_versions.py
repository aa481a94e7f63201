"""Versions of objects: what is replaced and deleted is kept under hidden names, without a copy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta
from jetstow.errors import (
    BucketExistsError,
    InvalidOptionError,
    ObjectDeletedError,
    ObjectNotFoundError,
    RevisionMismatchError,
)
from tests.support import object_builder, raw_stream
from tests.support.samples import some_bytes

pytestmark = [pytest.mark.one_path, pytest.mark.min_server("2.10")]

DATA = some_bytes(300_000)  # three chunks


@pytest.fixture
async def versioned(
    js: jetstow.JetStreamContext, bucket: str
) -> AsyncIterator[jetstow.ObjectStore]:
    yield await js.create_object_store(bucket, versioned=True)
    await js.delete_object_store(bucket)


async def shown(store: jetstow.ObjectStore, name: str) -> list[tuple[str | None, bool, bytes]]:
    """The versions of a name as their ids, whether they are delete markers, and their bytes."""
    found = []
    for info in await store.versions(name):
        data = b""
        if not info.deleted:
            data = (await store.get(name, version=info.version)).data
        found.append((info.version, bool(info.deleted), data))
    return found


# -- writing ------------------------------------------------------------------------------------


async def test_replaced_object_is_kept(versioned: jetstow.ObjectStore, raw: Client) -> None:
    first = await versioned.put("a", DATA, metadata={"n": "1"})
    second = await versioned.put("a", b"second")
    assert (first.version, second.version) == (first.nuid, second.nuid)
    assert (await versioned.get("a")).data == b"second"
    assert (await versioned.get_info("a")).version == second.version
    assert await shown(versioned, "a") == [
        (second.version, False, b"second"),
        (first.version, False, DATA),
    ]
    assert await versioned.get_info("a", version=first.version) == first
    assert await raw_stream.chunks(raw, versioned.bucket) == {first.nuid: 3, second.nuid: 1}


async def test_every_way_to_read_a_version(versioned: jetstow.ObjectStore, tmp_path: Path) -> None:
    old = (await versioned.put("a", DATA)).version
    await versioned.put("a", b"new")
    assert (await versioned.get("a", version=old)).data == DATA
    assert (await versioned.get("a", version=old)).info.version == old
    assert await versioned.get_range("a", 10, 20, version=old) == DATA[10:30]
    assert b"".join([piece async for piece in versioned.stream("a", version=old)]) == DATA
    async with versioned.open("a", version=old) as file:
        assert await file.read() == DATA
    for is_set in (False, True):
        await versioned.get_file("a", tmp_path / "a", version=old, resume=is_set)
        await versioned.get_file("a", tmp_path / "a", version=old, if_different=is_set)
        assert (tmp_path / "a").read_bytes() == DATA
    copied = await versioned.copy("a", "b", version=old)
    assert (copied.version, (await versioned.get("b")).data) == (copied.nuid, DATA)
    restored = await versioned.copy("a", version=old)  # onto itself
    assert (await versioned.versions("a"))[0].version == restored.version


async def test_unknown_version(versioned: jetstow.ObjectStore) -> None:
    await versioned.put("a", b"x")
    for step in (
        versioned.get("a", version="unknown"),
        versioned.get_info("b", version="null"),
        versioned.delete("a", version="unknown"),
        versioned.restore_version("a", "unknown"),
    ):
        with pytest.raises(ObjectNotFoundError, match="there is no version"):
            await step
    assert await versioned.delete("a", version="unknown", missing_ok=True) is None
    for wrong in ("", "a/b"):
        with pytest.raises(InvalidOptionError):
            await versioned.get("a", version=wrong)


async def test_changed_metadata_is_no_version(versioned: jetstow.ObjectStore) -> None:
    first = await versioned.put("a", b"1")
    changed = await versioned.update_meta("a", ObjectMeta(description="changed"))
    assert changed.version == first.version
    assert [info.version for info in await versioned.versions("a")] == [first.version]
    await versioned.put("a", b"2")
    kept = await versioned.get_info("a", version=first.version)
    assert kept.description == "changed"
    await versioned.update_meta("a", ObjectMeta(description="again"), version=first.version)
    again = await versioned.get_info("a", version=first.version)
    assert (again.description, again.mtime, again.revision) == ("again", kept.mtime, kept.revision)
    assert (await versioned.get("a", version=first.version)).data == b"1"
    assert (await versioned.get_info("a")).description is None


async def test_links_are_versions(versioned: jetstow.ObjectStore) -> None:
    await versioned.put("t", b"target")
    await versioned.put("u", b"other")
    link = await versioned.add_link("a", "t")
    await versioned.add_link("a", "u")
    assert (await versioned.get("a")).data == b"other"
    assert (await versioned.get("a", version=link.version)).data == b"target"


async def test_encrypted_version(versioned: jetstow.ObjectStore) -> None:
    vault = versioned.encrypted(bytes(32))
    old = await vault.put("a", DATA)
    await vault.put("a", b"new")
    assert (await vault.get("a", version=old.version)).data == DATA
    assert [info.size for info in await vault.versions("a")] == [3, len(DATA)]
    await vault.restore_version("a", old.version or "")
    assert (await vault.get("a")).data == DATA
    assert (await vault.verify()).ok


async def test_renamed_object(versioned: jetstow.ObjectStore) -> None:
    first = await versioned.put("a", b"1")
    second = await versioned.put("a", b"2")
    moved = await versioned.rename("a", "b")
    assert moved.version == second.version
    marker, kept = await versioned.versions("a")
    assert (marker.deleted, kept.version) == (True, first.version)
    await versioned.delete("b")
    assert [info.version for info in await versioned.versions("b")][1:] == [second.version]
    assert (await versioned.get("b", version=second.version)).data == b"2"


# -- delete markers -----------------------------------------------------------------------------


async def test_deleted_object_is_kept(versioned: jetstow.ObjectStore, raw: Client) -> None:
    old = await versioned.put("a", DATA)
    deleted = await versioned.delete("a")
    assert deleted is not None
    assert deleted.version == old.version
    with pytest.raises(ObjectDeletedError):
        await versioned.get("a")
    marker, kept = await versioned.versions("a")
    assert (marker.deleted, kept.version) == (True, old.version)
    with pytest.raises(ObjectDeletedError, match="delete marker"):
        await versioned.get("a", version=marker.version)
    assert (await versioned.get_info("a", True, version=marker.version)).deleted
    assert (await versioned.get("a", version=old.version)).data == DATA
    assert await versioned.list() == []
    with pytest.raises(ObjectNotFoundError):
        await versioned.delete("a")  # it is deleted, and gets no second marker
    await versioned.put("a", b"new")
    assert len(await versioned.versions("a")) == 3
    assert (await versioned.get_info("a", True, version=marker.version)).deleted


async def test_delete_marker_without_object(versioned: jetstow.ObjectStore) -> None:
    first = await versioned.add_delete_marker("a")
    second = await versioned.add_delete_marker("a")
    assert first.deleted
    ids = [info.version for info in await versioned.versions("a")]
    assert ids == [second.version, first.version]
    await versioned.delete("a", version=second.version)
    await versioned.delete("a", version=first.version)
    assert await versioned.versions() == []


async def test_marker_needs_a_versioned_bucket(store: jetstow.ObjectStore) -> None:
    with pytest.raises(InvalidOptionError, match="has no versions"):
        await store.add_delete_marker("a")


# -- removing versions --------------------------------------------------------------------------


async def test_removed_versions(versioned: jetstow.ObjectStore, raw: Client) -> None:
    infos = [await versioned.put("a", some_bytes(size)) for size in (10, 20, 30)]
    middle = await versioned.delete("a", version=infos[1].version)
    assert middle is not None
    assert middle.size == 20
    assert [info.size for info in await versioned.versions("a")] == [30, 10]
    await versioned.delete("a", version=infos[2].version)  # the current one
    assert (await versioned.get("a")).data == some_bytes(10)
    current = await versioned.get_info("a")
    assert (current.version, current.mtime) == (infos[0].version, infos[0].mtime)
    await versioned.delete("a", version=infos[0].version)
    assert await versioned.versions("a") == []
    with pytest.raises(ObjectNotFoundError):
        await versioned.get("a")
    assert await raw_stream.chunks(raw, versioned.bucket) == {}
    await versioned.collect_garbage(grace=0, deleted_for=0)
    assert await raw_stream.subjects(raw, versioned.bucket) == {}


async def test_removed_marker_restores_the_object(versioned: jetstow.ObjectStore) -> None:
    old = await versioned.put("a", DATA)
    await versioned.delete("a")
    marker = (await versioned.versions("a"))[0]
    await versioned.delete("a", version=marker.version)
    assert (await versioned.get("a")).data == DATA
    assert [info.version for info in await versioned.versions("a")] == [old.version]


async def test_marker_becomes_current_again(versioned: jetstow.ObjectStore) -> None:
    await versioned.put("a", b"1")
    await versioned.delete("a")
    marker = (await versioned.versions("a"))[0]
    new = await versioned.put("a", b"2")
    await versioned.delete("a", version=new.version)
    assert (await versioned.versions("a"))[0].version == marker.version
    with pytest.raises(ObjectDeletedError):
        await versioned.get("a")


async def test_removal_at_a_revision(versioned: jetstow.ObjectStore) -> None:
    first = await versioned.put("a", b"1")
    await versioned.put("a", b"2")
    with pytest.raises(RevisionMismatchError):
        await versioned.delete("a", version=first.version, expected_revision=first.revision + 1)
    await versioned.delete("a", version=first.version, expected_revision=first.revision)
    assert len(await versioned.versions("a")) == 1


# -- restoring ----------------------------------------------------------------------------------


async def test_restored_version(versioned: jetstow.ObjectStore, raw: Client) -> None:
    first = await versioned.put("a", DATA)
    second = await versioned.put("a", b"2")
    restored = await versioned.restore_version("a", first.version or "")
    assert restored.version == first.version
    assert await shown(versioned, "a") == [
        (first.version, False, DATA),
        (second.version, False, b"2"),
    ]
    assert await raw_stream.chunks(raw, versioned.bucket) == {first.nuid: 3, second.nuid: 1}
    again = await versioned.restore_version("a", first.version or "")
    assert again.revision == restored.revision  # it is current already
    third = await versioned.put("a", b"3")
    ids = [info.version for info in await versioned.versions("a")]
    assert ids == [third.version, first.version, second.version]


async def test_deleted_object_is_restored(versioned: jetstow.ObjectStore) -> None:
    old = await versioned.put("a", DATA)
    await versioned.delete("a")
    marker = (await versioned.versions("a"))[0]
    with pytest.raises(InvalidOptionError, match="delete marker"):
        await versioned.restore_version("a", marker.version or "")
    await versioned.restore_version("a", old.version or "")
    assert (await versioned.get("a")).data == DATA
    assert len(await versioned.versions("a")) == 2


# -- enabling, suspending -----------------------------------------------------------------------


async def test_bucket_that_becomes_versioned(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, raw: Client
) -> None:
    await store.put("a", DATA)
    await store.put("deleted", b"x")
    await store.delete("deleted")
    assert [info.version for info in await store.versions()] == [None]
    store = await js.update_object_store(store.bucket, versioned=True)
    assert (await store.status()).versioning == "enabled"
    assert [(info.name, info.version) for info in await store.versions()] == [("a", "null")]
    assert (await store.get("a", version="null")).data == DATA
    await store.update_meta("a", ObjectMeta(description="changed"))
    new = await store.put("a", b"new")
    assert await shown(store, "a") == [(new.version, False, b"new"), ("null", False, DATA)]
    await store.delete("a", version="null")
    assert await shown(store, "a") == [(new.version, False, b"new")]
    assert await raw_stream.chunks(raw, store.bucket) == {new.nuid: 1}


async def test_suspended_bucket(
    js: jetstow.JetStreamContext, versioned: jetstow.ObjectStore, raw: Client
) -> None:
    first = await versioned.put("a", b"1")
    store = await js.update_object_store(versioned.bucket, versioned=False)
    assert (await store.status()).versioning == "suspended"
    null = await store.put("a", b"null 1")
    assert null.version == "null"
    null = await store.put("a", DATA)  # it replaces the one before it
    assert await shown(store, "a") == [("null", False, DATA), (first.version, False, b"1")]
    store = await js.update_object_store(versioned.bucket, versioned=True)
    second = await store.put("a", b"2")
    assert [version for version, *_ in await shown(store, "a")] == [
        second.version, "null", first.version,
    ]  # fmt: skip
    store = await js.update_object_store(versioned.bucket, versioned=False)
    await store.delete("a")  # the marker is null, and replaces the null version
    marker, *others = await store.versions("a")
    assert (marker.version, marker.deleted) == ("null", True)
    assert [info.version for info in others] == [second.version, first.version]
    assert await raw_stream.chunks(raw, store.bucket) == {first.nuid: 1, second.nuid: 1}
    await store.delete("a", version="null")
    assert (await store.get("a")).data == b"2"


async def test_state_of_versioning_is_kept_by_updates(
    js: jetstow.JetStreamContext, versioned: jetstow.ObjectStore
) -> None:
    bucket = versioned.bucket
    store = await js.update_object_store(bucket, metadata={"team": "a"})
    assert (await store.status()).versioning == "enabled"
    assert (await store.status()).metadata["team"] == "a"
    await js.create_object_store(bucket, versioned=True, metadata={"team": "a"})
    with pytest.raises(BucketExistsError):
        await js.create_object_store(bucket, metadata={"team": "a"})
    with pytest.raises(InvalidOptionError, match="both versions and a ttl"):
        await js.update_object_store(bucket, ttl=10)
    plain = await js.create_object_store(f"{bucket}-plain", versioned=False)
    assert (await plain.status()).versioning is None
    await js.delete_object_store(plain.bucket)


async def test_open_store_learns_of_versions(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore
) -> None:
    await store.put("a", b"1")
    await js.update_object_store(store.bucket, versioned=True)
    await store.status()
    await store.put("a", b"2")
    assert len(await store.versions("a")) == 2


# -- the rest of the bucket ---------------------------------------------------------------------


async def test_hidden_names_are_not_listed(versioned: jetstow.ObjectStore) -> None:
    await versioned.put("a", b"1")
    async with versioned.watch() as changes:
        second = await versioned.put("a", b"2")
        await versioned.put("b", b"3")
        seen = [change async for change in _until(changes, "b")]
    assert [info.name for info in seen if info is not None] == ["a", "a", "b"]
    assert [info.name for info in await versioned.list()] == ["a", "b"]
    assert [info.name async for info in versioned.list()] == ["a", "b"]
    assert [info.version for info in await versioned.find("a")] == [second.version]
    async with versioned.index() as index:
        assert [entry.name for entry in (await index.page()).entries] == ["a", "b"]
        assert (await index.page(".jetstow/")).entries == []
        grouped = await index.page(delimiter="/")
        assert (len(grouped.entries), grouped.prefixes) == (2, [])
    result = await versioned.delete_many(prefix="a")
    assert result.deleted == ["a"]
    assert len(await versioned.versions("a")) == 3


async def _until(
    changes: jetstow.ObjectWatcher, name: str
) -> AsyncIterator[jetstow.ObjectInfo | None]:
    async for change in changes:
        yield change
        if change is not None and change.name == name:
            return


async def test_other_client_replaces_without_history(
    versioned: jetstow.ObjectStore, raw: Client
) -> None:
    first = await versioned.put("a", b"1")
    second = await versioned.put("a", b"2")
    theirs = await raw.jetstream().object_store(versioned.bucket)
    assert (await theirs.get("a")).data == b"2"
    kept = await theirs.get(f".jetstow/versions/a/{first.version}")
    assert kept.data == b"1"
    await theirs.put("a", b"theirs")
    current, older = await versioned.versions("a")
    assert (current.version, older.version) == (current.nuid, first.version)
    third = await versioned.put("a", b"3")
    ids = [info.version for info in await versioned.versions("a")]
    assert ids == [third.version, current.version, first.version]
    assert second.version not in ids
    await theirs.delete("a")
    assert [info.deleted for info in await versioned.versions("a")] == [True, False, False]
    assert (await versioned.verify()).ok


async def test_lost_race_leaves_no_version(versioned: jetstow.ObjectStore, raw: Client) -> None:
    """A version was kept for a put that another client was faster than, without its chunks."""
    old = await versioned.put("a", DATA)
    theirs = await raw.jetstream().object_store(versioned.bucket)
    async with versioned.open("a", "wb", expected_revision=old.revision) as file:
        await file.write(b"new")
        await theirs.put("a", b"theirs")
        with pytest.raises(RevisionMismatchError):
            await file.close()
    current = await versioned.get_info("a")
    assert [info.version for info in await versioned.versions("a")] == [current.version]
    assert await raw_stream.chunks(raw, versioned.bucket) == {current.nuid: 1}


async def test_garbage_keeps_versions(versioned: jetstow.ObjectStore, raw: Client) -> None:
    first = await versioned.put("a", DATA)
    await versioned.delete("a")
    unused = await object_builder.write_chunks(raw, versioned.bucket, [b"1"])
    result = await versioned.collect_garbage(grace=0, deleted_for=0)
    assert (result.uploads, result.markers) == (1, 0)
    chunks = await raw_stream.chunks(raw, versioned.bucket)
    assert chunks == {first.nuid: 3}
    assert unused not in chunks
    assert len(await versioned.versions("a")) == 2
    assert (await versioned.verify()).ok
    assert (await versioned.verify(quick=True)).unused == 0


async def test_damaged_version_is_found(versioned: jetstow.ObjectStore, raw: Client) -> None:
    old = await versioned.put("a", DATA)
    await versioned.put("a", b"new")
    await raw.jetstream().purge_stream(
        f"OBJ_{versioned.bucket}", subject=f"$O.{versioned.bucket}.C.{old.nuid}"
    )
    for quick in (False, True):
        (finding,) = (await versioned.verify(quick=quick)).findings
        assert str(finding.error).startswith(f"version {old.version!r} of object 'a'")
