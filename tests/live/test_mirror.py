"""One bucket as another: on the same server and on two, once and again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import BucketSealedError, DigestMismatchError, JetstowError
from tests.support import object_builder, raw_stream
from tests.support.samples import ASCII_NAMES, UNICODE_NAMES, some_bytes
from tests.support.servers import NatsServer

META = ObjectMeta(
    description="what it is",
    headers={"h": ["1", "2"]},
    metadata={"k": "ü"},
    options=ObjectMetaOptions(max_chunk_size=100_000),
)


@pytest.fixture
async def target(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore
) -> AsyncIterator[jetstow.ObjectStore]:
    """A second bucket, on the same server."""
    yield await js.create_object_store(f"{store.bucket}-other")
    await js.delete_object_store(f"{store.bucket}-other")


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[NatsServer]:
    """Another server, which takes smaller messages."""
    with NatsServer(config="max_payload: 65536") as server:
        yield server


@pytest.fixture
async def away(elsewhere: NatsServer, bucket: str) -> AsyncIterator[jetstow.ObjectStore]:
    """A bucket of the same name, on the other server."""
    async with await jetstow.connect(elsewhere.url) as nc:
        yield await nc.jetstream().create_object_store(bucket)


def said(info: jetstow.ObjectInfo) -> tuple[object, ...]:
    link = info.link and (info.link.bucket, info.link.name)
    meta = (info.description, info.headers, info.metadata)
    return (info.name, info.size, info.digest, link, *meta)


async def contents(store: jetstow.ObjectStore) -> list[tuple[object, ...]]:
    return sorted(map(said, await store.list()))


async def revisions(store: jetstow.ObjectStore) -> dict[str, int]:
    return {info.name: info.revision for info in await store.list()}


async def fill(store: jetstow.ObjectStore) -> None:
    for number, name in enumerate((*ASCII_NAMES, *UNICODE_NAMES)):
        await store.put(name, some_bytes(number * 50_000), META if number % 2 else None)
    await store.put("gone", b"x")
    await store.delete("gone")


async def test_everything_is_there_and_stays_there(
    store: jetstow.ObjectStore, target: jetstow.ObjectStore
) -> None:
    await fill(store)
    await store.add_link("link", "plain")
    await store.update_meta("link", ObjectMeta(description="a link"))
    await store.add_link("link away", jetstow.ObjectInfo(name="x", bucket="elsewhere", nuid=""))
    await store.add_bucket_link("all of it", store.bucket)
    first = await jetstow.mirror(store, target)
    assert sorted(first.copied) == sorted(info.name for info in await store.list())
    assert (first.updated, first.unchanged, first.removed, first.failed) == ([], [], [], [])
    links = {info.name: info.link for info in await target.list() if info.link}
    assert links == {
        "link": jetstow.models.ObjectLink(target.bucket, "plain"),
        "link away": jetstow.models.ObjectLink("elsewhere", "x"),
        "all of it": jetstow.models.ObjectLink(target.bucket),
    }
    for name in links:
        await store.delete(name)
    unlinked = [each for each in await contents(target) if each[0] not in links]
    assert unlinked == await contents(store)
    options = (await target.get_info("with a space")).options
    assert options is not None
    assert options.max_chunk_size == 100_000

    before = await revisions(target)
    again = await jetstow.mirror(store, target)
    assert (again.copied, again.updated, again.size) == ([], [], 0)
    assert sorted(again.unchanged) == sorted(before.keys() - links)
    assert await revisions(target) == before


async def test_only_what_differs_travels(
    store: jetstow.ObjectStore, target: jetstow.ObjectStore
) -> None:
    for name in ("same", "bytes", "words", "becomes a link", "was a link"):
        await store.put(name, name.encode(), META)
    await store.add_link("link", "same")
    await jetstow.mirror(store, target)
    nuid = (await target.get_info("words")).nuid
    await store.put("bytes", b"other", META)
    await store.update_meta("words", ObjectMeta(metadata={"k": "other"}))
    await store.add_link("link", "bytes")
    await store.delete("becomes a link")
    await store.add_link("becomes a link", "same")
    await target.delete("was a link")
    await target.add_link("was a link", "same")
    report = await jetstow.mirror(store, target)
    assert sorted(report.copied) == ["becomes a link", "bytes", "link", "was a link"]
    assert (report.updated, report.unchanged, report.failed) == (["words"], ["same"], [])
    assert report.size == len(b"other") + len(b"was a link")
    info = await target.get_info("words")
    assert (info.nuid, info.metadata, info.headers) == (nuid, {"k": "other"}, None)
    assert (await target.get("link")).data == b"other"
    assert (await target.get("becomes a link")).data == b"same"


async def test_what_the_source_does_not_have(
    store: jetstow.ObjectStore, target: jetstow.ObjectStore
) -> None:
    await store.put("deleted", b"x")
    await store.delete("deleted")
    for name in ("deleted", "theirs", "link"):
        await target.put(name, b"x")
    assert (await jetstow.mirror(store, target)).removed == []
    assert len(await target.list()) == 3
    report = await jetstow.mirror(store, target, delete=True)
    assert report.removed == ["deleted", "link", "theirs"]
    assert await target.list() == []


async def test_a_dry_run_tells_and_does_nothing(
    store: jetstow.ObjectStore, target: jetstow.ObjectStore
) -> None:
    await store.put("a", b"xyz")
    await store.put("b", b"x", META)
    await target.put("b", b"x")
    await target.put("c", b"x")
    before = await revisions(target)
    report = await jetstow.mirror(store, target, delete=True, dry_run=True)
    assert (report.copied, report.updated, report.removed) == (["a"], ["b"], ["c"])
    assert report.size == 3
    assert await revisions(target) == before
    assert (await jetstow.mirror(store, None, dry_run=True)).copied == ["a", "b"]
    with pytest.raises(ValueError, match="target"):
        await jetstow.mirror(store, None)


async def test_onto_another_server_which_takes_less_at_a_time(
    store: jetstow.ObjectStore, away: jetstow.ObjectStore
) -> None:
    await fill(store)
    await store.put("large", some_bytes(2_000_000), META)
    await store.add_link("link", "plain")
    told: list[tuple[int, int | None]] = []
    report = await jetstow.mirror(store, away, progress=lambda *each: told.append(each))
    assert report.failed == []
    assert told[-1] == (report.size, report.size)
    assert await contents(away) == await contents(store)
    assert (await away.get("large")).data == some_bytes(2_000_000)
    again = await jetstow.mirror(store, away)
    assert (again.copied, again.updated) == ([], [])
    # And back, where nothing is missing.
    back = await jetstow.mirror(away, store, delete=True)
    assert (back.copied, back.updated, back.removed) == ([], [], [])


async def test_what_is_damaged_is_told_and_left_as_it_was(
    store: jetstow.ObjectStore, target: jetstow.ObjectStore, raw: Client
) -> None:
    for name in "abc":
        await store.put(name, name.encode() * 10)
    await target.put("b", b"the last good one")
    await object_builder.change_metadata(raw, store.bucket, "b", digest="SHA-256=nonsense")
    report = await jetstow.mirror(store, target)
    (error,) = report.failed
    assert isinstance(error, DigestMismatchError)
    assert (error.bucket, error.name, report.copied) == (store.bucket, "b", ["a", "c"])
    assert (await target.get("b")).data == b"the last good one"
    assert len(await raw_stream.chunks(raw, target.bucket)) == 3


async def test_what_nobody_can_read_is_not_taken_for_deleted(
    store: jetstow.ObjectStore,
    target: jetstow.ObjectStore,
    raw: Client,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A listing passes over bad metadata: --delete would have removed the good copy."""
    await store.put("a", b"x")
    await jetstow.mirror(store, target)
    await raw_stream.write_metadata(raw, store.bucket, "a", b"no JSON")
    with caplog.at_level(logging.CRITICAL, "jetstow"):
        report = await jetstow.mirror(store, target, delete=True)
    assert (report.removed, [error.name for error in report.failed]) == ([], ["a"])
    assert (await target.get("a")).data == b"x"


async def test_an_object_without_a_digest(
    store: jetstow.ObjectStore, target: jetstow.ObjectStore, raw: Client
) -> None:
    await object_builder.write_object(raw, store.bucket, "a", [b"xyz"], digest=None)
    for _ in range(2):  # nobody can tell whether it is the same
        assert (await jetstow.mirror(store, target)).copied == ["a"]
    digest = (await target.get_info("a")).digest or ""
    written = digest.replace("SHA-256", "sha-256").rstrip("=").replace("-", "+")
    await object_builder.change_metadata(
        raw, store.bucket, "a", digest=written.replace("sha+256", "sha-256").replace("_", "/")
    )
    assert (await jetstow.mirror(store, target)).unchanged == ["a"]


async def test_one_that_was_cancelled_goes_on(
    store: jetstow.ObjectStore, target: jetstow.ObjectStore, raw: Client
) -> None:
    await store.put("0", b"x")
    for number in range(6):
        await store.put(f"large {number}", some_bytes(3_000_000, number))
    begun = asyncio.Event()

    def tell(done: int, _size: int | None) -> None:
        if done > 4_000_000:
            begun.set()

    task = asyncio.create_task(jetstow.mirror(store, target, progress=tell))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    infos = await target.list()
    assert (await raw_stream.chunks(raw, target.bucket)).keys() == {info.nuid for info in infos}
    report = await jetstow.mirror(store, target)
    assert sorted(report.unchanged) == sorted(info.name for info in infos)
    assert await contents(target) == await contents(store)


async def test_what_concerns_all_is_raised_at_once(
    store: jetstow.ObjectStore, target: jetstow.ObjectStore
) -> None:
    for number in range(40):
        await store.put(f"{number}", b"x")
    await target.seal()
    with pytest.raises(BucketSealedError):
        await jetstow.mirror(store, target)


async def test_a_server_that_goes_away(store: jetstow.ObjectStore, bucket: str) -> None:
    await store.put("a", some_bytes(5_000_000))
    with NatsServer() as server:
        nc = await jetstow.connect(server.url, allow_reconnect=False)
        target = await nc.jetstream(timeout=1).create_object_store(bucket)
        stopped = False

        def stop(done: int, _size: int | None) -> None:
            nonlocal stopped
            if not stopped:
                stopped = True
                server.kill()

        with pytest.raises(JetstowError) as caught:
            await jetstow.mirror(store, target, progress=stop)
        assert isinstance(caught.value, ConnectionError | TimeoutError)
        await nc.close()
