"""keep_replaced leaves the chunks of what a write replaces, and `collect_garbage(keep=...)`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from nats.aio.client import Client

import jetstow
from jetstow.errors import ObjectNotFoundError, RevisionMismatchError
from jetstow.types import GarbageResult
from tests.support import object_builder, raw_stream
from tests.support.purges import purges_ended
from tests.support.samples import some_bytes

pytestmark = pytest.mark.one_path

DATA = some_bytes(300_000)  # three chunks


async def test_replaced_chunks_are_left(store: jetstow.ObjectStore, raw: Client) -> None:
    old = await store.put("a", DATA, metadata={"key": "old"})
    new = await store.put("a", b"new", keep_replaced=True)
    assert new.replaced == old
    assert await raw_stream.chunks(raw, store.bucket) == {old.nuid: 3, new.nuid: 1}
    assert (await store.get_info("a")).replaced is None


@pytest.mark.parametrize("verb", ["put", "put_file", "open", "copy"])
async def test_each_write_returns_what_it_replaced(
    store: jetstow.ObjectStore, raw: Client, tmp_path: Path, verb: str
) -> None:
    old = await store.put("a", DATA)
    source = await store.put("source", b"new")
    if verb == "put":
        new = await store.put("a", b"new", keep_replaced=True)
    elif verb == "put_file":
        (tmp_path / "a").write_bytes(b"new")
        new = await store.put_file(tmp_path / "a", keep_replaced=True)
    elif verb == "copy":
        new = await store.copy("source", "a", keep_replaced=True)
    else:
        async with store.open("a", "wb", keep_replaced=True) as file:
            await file.write(b"new")
        assert file.info is not None
        new = file.info
    assert new.replaced == old
    kept = {old.nuid: 3, new.nuid: 1, source.nuid: 1}
    assert await raw_stream.chunks(raw, store.bucket) == kept


async def test_nothing_is_replaced(store: jetstow.ObjectStore) -> None:
    assert (await store.put("a", DATA, keep_replaced=True)).replaced is None
    await store.delete("a")
    assert (await store.put("a", DATA, keep_replaced=True)).replaced is None


async def test_replaced_link(store: jetstow.ObjectStore) -> None:
    await store.put("a", DATA)
    link = await store.add_link("b", "a")
    assert (await store.put("b", b"x", keep_replaced=True)).replaced == link
    assert (await store.get("a")).data == DATA


async def test_what_another_client_replaced_is_not_kept(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    """The result is what this write replaced, even if the name changed during the write."""
    await store.put("a", b"first")
    async with store.open("a", "wb", keep_replaced=True) as file:
        await file.write(DATA)
        second = await store.put("a", b"second")
    assert file.info is not None
    assert file.info.replaced == second
    await purges_ended(store)
    assert await raw_stream.chunks(raw, store.bucket) == {second.nuid: 1, file.nuid: 3}


async def test_refused_write_keeps_the_object(store: jetstow.ObjectStore, raw: Client) -> None:
    old = await store.put("a", DATA)
    with pytest.raises(RevisionMismatchError):
        await store.put("a", b"new", expected_revision=old.revision + 1, keep_replaced=True)
    assert await raw_stream.chunks(raw, store.bucket) == {old.nuid: 3}


async def test_encrypted_object_has_its_plain_size(store: jetstow.ObjectStore) -> None:
    vault = store.encrypted(bytes(32))
    old = await vault.put("a", DATA)
    replaced = (await vault.put("a", b"new", keep_replaced=True)).replaced
    assert replaced is not None
    assert (replaced.size, replaced.nuid) == (len(DATA), old.nuid)
    deleted = await vault.delete("a", keep_replaced=True)
    assert deleted is not None
    assert deleted.size == 3


# -- delete -------------------------------------------------------------------------------


@pytest.mark.parametrize("keep", [False, True])
async def test_delete_returns_the_object(
    store: jetstow.ObjectStore, raw: Client, keep: bool
) -> None:
    old = await store.put("a", DATA)
    assert await store.delete("a", keep_replaced=keep) == old
    assert await raw_stream.chunks(raw, store.bucket) == ({old.nuid: 3} if keep else {})
    with pytest.raises(ObjectNotFoundError):
        await store.get_info("a")


async def test_delete_of_nothing_returns_none(store: jetstow.ObjectStore) -> None:
    assert await store.delete("a", missing_ok=True, keep_replaced=True) is None


async def test_delete_of_unreadable_metadata_returns_none(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    await raw.request(raw_stream.meta_subject(store.bucket, "a"), b"no JSON", timeout=5)
    assert await store.delete("a") is None


# -- collect_garbage ------------------------------------------------------------------------


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("dry_run", [False, True])
async def test_garbage_collection_asks_what_to_keep(
    store: jetstow.ObjectStore, raw: Client, is_async: bool, dry_run: bool
) -> None:
    old = await store.put("a", DATA)
    new = await store.put("a", b"new", keep_replaced=True)
    unused = await object_builder.write_chunks(raw, store.bucket, [b"1", b"2"])
    asked: list[str] = []

    def keep(nuids: Sequence[str]) -> list[str]:
        asked.extend(nuids)
        return [old.nuid, "unknown"]

    async def keep_later(nuids: Sequence[str]) -> list[str]:
        await asyncio.sleep(0)
        return keep(nuids)

    result = await store.collect_garbage(
        grace=0, keep=keep_later if is_async else keep, dry_run=dry_run
    )
    assert result == GarbageResult(store.bucket, uploads=1, messages=2)
    assert sorted(asked) == sorted([old.nuid, unused])
    left = {old.nuid: 3, new.nuid: 1} | ({unused: 2} if dry_run else {})
    assert await raw_stream.chunks(raw, store.bucket) == left


async def test_version_replaced_during_the_collection(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    """A set of NUIDs, taken before, lacked what was replaced after the chunks were listed."""
    old = await store.put("a", DATA)
    await object_builder.write_chunks(raw, store.bucket, [b"1"])
    versions: set[str] = set()
    calls = 0

    async def keep(nuids: Sequence[str]) -> set[str]:
        nonlocal calls
        calls += 1
        versions.add(old.nuid)  # recorded before the write that replaces it
        await store.put("a", b"new", keep_replaced=True)
        return versions

    await store.collect_garbage(grace=0, keep=keep)
    assert calls == 1
    await store.collect_garbage(grace=0, keep=lambda _: versions)
    assert old.nuid in await raw_stream.chunks(raw, store.bucket)
    await store.collect_garbage(grace=0)
    assert old.nuid not in await raw_stream.chunks(raw, store.bucket)


@pytest.mark.parametrize("is_named", [False, True])
async def test_upload_continued_during_the_collection(
    store: jetstow.ObjectStore, raw: Client, *, is_named: bool
) -> None:
    """It lost the chunks that it had before a long pause, and got its name without them."""
    bucket, body = store.bucket, {"name": "a", "bucket": store.bucket, "size": 1, "chunks": 1}
    nuid = await object_builder.write_chunks(raw, bucket, [b"1"])

    async def keep(_: Sequence[str]) -> list[str]:
        if is_named:
            await raw_stream.write_metadata(raw, bucket, "a", body | {"nuid": nuid})
        else:
            await object_builder.write_chunks(raw, bucket, [b"2"], nuid)
        return []

    await store.collect_garbage(grace=0, keep=keep)
    assert await raw_stream.chunks(raw, bucket) == {nuid: 1 if is_named else 2}


async def test_failure_to_ask_removes_nothing(store: jetstow.ObjectStore, raw: Client) -> None:
    unused = await object_builder.write_chunks(raw, store.bucket, [b"1"])

    def keep(_: Sequence[str]) -> list[str]:
        raise LookupError("records cannot be read")

    with pytest.raises(LookupError):
        await store.collect_garbage(grace=0, keep=keep)
    assert await raw_stream.chunks(raw, store.bucket) == {unused: 1}
