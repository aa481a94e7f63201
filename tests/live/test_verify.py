"""verify: it reports every damaged object, and no others."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import (
    BadObjectMetaError,
    BucketNotFoundError,
    ChunksLostError,
    DigestMismatchError,
    InvalidObjectNameError,
    JetstowError,
    LinkError,
    ObjectDeletedError,
    ObjectNotFoundError,
    SizeMismatchError,
)
from jetstow.types import VerifyResult
from tests.support import object_builder, raw_stream
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

pytestmark = pytest.mark.one_path

DATA = some_bytes(95)
SMALL_CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10))

full_and_quick = pytest.mark.parametrize("quick", [False, True], ids=["full", "quick"])


def found(report: VerifyResult) -> dict[str | None, type[JetstowError]]:
    return {finding.name: type(finding.error) for finding in report.findings}


async def fill(store: jetstow.ObjectStore) -> None:
    """Put intact objects of several kinds."""
    await store.put("a", DATA, SMALL_CHUNKS)
    await store.put("empty", b"")
    await store.put("large", some_bytes(300_000))
    await store.add_link("link", "a")
    await store.put("gone", DATA)
    await store.delete("gone")


@full_and_quick
async def test_intact_bucket(store: jetstow.ObjectStore, quick: bool) -> None:
    await fill(store)
    reports: list[tuple[int, int | None]] = []
    report = await store.verify(quick=quick, progress=lambda *done: reports.append(done))
    assert report.ok
    assert report == VerifyResult(store.bucket, 3, 1, 300_095, 0 if quick else None)
    assert reports[-1] == (300_095, 300_095)
    assert await store.verify("link", quick=quick) == VerifyResult(store.bucket, 0, 1)
    assert await store.verify("a", quick=quick) == VerifyResult(store.bucket, 1, 0, 95)


@full_and_quick
async def test_empty_bucket(store: jetstow.ObjectStore, quick: bool) -> None:
    assert (await store.verify(quick=quick)).ok


@full_and_quick
async def test_every_damaged_object_is_reported(
    store: jetstow.ObjectStore, raw: Client, quick: bool
) -> None:
    bucket = store.bucket
    await fill(store)
    for name in ("all lost", "few", "first", "many", "empty?", "short", "swapped"):
        await store.put(name, DATA, SMALL_CHUNKS)

    async def nuid(name: str) -> str:
        return (await store.get_info(name)).nuid

    await object_builder.delete_all_chunks(raw, bucket, await nuid("all lost"))
    await object_builder.delete_chunks(raw, bucket, await nuid("first"), 0)
    await object_builder.change_metadata(raw, bucket, "few", chunks=11)
    await object_builder.write_chunks(raw, bucket, [b"0123456789"], await nuid("many"))
    await object_builder.change_metadata(raw, bucket, "empty?", chunks=0, size=0, digest="")
    await object_builder.change_metadata(raw, bucket, "short", size=94)
    await object_builder.delete_chunks(raw, bucket, await nuid("swapped"), -1)
    await object_builder.write_chunks(raw, bucket, [b"other"], await nuid("swapped"))
    await raw_stream.write_metadata(raw, bucket, "unreadable", b"no JSON")
    await raw.request(f"$O.{bucket}.M.plain", b"{}", timeout=20)

    report = await store.verify(quick=quick)
    assert not report.ok
    expected = {
        "all lost": ChunksLostError,
        "few": ChunksLostError,
        "first": ChunksLostError,
        "many": SizeMismatchError,
        "empty?": SizeMismatchError,
        "short": SizeMismatchError,
        "unreadable": BadObjectMetaError,
        None: BadObjectMetaError,
    }
    assert found(report) == expected | ({} if quick else {"swapped": DigestMismatchError})
    assert report.objects == 12
    for finding in report.findings:
        assert (finding.error.bucket, finding.error.name) == (bucket, finding.name)
        if finding.name is not None:
            one = await store.verify(finding.name, quick=quick)
            assert found(one) == {finding.name: type(finding.error)}
            assert one.objects == 1


@full_and_quick
async def test_dangling_links(
    store: jetstow.ObjectStore, js: jetstow.JetStreamContext, quick: bool
) -> None:
    other = await js.create_object_store(f"{store.bucket}-other")
    there = await other.put("there", DATA)
    gone = await other.put("gone", DATA)
    await store.add_link("fine", there)
    await store.add_link("to what is gone", gone)
    await store.add_link("to nothing", jetstow.ObjectInfo("none", store.bucket, ""))
    await store.add_link("nowhere", jetstow.ObjectInfo("none", "no-such-bucket", ""))
    await store.add_bucket_link("bucket", other)
    await store.add_bucket_link("no bucket", "no-such-bucket")
    await store.add_link("round", jetstow.ObjectInfo("about", store.bucket, ""))
    await store.add_link("about", jetstow.ObjectInfo("round", store.bucket, ""))
    await other.delete("gone")

    report = await store.verify(quick=quick)
    assert found(report) == {
        "to what is gone": ObjectDeletedError,
        "to nothing": ObjectNotFoundError,
        "nowhere": BucketNotFoundError,
        "no bucket": BucketNotFoundError,
        "round": LinkError,
        "about": LinkError,
    }
    assert (report.objects, report.links) == (0, 8)
    await js.delete_object_store(other.bucket)


@full_and_quick
async def test_missing_or_deleted_name(store: jetstow.ObjectStore, quick: bool) -> None:
    with pytest.raises(ObjectNotFoundError):
        await store.verify("a", quick=quick)
    await store.put("a", DATA)
    await store.delete("a")
    with pytest.raises(ObjectDeletedError):
        await store.verify("a", quick=quick)
    with pytest.raises(InvalidObjectNameError):
        await store.verify("", quick=quick)


async def test_unnamed_chunks_are_counted(store: jetstow.ObjectStore, raw: Client) -> None:
    await fill(store)
    await object_builder.write_chunks(raw, store.bucket, [b"1", b"2", b"3"])
    report = await store.verify(quick=True)
    assert report.ok
    assert report.unused == 3


@full_and_quick
async def test_name_with_several_messages(
    store: jetstow.ObjectStore, raw: Client, quick: bool
) -> None:
    """Some clients change metadata without a rollup, and the old messages stay."""
    await store.put("a", DATA, SMALL_CHUNKS)
    subject = raw_stream.meta_subject(store.bucket, "a")
    body = (await raw_stream.last_message(raw, store.bucket, subject))["data"]
    await raw_stream.write_metadata(raw, store.bucket, "a", b"no JSON")
    await raw.request(subject, base64.b64decode(body), timeout=20)
    assert (await raw_stream.names(raw, store.bucket))["a"] == 2
    report = await store.verify(quick=quick)
    assert report == VerifyResult(store.bucket, 1, 0, 95, 0 if quick else None)


@full_and_quick
async def test_concurrent_changes_are_not_reported(
    store: jetstow.ObjectStore, server: NatsServer, quick: bool
) -> None:
    # Before 2.10, a server does not report a purge: each affected read waits for the timeout.
    rounds = 10 if server.at_least("2.10") else 1
    names = [f"object {number}" for number in range(6)]
    for name in names:
        await store.put(name, DATA, SMALL_CHUNKS)
    over = asyncio.Event()

    async def change(name: str) -> None:
        number = 0
        while not over.is_set():
            number += 1
            await store.put(name, some_bytes(number % 50), SMALL_CHUNKS)
            if number % 3 == 0:
                await store.delete(name)

    async with asyncio.TaskGroup() as group:
        for name in names[:3]:
            group.create_task(change(name))
        for _ in range(rounds):
            report = await store.verify(quick=quick)
            assert report.ok, report
            assert report.objects >= 3
        over.set()


@full_and_quick
async def test_every_bucket(
    store: jetstow.ObjectStore, js: jetstow.JetStreamContext, raw: Client, quick: bool
) -> None:
    info = await store.put("a", DATA, SMALL_CHUNKS)
    await object_builder.delete_chunks(raw, store.bucket, info.nuid, 3)
    other = await js.create_object_store(f"{store.bucket}-other")
    await other.put("b", DATA)
    reports = {each.bucket: each for each in await js.verify_object_stores(quick=quick)}
    assert found(reports[store.bucket]) == {"a": ChunksLostError}
    assert reports[other.bucket].ok
    await js.delete_object_store(other.bucket)


@full_and_quick
async def test_verify_leaves_no_consumer(
    store: jetstow.ObjectStore, raw: Client, quick: bool
) -> None:
    await fill(store)
    await store.verify(quick=quick)
    assert await raw_stream.consumer_count(raw, store.bucket) == 0


@full_and_quick
async def test_exception_in_the_progress_callback(store: jetstow.ObjectStore, quick: bool) -> None:
    await fill(store)

    def stop(done: int, of: int | None) -> None:
        raise ZeroDivisionError

    report: Callable[[int, int | None], None] = stop
    with pytest.raises(ZeroDivisionError):
        await store.verify(quick=quick, progress=report)
    assert (await store.get("a")).data == DATA
