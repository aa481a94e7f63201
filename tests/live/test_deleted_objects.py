"""The deleted objects of a versioned bucket in an index, and the counts of its versions."""

from __future__ import annotations

import pytest
from nats.aio.client import Client

import jetstow
from jetstow.errors import ChunksLostError, InvalidOptionError, ObjectNotFoundError
from tests.support import object_builder
from tests.support.samples import some_bytes

pytestmark = [pytest.mark.one_path, pytest.mark.min_server("2.10")]


async def deleted(
    index: jetstow.BucketIndex, prefix: str = "", *, limit: int = 1_000
) -> list[tuple[str, int, bool]]:
    """Read all pages: the names, the sizes of the newest versions, whether all are objects."""
    found, after, more = [], "", True
    while more:
        page = await index.deleted(prefix, after=after, limit=limit)
        assert len(page.entries) <= limit
        for marker, newest in page.entries:
            assert (marker.name, marker.is_marker, marker.is_kept) == (newest.name, True, False)
            found.append((newest.name, newest.size, newest.is_kept and not newest.is_marker))
        after, more = page.next or "", page.next is not None
    return found


@pytest.mark.parametrize("max_names", [1_000_000, 3], ids=["index", "too many names"])
async def test_deleted_objects(versioned: jetstow.ObjectStore, max_names: int) -> None:
    store = versioned
    for name in ("a/1", "a/2", "a/3", "b", "kept"):
        for size in (1, 2, 3):
            await store.put(name, bytes(size))
    newest = await store.get_info("a/2")
    for name in ("a/1", "a/2", "a/3", "b", "a/2"):
        await store.add_delete_marker(name)
    await store.delete("a/2", version=newest.version)
    await store.add_delete_marker("a/0")  # hides nothing: there is nothing to restore
    await store.add_delete_marker("a/25")
    async with store.index(max_names=max_names) as index:
        expected = [("a/1", 3, True), ("a/2", 2, True), ("a/3", 3, True), ("b", 3, True)]
        for limit in (1, 2, 1_000):
            assert await deleted(index, limit=limit) == expected
            assert await deleted(index, "a/", limit=limit) == expected[:3]
        assert await deleted(index, "kept") == []
        assert (await index.deleted(limit=0)).entries == []
        await store.put("a/1", b"new")
        marker = await store.get_info("a/3", show_deleted=True)
        await store.delete("a/3", version=marker.version)
        assert await deleted(index) == [expected[1], expected[3]]
        with pytest.raises(InvalidOptionError):
            await index.deleted(limit=-1)


async def test_counts_of_versions(versioned: jetstow.ObjectStore) -> None:
    store = versioned
    async with store.index() as index:
        assert (await index.page(limit=0)).versions == jetstow.VersionCounts()
        first = await store.put("a", bytes(10))
        await store.put("a", bytes(20))
        await store.put("b", bytes(5))
        assert (await index.page(limit=0)).versions == jetstow.VersionCounts(1, 10, 0)
        await store.delete("a")
        await store.delete("b")
        assert (await index.page(limit=0)).versions == jetstow.VersionCounts(3, 35, 2)
        await store.put("b", b"")
        assert (await index.page(limit=0)).versions == jetstow.VersionCounts(3, 35, 2)
        await store.delete("a", version=first.version)
        assert (await index.page(limit=0)).versions == jetstow.VersionCounts(2, 25, 2)
    async with store.index() as filled:
        assert (await filled.page(limit=0)).versions == jetstow.VersionCounts(2, 25, 2)


@pytest.mark.parametrize("quick", [False, True], ids=["full", "quick"])
async def test_verification_of_a_version(
    versioned: jetstow.ObjectStore, raw: Client, quick: bool
) -> None:
    store, data = versioned, some_bytes(300_000)
    old = await store.put("a", data)
    await store.put("a", b"new")
    assert old.version is not None
    report = await store.verify("a", version=old.version, quick=quick)
    assert (report.ok, report.objects, report.size) == (True, 1, len(data))
    await object_builder.delete_chunks(raw, store.bucket, old.nuid, 1)
    for damaged in (
        await store.verify("a", version=old.version, quick=quick),
        await store.verify(quick=quick),
    ):
        (finding,) = damaged.findings
        assert isinstance(finding.error, ChunksLostError)
        assert (finding.name, finding.version) == ("a", old.version)
    assert (await store.verify("a", quick=quick)).ok, "the current version is intact"
    with pytest.raises(ObjectNotFoundError):
        await store.verify("a", version="none", quick=quick)
    with pytest.raises(InvalidOptionError, match="needs the name"):
        await store.verify(version=old.version, quick=quick)
