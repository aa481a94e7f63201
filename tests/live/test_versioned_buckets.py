"""Buckets that become versioned, and what the rest of a bucket's verbs do with versions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta
from jetstow._core.bucket.purge_request import Purged
from jetstow._core.bucket.stream import Stream
from jetstow._core.read.name_state import read_state
from jetstow._core.write.history import forget_lost, keep_version
from jetstow.errors import BucketExistsError, InvalidOptionError, RevisionMismatchError
from tests.live.test_versions import shown
from tests.support import object_builder, raw_stream
from tests.support.samples import some_bytes

pytestmark = [pytest.mark.one_path, pytest.mark.min_server("2.10")]

DATA = some_bytes(300_000)  # three chunks


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
    with pytest.raises(BucketExistsError, match=r"\(versioned is True, not False\): open it"):
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


async def test_version_replaced_during_a_collection(
    versioned: jetstow.ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The put found the version kept already, by a change that had failed, and did not keep it
    again. The collection, which had seen that it was current, then purged it.
    """
    bucket: Any = versioned._bucket
    old = await versioned.put("a", DATA)
    await keep_version(bucket, await read_state(bucket, bucket.error_context("a")))
    purge = Stream.purge

    async def put_and_purge(*args: Any, **kwargs: Any) -> Purged:
        monkeypatch.setattr(Stream, "purge", purge)
        await versioned.put("a", b"new")
        return await purge(*args, **kwargs)

    monkeypatch.setattr(Stream, "purge", put_and_purge)
    result = await versioned.collect_garbage(grace=0)
    assert Stream.purge is purge
    assert (result.versions, result.messages) == (0, 0)
    assert (await versioned.get("a", version=old.version)).data == DATA
    assert len(await versioned.versions("a")) == 2


async def test_slow_writer_keeps_a_changed_version(versioned: jetstow.ObjectStore) -> None:
    """It has the metadata that the version had when it was current, and keeps the version again."""
    bucket: Any = versioned._bucket
    old = await versioned.put("a", DATA)
    state = await read_state(bucket, bucket.error_context("a"))
    await versioned.put("a", b"new")
    await versioned.update_meta("a", ObjectMeta(description="changed"), version=old.version)
    await keep_version(bucket, state)
    assert (await versioned.get_info("a", version=old.version)).description == "changed"


async def test_slow_writer_keeps_a_later_null_version(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore
) -> None:
    """It replaced the kept version `null` by an earlier one, and then found that to be lost."""
    await store.put("a", b"1")
    bucket: Any = (await js.update_object_store(store.bucket, versioned=True))._bucket
    state = await read_state(bucket, bucket.error_context("a"))
    store = await js.update_object_store(store.bucket, versioned=False)
    await store.put("a", DATA)
    store = await js.update_object_store(store.bucket, versioned=True)
    await store.put("a", b"new")
    await keep_version(bucket, state)
    assert state.info is not None
    await forget_lost(bucket, state.info)
    assert (await store.get("a", version="null")).data == DATA


async def test_damaged_version_is_found(versioned: jetstow.ObjectStore, raw: Client) -> None:
    old = await versioned.put("a", DATA)
    await versioned.put("a", b"new")
    await raw.jetstream().purge_stream(
        f"OBJ_{versioned.bucket}", subject=f"$O.{versioned.bucket}.C.{old.nuid}"
    )
    for quick in (False, True):
        (finding,) = (await versioned.verify(quick=quick)).findings
        assert str(finding.error).startswith(f"version {old.version!r} of object 'a'")


async def test_pages_of_versions(versioned: jetstow.ObjectStore) -> None:
    for name in ("a", "a/b", "a!", "b/c", "b/d"):
        await versioned.put(name, b"1")
        await versioned.put(name, b"2")
    await versioned.delete("a")
    await versioned.delete("a!", version=(await versioned.versions("a!"))[1].version)
    expected = [
        (info.name, info.version, bool(info.deleted)) for info in await versioned.versions()
    ]
    assert len(expected) == 10
    for max_names in (1_000, 3):  # in memory, and read for each page
        async with versioned.index(max_names=max_names) as index:
            found, after, version = [], "", None
            while True:
                page = await index.versions(after=after, after_version=version, limit=3)
                found += [(each.name, each.version, each.is_marker) for each in page.entries]
                if page.next is None:
                    break
                after, version = page.next, page.next_version
            assert found == expected
            grouped = await index.versions("b", delimiter="/")
            assert (grouped.entries, grouped.prefixes) == ([], ["b/"])
            first = await index.versions(delimiter="/", limit=5)
            assert [each.name for each in first.entries] == ["a", "a", "a", "a!"]
            assert (first.prefixes, first.next) == (["a/"], "a/")
            rest = await index.versions(delimiter="/", after="a/")
            assert (rest.entries, rest.prefixes, rest.next) == ([], ["b/"], None)


async def test_index_finds_the_version_before(versioned: jetstow.ObjectStore) -> None:
    infos = [await versioned.put("a", some_bytes(size)) for size in range(5)]
    async with versioned.index():
        for size in (4, 3, 2, 1):
            await versioned.delete("a", version=infos[size].version)
            assert (await versioned.get_info("a")).size == size - 1
        await versioned.delete("a", version=infos[0].version)
    assert await versioned.versions() == []


async def test_copies_of_a_bucket_have_current_versions(
    js: jetstow.JetStreamContext, versioned: jetstow.ObjectStore, tmp_path: Path
) -> None:
    """A mirror copied an object again each time, as its version was in its headers."""
    first = await versioned.put("a", b"1")
    await versioned.put("a", b"2")
    await versioned.restore_version("a", first.version or "")
    await versioned.put("b", b"3")
    bucket = f"{versioned.bucket}-copy"
    await jetstow.backup(versioned, tmp_path / "b.tar")
    await jetstow.restore(js, tmp_path / "b.tar", bucket)
    copy = await js.object_store(bucket)
    assert (await copy.status()).versioning == "enabled"
    result = await jetstow.mirror(versioned, copy, delete=True)
    assert (result.copied, result.removed, result.unchanged) == ([], [], ["a", "b"])
    assert [info.name for info in await copy.versions()] == ["a", "b"]
    await versioned.put("a", b"4")
    await versioned.delete("b")
    await jetstow.mirror(versioned, copy, delete=True)  # the copy has a history of its own
    history = [(info.name, info.size, bool(info.deleted)) for info in await copy.versions()]
    assert history == [("a", 1, False), ("a", 1, False), ("b", 0, True), ("b", 1, False)]
    await jetstow.download_folder(versioned, tmp_path / "folder")
    assert sorted(path.name for path in (tmp_path / "folder").rglob("*")) == ["a"]
    await js.delete_object_store(bucket)
