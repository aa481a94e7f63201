"""collect_garbage: it purges chunks that no metadata refers to, and keeps all others."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow._core.bucket.purge_request import Purged
from jetstow._core.bucket.stream import Stream
from jetstow.errors import (
    BadObjectMetaError,
    BucketSealedError,
    InvalidOptionError,
    ObjectDeletedError,
    PermissionDeniedError,
)
from jetstow.types import GarbageResult
from tests.support import object_builder, raw_stream
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

pytestmark = pytest.mark.one_path

DATA = some_bytes(95)
SMALL_CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10))


async def test_unnamed_chunks_after_the_grace_period(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    kept = await store.put("a", DATA, SMALL_CHUNKS)
    await store.put("empty", b"")
    await object_builder.write_chunks(raw, store.bucket, [b"1", b"2", b"3"])
    await object_builder.write_chunks(raw, store.bucket, [b"4"])
    assert await store.collect_garbage() == GarbageResult(store.bucket, recent=2)
    expected = GarbageResult(store.bucket, uploads=2, messages=4)
    assert await store.collect_garbage(grace=0, dry_run=True) == expected
    assert len(await raw_stream.chunks(raw, store.bucket)) == 3
    assert await store.collect_garbage(grace=0) == expected
    assert await raw_stream.chunks(raw, store.bucket) == {kept.nuid: 10}
    assert (await store.get("a")).data == DATA
    assert await store.collect_garbage(grace=0) == GarbageResult(store.bucket)
    assert await raw_stream.consumer_count(raw, store.bucket) == 0


async def test_chunks_of_a_deleted_object(store: jetstow.ObjectStore, raw: Client) -> None:
    """A delete was interrupted between its marker and its purge."""
    info = await store.put("a", DATA, SMALL_CHUNKS)
    await object_builder.change_metadata(raw, store.bucket, "a", deleted=True)
    assert (await store.collect_garbage(grace=0)).messages == 10
    assert info.nuid not in await raw_stream.chunks(raw, store.bucket)
    assert (await store.get_info("a", show_deleted=True)).deleted


async def test_many_unnamed_uploads(store: jetstow.ObjectStore, raw: Client) -> None:
    for number in range(300):
        await raw.publish(raw_stream.chunk_subject(store.bucket, f"nuid{number}"), b"x")
    await raw_stream.flush(raw)
    await store.put("a", DATA, SMALL_CHUNKS)
    assert await store.collect_garbage(grace=0) == GarbageResult(store.bucket, 300, 300)
    assert len(await raw_stream.chunks(raw, store.bucket)) == 1


async def test_undecodable_names_keep_their_chunks(store: jetstow.ObjectStore, raw: Client) -> None:
    """Some clients write subjects that are not base64, or field names in capitals."""
    nuid = await object_builder.write_chunks(raw, store.bucket, [b"1"])
    body = {"name": "a", "NUID": nuid, "size": 1, "chunks": 1}
    await raw.request(f"$O.{store.bucket}.M.plain.name", json.dumps(body).encode(), timeout=20)
    assert await store.collect_garbage(grace=0) == GarbageResult(store.bucket)
    assert await raw_stream.chunks(raw, store.bucket) == {nuid: 1}


async def test_older_metadata_keeps_its_chunks(store: jetstow.ObjectStore, raw: Client) -> None:
    """Without a rollup, a name has several messages, and a client may read any of them."""
    info = await store.put("a", DATA, SMALL_CHUNKS)
    body = {"name": "a", "bucket": store.bucket, "nuid": "another", "size": 0, "chunks": 0}
    await raw.request(
        raw_stream.meta_subject(store.bucket, "a"), json.dumps(body).encode(), timeout=20
    )
    assert await store.collect_garbage(grace=0) == GarbageResult(store.bucket)
    assert info.nuid in await raw_stream.chunks(raw, store.bucket)


async def test_unreadable_metadata_keeps_the_nuids_in_it(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    nuid = await object_builder.write_chunks(raw, store.bucket, [b"1"])
    await object_builder.write_chunks(raw, store.bucket, [b"2"])
    broken = b'{"name": "a", "nuid": "' + nuid.encode() + b'", "size": \xff'
    await raw_stream.write_metadata(raw, store.bucket, "a", broken)
    for nothing in (b"", b"{}", b"[]"):
        await raw.request(f"$O.{store.bucket}.M.nothing", nothing, timeout=20)
    assert await store.collect_garbage(grace=0) == GarbageResult(store.bucket, 1, 1)
    assert await raw_stream.chunks(raw, store.bucket) == {nuid: 1}


async def test_unreadable_metadata_without_a_nuid_keeps_all_chunks(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    await object_builder.write_chunks(raw, store.bucket, [b"1"])
    await raw_stream.write_metadata(raw, store.bucket, "a", b"no JSON")
    report = await store.collect_garbage(grace=0)
    (finding,) = report.findings
    assert finding.name == finding.error.name == "a"
    assert isinstance(finding.error, BadObjectMetaError)
    assert report.messages == 0
    assert sum((await raw_stream.chunks(raw, store.bucket)).values()) == 1


async def test_concurrent_uploads_keep_their_chunks(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    ended = asyncio.Event()
    expected: dict[str, bytes] = {}

    async def put(name: str) -> None:
        number = 0
        while not ended.is_set():
            number += 1
            data = some_bytes(2_000 + number)
            await store.put(name, data, SMALL_CHUNKS)
            expected[name] = data

    async with asyncio.TaskGroup() as group:
        for number in range(4):
            group.create_task(put(f"object {number}"))
        for _ in range(10):
            assert (await store.collect_garbage(grace=60)).messages == 0
        ended.set()
    for name, data in expected.items():
        assert (await store.get(name)).data == data
    assert (await store.verify()).ok
    assert len(await raw_stream.chunks(raw, store.bucket)) == 4


# -- names -------------------------------------------------------------------------------


async def interrupt_rename(store: jetstow.ObjectStore, raw: Client) -> str:
    """Leave the names of an interrupted rename from "old" to "new", and return the NUID."""
    info = await store.put("old", DATA, SMALL_CHUNKS)
    body = await raw_stream.metadata(raw, store.bucket, "old")
    claim = {"jetstow_twin": "new", "jetstow_twin_revision": 0}
    await raw_stream.write_metadata(raw, store.bucket, "old", body | claim)
    new = body | {"name": "new", "jetstow_twin": "old"}
    await raw_stream.write_metadata(raw, store.bucket, "new", new)
    return info.nuid


async def test_old_name_of_an_interrupted_rename(store: jetstow.ObjectStore, raw: Client) -> None:
    nuid = await interrupt_rename(store, raw)
    assert await store.collect_garbage() == GarbageResult(store.bucket)
    expected = GarbageResult(store.bucket, names=("old",))
    assert await store.collect_garbage(grace=0, dry_run=True) == expected
    assert len(await raw_stream.names(raw, store.bucket)) == 2
    assert await store.collect_garbage(grace=0) == expected
    assert [info.name for info in await store.list()] == ["new"]
    assert await raw_stream.chunks(raw, store.bucket) == {nuid: 10}
    assert (await store.get("new")).data == DATA


@pytest.mark.parametrize(("gone", "kept"), [("old", "new"), ("new", "old")])
@pytest.mark.parametrize("how", ["deleted", "replaced"])
async def test_names_sharing_chunks_can_be_deleted_separately(
    store: jetstow.ObjectStore, raw: Client, gone: str, kept: str, how: str
) -> None:
    """An interrupted rename left two names, and a delete of one damaged the other."""
    nuid = await interrupt_rename(store, raw)
    if how == "deleted":
        await store.delete(gone)
    else:
        await store.put(gone, b"other")
    assert (await store.get(kept)).data == DATA
    # The delete of the last name purges the chunks.
    await store.delete(kept)
    assert nuid not in await raw_stream.chunks(raw, store.bucket)


@pytest.mark.parametrize("renamed", ["old", "new"])
@pytest.mark.parametrize("to", ["old", "new", "third"])
async def test_rename_of_a_name_that_shares_chunks(
    store: jetstow.ObjectStore, raw: Client, renamed: str, to: str
) -> None:
    nuid = await interrupt_rename(store, raw)
    if renamed == to == "old":
        # The object has its new name already: the update finishes the rename.
        with pytest.raises(ObjectDeletedError):
            await store.update_meta(renamed, ObjectMeta(name=to, description="x"))
        to = "new"
    else:
        await store.update_meta(renamed, ObjectMeta(name=to, description="x"))
        assert (await store.get_info(to)).description == "x"
    remaining = {"old", "new"} if renamed == to else {to}
    assert {info.name for info in await store.list()} == remaining
    assert (await store.get(to)).data == DATA
    assert await raw_stream.chunks(raw, store.bucket) == {nuid: 10}


async def test_rename_of_a_name_with_an_invalid_twin(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    await store.put("a", DATA, SMALL_CHUNKS)
    for twin in ("a", "", 7, "\n" * 4_000):
        await object_builder.change_metadata(raw, store.bucket, "a", jetstow_twin=twin)
        await store.update_meta("a", ObjectMeta(name="b"))
        assert (await store.get("b")).data == DATA
        await store.update_meta("b", ObjectMeta(name="a"))
    await store.delete("a")
    assert not await raw_stream.chunks(raw, store.bucket)


async def test_links_do_not_share_chunks(store: jetstow.ObjectStore, raw: Client) -> None:
    """Links of other clients have no NUID: two of them are not an interrupted rename."""
    await store.put("a", DATA)
    link = {"bucket": store.bucket, "name": "a"}
    for name in ("one", "two"):
        body = {"name": name, "bucket": store.bucket, "nuid": "", "options": {"link": link}}
        await raw_stream.write_metadata(raw, store.bucket, name, body)
    assert await store.collect_garbage(grace=0) == GarbageResult(store.bucket)


# -- delete markers ----------------------------------------------------------------------


async def test_delete_markers_by_age(store: jetstow.ObjectStore, raw: Client) -> None:
    target = await store.put("a", DATA)
    await store.put("again", DATA)
    await store.add_link("link", target)
    await store.put("gone", DATA)
    for name in ("again", "link", "gone"):
        await store.delete(name)
    await store.put("again", DATA)
    assert await store.collect_garbage(grace=0) == GarbageResult(store.bucket)
    assert await store.collect_garbage(deleted_for=3600) == GarbageResult(store.bucket)
    expected = GarbageResult(store.bucket, markers=2)
    assert await store.collect_garbage(deleted_for=0, dry_run=True) == expected
    assert len(await raw_stream.names(raw, store.bucket)) == 4
    assert await store.collect_garbage(deleted_for=0) == expected
    assert await raw_stream.names(raw, store.bucket) == {"a": 1, "again": 1}
    assert (await store.verify()).ok
    assert await store.collect_garbage(deleted_for=0) == GarbageResult(store.bucket)


async def test_delete_marker_of_a_name_put_during_the_collection(
    store: jetstow.ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.put("a", DATA)
    await store.delete("a")
    purge = Stream.purge

    async def put_and_purge(*args: Any, **kwargs: Any) -> Purged:
        monkeypatch.setattr(Stream, "purge", purge)
        await store.put("a", b"new")
        return await purge(*args, **kwargs)

    monkeypatch.setattr(Stream, "purge", put_and_purge)
    assert await store.collect_garbage(deleted_for=0) == GarbageResult(store.bucket)
    assert (await store.get("a")).data == b"new"


# -- errors ------------------------------------------------------------------------------


async def test_sealed_bucket(store: jetstow.ObjectStore, raw: Client) -> None:
    await object_builder.write_chunks(raw, store.bucket, [b"1"])
    await store.seal()
    with pytest.raises(BucketSealedError) as caught:
        await store.collect_garbage(grace=0)
    assert caught.value.bucket == store.bucket
    assert await store.collect_garbage(grace=0, dry_run=True) == GarbageResult(store.bucket, 1, 1)


@pytest.mark.parametrize("grace", [-1, "1h", None, True, float("nan"), float("inf")])
async def test_invalid_grace(store: jetstow.ObjectStore, grace: float) -> None:
    with pytest.raises(InvalidOptionError):
        await store.collect_garbage(grace=grace)
    if grace is not None:
        with pytest.raises(InvalidOptionError, match="deleted_for"):
            await store.collect_garbage(deleted_for=grace)


async def test_without_permission_to_purge(store: jetstow.ObjectStore, raw: Client) -> None:
    config = (
        "authorization { users = ["
        '{user: "all", password: "p"},'
        '{user: "reader", password: "p", permissions: {publish: {deny: "$JS.API.STREAM.PURGE.>"}}}'
        "] }"
    )
    with NatsServer(config=config) as server:
        url = server.url.replace("//", "//all:p@")
        async with await jetstow.connect(url) as nc:
            await nc.jetstream().create_object_store("b")
            await object_builder.write_chunks(nc, "b", [b"1"])
        async with await jetstow.connect(url.replace("all", "reader")) as nc:
            reader = await nc.jetstream().object_store("b")
            with pytest.raises(PermissionDeniedError) as caught:
                await reader.collect_garbage(grace=0)
            assert caught.value.bucket == "b"
            assert (await reader.verify(quick=True)).unused == 1


async def test_copied_metadata_without_a_twin_field(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    """A user may copy an object's metadata to another name."""
    body = await object_builder.write_object(raw, store.bucket, "a", [b"data"])
    await raw_stream.write_metadata(raw, store.bucket, "b", body | {"name": "b"})
    assert (await store.collect_garbage(grace=0)).names == ()
    assert (await store.get("a")).data == (await store.get("b")).data == b"data"
