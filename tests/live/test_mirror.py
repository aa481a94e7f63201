"""Mirrors: on the same server and between two, repeated, interrupted, with damaged objects."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import (
    BucketNotFoundError,
    BucketSealedError,
    DigestMismatchError,
    InvalidOptionError,
    JetstowError,
)
from tests.support import object_builder, raw_stream
from tests.support.samples import ASCII_NAMES, UNICODE_NAMES, some_bytes
from tests.support.servers import NatsServer

pytestmark = pytest.mark.one_path

META = ObjectMeta(
    description="a description",
    headers={"h": ["1", "2"]},
    metadata={"k": "ü"},
    options=ObjectMetaOptions(max_chunk_size=100_000),
)


@pytest.fixture(scope="module")
def other_server() -> Iterator[NatsServer]:
    """Another server with a smaller max_payload."""
    with NatsServer(config="max_payload: 65536") as server:
        yield server


@pytest.fixture
async def remote(other_server: NatsServer, bucket: str) -> AsyncIterator[jetstow.ObjectStore]:
    """A bucket with the same name on the other server."""
    async with await jetstow.connect(other_server.url) as nc:
        yield await nc.jetstream().create_object_store(bucket)


def content_of(info: jetstow.ObjectInfo) -> tuple[object, ...]:
    link = info.link and (info.link.bucket, info.link.name)
    meta = (info.description, info.headers, info.metadata)
    return (info.name, info.size, info.digest, link, *meta)


async def contents(store: jetstow.ObjectStore) -> list[tuple[object, ...]]:
    return sorted(map(content_of, await store.list()))


async def revisions(store: jetstow.ObjectStore) -> dict[str, int]:
    return {info.name: info.revision for info in await store.list()}


async def fill(store: jetstow.ObjectStore) -> None:
    for number, name in enumerate((*ASCII_NAMES, *UNICODE_NAMES)):
        await store.put(name, some_bytes(number * 50_000), META if number % 2 else None)
    await store.put("gone", b"x")
    await store.delete("gone")


async def test_first_and_second_mirror(
    store: jetstow.ObjectStore, target: jetstow.ObjectStore
) -> None:
    await fill(store)
    await store.add_link("link", "plain")
    await store.update_meta("link", ObjectMeta(description="a link"))
    await store.add_link("link out", jetstow.ObjectInfo(name="x", bucket="elsewhere", nuid=""))
    await store.add_bucket_link("bucket link", store.bucket)
    first = await jetstow.mirror(store, target)
    assert sorted(first.copied) == sorted(info.name for info in await store.list())
    assert (first.updated, first.unchanged, first.removed, first.failed) == ([], [], [], [])
    links = {info.name: info.link for info in await target.list() if info.link}
    assert links == {
        "link": jetstow.models.ObjectLink(target.bucket, "plain"),
        "link out": jetstow.models.ObjectLink("elsewhere", "x"),
        "bucket link": jetstow.models.ObjectLink(target.bucket),
    }
    for name in links:
        await store.delete(name)
    objects = [content for content in await contents(target) if content[0] not in links]
    assert objects == await contents(store)
    options = (await target.get_info("with a space")).options
    assert options is not None
    assert options.max_chunk_size == 100_000

    before = await revisions(target)
    second = await jetstow.mirror(store, target)
    assert (second.copied, second.updated, second.size) == ([], [], 0)
    assert sorted(second.unchanged) == sorted(before.keys() - links)
    assert await revisions(target) == before


async def test_only_differences_are_copied(
    store: jetstow.ObjectStore, target: jetstow.ObjectStore
) -> None:
    for name in ("same", "bytes", "metadata", "becomes a link", "was a link"):
        await store.put(name, name.encode(), META)
    await store.add_link("link", "same")
    await jetstow.mirror(store, target)
    nuid = (await target.get_info("metadata")).nuid
    await store.put("bytes", b"other", META)
    await store.update_meta("metadata", ObjectMeta(metadata={"k": "other"}))
    await store.add_link("link", "bytes")
    await store.delete("becomes a link")
    await store.add_link("becomes a link", "same")
    await target.delete("was a link")
    await target.add_link("was a link", "same")
    result = await jetstow.mirror(store, target)
    assert sorted(result.copied) == ["becomes a link", "bytes", "link", "was a link"]
    assert (result.updated, result.unchanged, result.failed) == (["metadata"], ["same"], [])
    assert result.size == len(b"other") + len(b"was a link")
    info = await target.get_info("metadata")
    assert (info.nuid, info.metadata, info.headers) == (nuid, {"k": "other"}, None)
    assert (await target.get("link")).data == b"other"
    assert (await target.get("becomes a link")).data == b"same"


async def test_names_that_the_source_does_not_have(
    store: jetstow.ObjectStore, target: jetstow.ObjectStore
) -> None:
    await store.put("deleted", b"x")
    await store.delete("deleted")
    for name in ("deleted", "theirs", "link"):
        await target.put(name, b"x")
    assert (await jetstow.mirror(store, target)).removed == []
    assert len(await target.list()) == 3
    result = await jetstow.mirror(store, target, delete=True, force=True)
    assert result.removed == ["deleted", "link", "theirs"]
    assert await target.list() == []


@pytest.mark.parametrize("dry_run", [False, True])
async def test_delete_with_an_empty_source(
    store: jetstow.ObjectStore, target: jetstow.ObjectStore, dry_run: bool
) -> None:
    """An empty source emptied the target."""
    assert (await jetstow.mirror(store, target, delete=True, dry_run=dry_run)).removed == []
    await target.put("a", b"x")
    await target.put("b", b"x")
    before = await revisions(target)
    with pytest.raises(InvalidOptionError, match=r"remove 2 objects .* force=True") as caught:
        await jetstow.mirror(store, target, delete=True, dry_run=dry_run)
    assert caught.value.bucket == target.bucket
    assert repr(store.bucket) in str(caught.value)
    assert (await jetstow.mirror(store, target, dry_run=dry_run)).removed == []
    assert await revisions(target) == before
    result = await jetstow.mirror(store, target, delete=True, force=True, dry_run=dry_run)
    assert result.removed == ["a", "b"]


@pytest.mark.parametrize("dry_run", [False, True])
async def test_max_delete(
    store: jetstow.ObjectStore, target: jetstow.ObjectStore, dry_run: bool
) -> None:
    await store.put("new", b"x")
    for name in "ab":
        await target.put(name, b"x")
    before = await revisions(target)
    with pytest.raises(InvalidOptionError, match=r"remove 2 objects .* max_delete \(1\)") as caught:
        await jetstow.mirror(store, target, delete=True, max_delete=1, force=True, dry_run=dry_run)
    assert caught.value.bucket == target.bucket
    assert await revisions(target) == before
    result = await jetstow.mirror(store, target, delete=True, max_delete=2, dry_run=dry_run)
    assert (result.copied, result.removed) == (["new"], ["a", "b"])
    with pytest.raises(InvalidOptionError, match="max_delete must be 0 or more, not -1"):
        await jetstow.mirror(store, target, delete=True, max_delete=-1)


async def test_missing_source_bucket(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, target: jetstow.ObjectStore
) -> None:
    await target.put("a", b"x")
    missing = await js.create_object_store(f"{store.bucket}-missing")
    await js.delete_object_store(missing.bucket)
    with pytest.raises(BucketNotFoundError, match=repr(missing.bucket)):
        await jetstow.mirror(missing, target, delete=True, force=True)
    assert (await target.get("a")).data == b"x"


async def test_dry_run_changes_nothing(
    store: jetstow.ObjectStore, target: jetstow.ObjectStore
) -> None:
    await store.put("a", b"xyz")
    await store.put("b", b"x", META)
    await target.put("b", b"x")
    await target.put("c", b"x")
    before = await revisions(target)
    result = await jetstow.mirror(store, target, delete=True, dry_run=True)
    assert (result.copied, result.updated, result.removed) == (["a"], ["b"], ["c"])
    assert result.size == 3
    assert await revisions(target) == before
    assert (await jetstow.mirror(store, None, dry_run=True)).copied == ["a", "b"]
    with pytest.raises(ValueError, match="target"):
        await jetstow.mirror(store, None)


async def test_mirror_to_a_server_with_a_smaller_max_payload(
    store: jetstow.ObjectStore, remote: jetstow.ObjectStore
) -> None:
    await fill(store)
    await store.put("large", some_bytes(2_000_000), META)
    await store.add_link("link", "plain")
    calls: list[tuple[int, int | None]] = []
    result = await jetstow.mirror(store, remote, progress=lambda *call: calls.append(call))
    assert result.failed == []
    assert calls[-1] == (result.size, result.size)
    assert await contents(remote) == await contents(store)
    assert (await remote.get("large")).data == some_bytes(2_000_000)
    second = await jetstow.mirror(store, remote)
    assert (second.copied, second.updated) == ([], [])
    reverse = await jetstow.mirror(remote, store, delete=True)
    assert (reverse.copied, reverse.updated, reverse.removed) == ([], [], [])


async def test_damaged_object_is_reported_and_keeps_its_copy(
    store: jetstow.ObjectStore, target: jetstow.ObjectStore, raw: Client
) -> None:
    for name in "abc":
        await store.put(name, name.encode() * 10)
    await target.put("b", b"the last good copy")
    await object_builder.change_metadata(raw, store.bucket, "b", digest="SHA-256=nonsense")
    result = await jetstow.mirror(store, target)
    (error,) = result.failed
    assert isinstance(error, DigestMismatchError)
    assert (error.bucket, error.name, result.copied) == (store.bucket, "b", ["a", "c"])
    assert (await target.get("b")).data == b"the last good copy"
    assert len(await raw_stream.chunks(raw, target.bucket)) == 3


async def test_copy_of_unreadable_object_is_not_removed(
    store: jetstow.ObjectStore,
    target: jetstow.ObjectStore,
    raw: Client,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A listing leaves out invalid metadata, so `delete` removed the last good copy."""
    await store.put("a", b"x")
    await store.put("b", b"x")
    await jetstow.mirror(store, target)
    await raw_stream.write_metadata(raw, store.bucket, "a", b"no JSON")
    with caplog.at_level(logging.CRITICAL, "jetstow"):
        result = await jetstow.mirror(store, target, delete=True)
    assert (result.removed, [error.name for error in result.failed]) == ([], ["a"])
    assert (await target.get("a")).data == b"x"


async def test_object_without_a_digest(
    store: jetstow.ObjectStore, target: jetstow.ObjectStore, raw: Client
) -> None:
    await object_builder.write_object(raw, store.bucket, "a", [b"xyz"], digest=None)
    for _ in range(2):  # without a digest it cannot be compared
        assert (await jetstow.mirror(store, target)).copied == ["a"]
    # The same digest as other clients write it: lower case, standard base64, no padding.
    digest = (await target.get_info("a")).digest or ""
    encoded = digest.removeprefix("SHA-256=").rstrip("=").replace("-", "+").replace("_", "/")
    await object_builder.change_metadata(raw, store.bucket, "a", digest=f"sha-256={encoded}")
    assert (await jetstow.mirror(store, target)).unchanged == ["a"]


async def test_mirror_after_a_cancelled_mirror(
    store: jetstow.ObjectStore, target: jetstow.ObjectStore, raw: Client
) -> None:
    await store.put("0", b"x")
    for number in range(6):
        await store.put(f"large {number}", some_bytes(3_000_000, number))
    started = asyncio.Event()

    def on_progress(done: int, _size: int | None) -> None:
        if done > 4_000_000:
            started.set()

    task = asyncio.create_task(jetstow.mirror(store, target, progress=on_progress))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    infos = await target.list()
    assert (await raw_stream.chunks(raw, target.bucket)).keys() == {info.nuid for info in infos}
    result = await jetstow.mirror(store, target)
    assert sorted(result.unchanged) == sorted(info.name for info in infos)
    assert await contents(target) == await contents(store)


async def test_sealed_target_raises(
    store: jetstow.ObjectStore, target: jetstow.ObjectStore
) -> None:
    for number in range(40):
        await store.put(f"{number}", b"x")
    await target.seal()
    with pytest.raises(BucketSealedError):
        await jetstow.mirror(store, target)


async def test_server_killed_during_the_mirror(store: jetstow.ObjectStore, bucket: str) -> None:
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
