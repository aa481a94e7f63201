"""Versions of objects: what is replaced and deleted is kept under hidden names, without a copy."""

from __future__ import annotations

from pathlib import Path

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta
from jetstow.errors import (
    InvalidOptionError,
    ObjectDeletedError,
    ObjectNotFoundError,
    RevisionMismatchError,
)
from tests.support import raw_stream
from tests.support.samples import some_bytes

pytestmark = [pytest.mark.one_path, pytest.mark.min_server("2.10")]

DATA = some_bytes(300_000)  # three chunks


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


async def test_index_closed_during_a_removal(versioned: jetstow.ObjectStore) -> None:
    """The removal of the current version failed: the index was closed."""
    await versioned.put("a", b"first")
    current = await versioned.put("a", b"second")
    index = await versioned.index()
    sources = versioned._bucket.version_sources
    (find,) = sources

    async def find_after_close(name: str) -> str | None:
        await index.close()
        return await find(name)

    sources.insert(0, find_after_close)
    await versioned.delete("a", version=current.version)
    assert sources == [find_after_close]
    sources.clear()
    assert (await versioned.get("a")).data == b"first"


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
    assert not restored.headers
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
