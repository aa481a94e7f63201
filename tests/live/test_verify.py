"""Whether what is stored is whole: told of everything that is not, and of nothing else."""

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

DATA = some_bytes(95)
CUT = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10))

quickly_or_not = pytest.mark.parametrize("quick", [False, True], ids=["full", "quick"])


def found(report: VerifyResult) -> dict[str | None, type[JetstowError]]:
    return {finding.name: type(finding.error) for finding in report.findings}


async def fill(store: jetstow.ObjectStore) -> None:
    """Objects of several kinds, all of them whole."""
    await store.put("a", DATA, CUT)
    await store.put("empty", b"")
    await store.put("large", some_bytes(300_000))
    await store.add_link("link", "a")
    await store.put("gone", DATA)
    await store.delete("gone")


@quickly_or_not
async def test_a_bucket_that_is_whole(store: jetstow.ObjectStore, quick: bool) -> None:
    await fill(store)
    told: list[tuple[int, int | None]] = []
    report = await store.verify(quick=quick, progress=lambda *done: told.append(done))
    assert report.ok
    assert report == VerifyResult(store.bucket, 3, 1, 300_095, 0 if quick else None)
    assert told[-1] == (300_095, 300_095)
    assert await store.verify("link", quick=quick) == VerifyResult(store.bucket, 0, 1)
    assert await store.verify("a", quick=quick) == VerifyResult(store.bucket, 1, 0, 95)


@quickly_or_not
async def test_an_empty_bucket(store: jetstow.ObjectStore, quick: bool) -> None:
    assert (await store.verify(quick=quick)).ok


@quickly_or_not
async def test_what_is_damaged_is_found_and_hides_nothing(
    store: jetstow.ObjectStore, raw: Client, quick: bool
) -> None:
    bucket = store.bucket
    await fill(store)
    for name in ("all lost", "few", "first", "many", "empty?", "short", "swapped"):
        await store.put(name, DATA, CUT)

    async def nuid(name: str) -> str:
        return (await store.get_info(name)).nuid

    await object_builder.lose_all_chunks(raw, bucket, await nuid("all lost"))
    await object_builder.lose_chunks(raw, bucket, await nuid("first"), 0)
    await object_builder.change_metadata(raw, bucket, "few", chunks=11)
    await object_builder.write_chunks(raw, bucket, [b"0123456789"], await nuid("many"))
    await object_builder.change_metadata(raw, bucket, "empty?", chunks=0, size=0, digest="")
    await object_builder.change_metadata(raw, bucket, "short", size=94)
    await object_builder.lose_chunks(raw, bucket, await nuid("swapped"), -1)
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


@quickly_or_not
async def test_links_that_lead_nowhere(
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


@quickly_or_not
async def test_a_name_that_is_not_there(store: jetstow.ObjectStore, quick: bool) -> None:
    with pytest.raises(ObjectNotFoundError):
        await store.verify("a", quick=quick)
    await store.put("a", DATA)
    await store.delete("a")
    with pytest.raises(ObjectDeletedError):
        await store.verify("a", quick=quick)
    with pytest.raises(InvalidObjectNameError):
        await store.verify("", quick=quick)


async def test_chunks_of_no_object_are_counted_and_are_no_finding(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    await fill(store)
    await object_builder.write_chunks(raw, store.bucket, [b"1", b"2", b"3"])
    report = await store.verify(quick=True)
    assert report.ok
    assert report.unused == 3


@quickly_or_not
async def test_only_the_last_metadata_of_a_name_counts(
    store: jetstow.ObjectStore, raw: Client, quick: bool
) -> None:
    """Some clients change metadata without a rollup, and the old messages stay."""
    await store.put("a", DATA, CUT)
    subject = raw_stream.meta_subject(store.bucket, "a")
    body = (await raw_stream.message_on(raw, store.bucket, subject))["data"]
    await raw_stream.write_metadata(raw, store.bucket, "a", b"no JSON")
    await raw.request(subject, base64.b64decode(body), timeout=20)
    assert (await raw_stream.names(raw, store.bucket))["a"] == 2
    report = await store.verify(quick=quick)
    assert report == VerifyResult(store.bucket, 1, 0, 95, 0 if quick else None)


@quickly_or_not
async def test_what_changes_meanwhile_is_no_finding(
    store: jetstow.ObjectStore, server: NatsServer, quick: bool
) -> None:
    # Before 2.10 a server does not tell of a purge: each read that meets one waits in vain.
    rounds = 10 if server.at_least("2.10") else 1
    names = [f"object {number}" for number in range(6)]
    for name in names:
        await store.put(name, DATA, CUT)
    over = asyncio.Event()

    async def change(name: str) -> None:
        number = 0
        while not over.is_set():
            number += 1
            await store.put(name, some_bytes(number % 50), CUT)
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


@quickly_or_not
async def test_every_bucket(
    store: jetstow.ObjectStore, js: jetstow.JetStreamContext, raw: Client, quick: bool
) -> None:
    info = await store.put("a", DATA, CUT)
    await object_builder.lose_chunks(raw, store.bucket, info.nuid, 3)
    other = await js.create_object_store(f"{store.bucket}-other")
    await other.put("b", DATA)
    reports = {each.bucket: each for each in await js.verify_object_stores(quick=quick)}
    assert found(reports[store.bucket]) == {"a": ChunksLostError}
    assert reports[other.bucket].ok
    await js.delete_object_store(other.bucket)


@quickly_or_not
async def test_it_leaves_no_consumer_behind(
    store: jetstow.ObjectStore, raw: Client, quick: bool
) -> None:
    await fill(store)
    await store.verify(quick=quick)
    assert await raw_stream.consumers(raw, store.bucket) == 0


@quickly_or_not
async def test_what_the_progress_raises_ends_it(store: jetstow.ObjectStore, quick: bool) -> None:
    await fill(store)

    def stop(done: int, of: int | None) -> None:
        raise ZeroDivisionError

    report: Callable[[int, int | None], None] = stop
    with pytest.raises(ZeroDivisionError):
        await store.verify(quick=quick, progress=report)
    assert (await store.get("a")).data == DATA
