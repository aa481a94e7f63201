"""What nobody refers to goes; what anybody may refer to, or write just now, stays."""

from __future__ import annotations

import asyncio
import json

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import (
    BadObjectMetaError,
    BucketSealedError,
    InvalidOptionError,
    PermissionDeniedError,
)
from jetstow.types import GarbageResult
from tests.support import object_builder, raw_stream
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

DATA = some_bytes(95)
CUT = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10))


async def test_chunks_without_a_name_go_once_they_are_quiet(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    kept = await store.put("a", DATA, CUT)
    await store.put("empty", b"")
    await object_builder.write_chunks(raw, store.bucket, [b"1", b"2", b"3"])
    await object_builder.write_chunks(raw, store.bucket, [b"4"])
    assert await store.collect_garbage() == GarbageResult(store.bucket, young=2)
    told = GarbageResult(store.bucket, uploads=2, messages=4)
    assert await store.collect_garbage(grace=0, dry_run=True) == told
    assert len(await raw_stream.chunks(raw, store.bucket)) == 3
    assert await store.collect_garbage(grace=0) == told
    assert await raw_stream.chunks(raw, store.bucket) == {kept.nuid: 10}
    assert (await store.get("a")).data == DATA
    assert await store.collect_garbage(grace=0) == GarbageResult(store.bucket)
    assert await raw_stream.consumers(raw, store.bucket) == 0


async def test_chunks_of_a_deleted_object_go(store: jetstow.ObjectStore, raw: Client) -> None:
    """A delete that died between its marker and the chunks."""
    info = await store.put("a", DATA, CUT)
    await object_builder.change_metadata(raw, store.bucket, "a", deleted=True)
    assert (await store.collect_garbage(grace=0)).messages == 10
    assert info.nuid not in await raw_stream.chunks(raw, store.bucket)
    assert (await store.get_info("a", show_deleted=True)).deleted


async def test_many_of_them(store: jetstow.ObjectStore, raw: Client) -> None:
    for number in range(300):
        await raw.publish(raw_stream.chunk_subject(store.bucket, f"nuid{number}"), b"x")
    await raw_stream.arrived(raw)
    await store.put("a", DATA, CUT)
    assert await store.collect_garbage(grace=0) == GarbageResult(store.bucket, 300, 300)
    assert len(await raw_stream.chunks(raw, store.bucket)) == 1


async def test_names_that_cannot_be_decoded_keep_their_chunks(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    """Some clients' subjects are no base64, and some write a field in capitals."""
    nuid = await object_builder.write_chunks(raw, store.bucket, [b"1"])
    body = {"name": "a", "NUID": nuid, "size": 1, "chunks": 1}
    await raw.request(f"$O.{store.bucket}.M.plain.name", json.dumps(body).encode(), timeout=20)
    assert await store.collect_garbage(grace=0) == GarbageResult(store.bucket)
    assert await raw_stream.chunks(raw, store.bucket) == {nuid: 1}


async def test_older_metadata_of_a_name_keeps_its_chunks(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    """Without a rollup a name has several messages, and any of them may be what is read."""
    info = await store.put("a", DATA, CUT)
    body = {"name": "a", "bucket": store.bucket, "nuid": "another", "size": 0, "chunks": 0}
    await raw.request(
        raw_stream.meta_subject(store.bucket, "a"), json.dumps(body).encode(), timeout=20
    )
    assert await store.collect_garbage(grace=0) == GarbageResult(store.bucket)
    assert info.nuid in await raw_stream.chunks(raw, store.bucket)


async def test_metadata_that_cannot_be_read_keeps_what_it_shows(
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


async def test_where_metadata_may_refer_to_any_chunk_none_goes(
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


async def test_uploads_that_run_meanwhile_keep_theirs(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    over = asyncio.Event()
    expected: dict[str, bytes] = {}

    async def put(name: str) -> None:
        number = 0
        while not over.is_set():
            number += 1
            data = some_bytes(2_000 + number)
            await store.put(name, data, CUT)
            expected[name] = data

    async with asyncio.TaskGroup() as group:
        for number in range(4):
            group.create_task(put(f"object {number}"))
        for _ in range(10):
            assert (await store.collect_garbage(grace=60)).messages == 0
        over.set()
    for name, data in expected.items():
        assert (await store.get(name)).data == data
    assert (await store.verify()).ok
    assert len(await raw_stream.chunks(raw, store.bucket)) == 4


# -- names -------------------------------------------------------------------------------


async def two_names(store: jetstow.ObjectStore, raw: Client) -> str:
    """As a rename from "old" to "new" leaves them that dies half-way; returns the NUID."""
    info = await store.put("old", DATA, CUT)
    body = await raw_stream.metadata(raw, store.bucket, "old")
    await raw_stream.write_metadata(raw, store.bucket, "old", body | {"jetstow_twin": "new"})
    there = body | {"name": "new", "jetstow_twin": "old"}
    await raw_stream.write_metadata(raw, store.bucket, "new", there)
    return info.nuid


async def test_the_old_name_of_a_rename_goes(store: jetstow.ObjectStore, raw: Client) -> None:
    nuid = await two_names(store, raw)
    assert await store.collect_garbage() == GarbageResult(store.bucket)
    told = GarbageResult(store.bucket, names=("old",))
    assert await store.collect_garbage(grace=0, dry_run=True) == told
    assert len(await raw_stream.names(raw, store.bucket)) == 2
    assert await store.collect_garbage(grace=0) == told
    assert await raw_stream.names(raw, store.bucket) == {"new": 1}
    assert await raw_stream.chunks(raw, store.bucket) == {nuid: 10}
    assert (await store.get("new")).data == DATA


async def test_the_fence_of_a_rename_goes(store: jetstow.ObjectStore, raw: Client) -> None:
    nuid = await two_names(store, raw)
    await object_builder.change_metadata(raw, store.bucket, "old", deleted=True)
    await store.put("gone", DATA)
    await store.delete("gone")
    assert await store.collect_garbage(grace=0) == GarbageResult(store.bucket, names=("old",))
    assert await raw_stream.names(raw, store.bucket) == {"new": 1, "gone": 1}
    assert await raw_stream.chunks(raw, store.bucket) == {nuid: 10}


@pytest.mark.parametrize(("gone", "kept"), [("old", "new"), ("new", "old")])
@pytest.mark.parametrize("how", ["deleted", "replaced"])
async def test_of_two_names_either_can_go_without_the_others_bytes(
    store: jetstow.ObjectStore, raw: Client, gone: str, kept: str, how: str
) -> None:
    """A rename that died half-way left two names, and to delete one broke the other."""
    nuid = await two_names(store, raw)
    if how == "deleted":
        await store.delete(gone)
    else:
        await store.put(gone, b"other")
    assert (await store.get(kept)).data == DATA
    # Once there is one name, its chunks go with it.
    await store.delete(kept)
    assert nuid not in await raw_stream.chunks(raw, store.bucket)


@pytest.mark.parametrize("renamed", ["old", "new"])
@pytest.mark.parametrize("to", ["old", "new", "third"])
async def test_of_two_names_a_rename_leaves_one(
    store: jetstow.ObjectStore, raw: Client, renamed: str, to: str
) -> None:
    nuid = await two_names(store, raw)
    await store.update_meta(renamed, ObjectMeta(name=to, description="x"))
    left = {"old", "new"} if renamed == to else {to}
    assert set(await raw_stream.names(raw, store.bucket)) == left
    assert (await store.get(to)).data == DATA
    assert await raw_stream.chunks(raw, store.bucket) == {nuid: 10}


async def test_a_name_that_says_it_is_its_own_twin_can_be_renamed(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    await store.put("a", DATA, CUT)
    for twin in ("a", "", 7, "\n" * 4_000):
        await object_builder.change_metadata(raw, store.bucket, "a", jetstow_twin=twin)
        await store.update_meta("a", ObjectMeta(name="b"))
        assert (await store.get("b")).data == DATA
        await store.update_meta("b", ObjectMeta(name="a"))
    await store.delete("a")
    assert not await raw_stream.chunks(raw, store.bucket)


async def test_links_have_no_chunks_to_share(store: jetstow.ObjectStore, raw: Client) -> None:
    """Links of other clients have no NUID: two of them are no rename."""
    await store.put("a", DATA)
    link = {"bucket": store.bucket, "name": "a"}
    for name in ("one", "two"):
        body = {"name": name, "bucket": store.bucket, "nuid": "", "options": {"link": link}}
        await raw_stream.write_metadata(raw, store.bucket, name, body)
    assert await store.collect_garbage(grace=0) == GarbageResult(store.bucket)


# -- what refuses it -----------------------------------------------------------------------


async def test_a_sealed_bucket(store: jetstow.ObjectStore, raw: Client) -> None:
    await object_builder.write_chunks(raw, store.bucket, [b"1"])
    await store.seal()
    with pytest.raises(BucketSealedError) as caught:
        await store.collect_garbage(grace=0)
    assert caught.value.bucket == store.bucket
    assert await store.collect_garbage(grace=0, dry_run=True) == GarbageResult(store.bucket, 1, 1)


@pytest.mark.parametrize("grace", [-1, "1h", None, True, float("nan"), float("inf")])
async def test_a_grace_that_is_none(store: jetstow.ObjectStore, grace: float) -> None:
    with pytest.raises(InvalidOptionError):
        await store.collect_garbage(grace=grace)


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


async def test_two_names_that_do_not_know_each_other_stay(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    """Somebody has copied an object's metadata to have it under two names."""
    body = await object_builder.write_object(raw, store.bucket, "a", [b"data"])
    await raw_stream.write_metadata(raw, store.bucket, "b", body | {"name": "b"})
    assert (await store.collect_garbage(grace=0)).names == ()
    assert (await store.get("a")).data == (await store.get("b")).data == b"data"
