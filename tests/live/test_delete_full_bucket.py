"""delete in a bucket that has reached its `max_bytes`, and delete markers that fill a bucket."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from nats.aio.client import Client

import jetstow
from jetstow._core.bucket.purge_request import Purged
from jetstow._core.bucket.stream import Stream
from jetstow._core.write.metadata_publish import MetadataPublish
from jetstow.errors import (
    BucketFullError,
    ConnectionLostError,
    ObjectDeletedError,
    ObjectNotFoundError,
    RevisionMismatchError,
)
from tests.support import raw_stream
from tests.support.samples import some_bytes

pytestmark = [pytest.mark.one_path, pytest.mark.usefixtures("delete_bucket")]

MAX_BYTES = 200_000
FILLER = "filler"
# Bytes that a server counts for a message, besides the subject, headers and data.
MESSAGE_OVERHEAD = 30


@pytest.fixture
async def small(js: jetstow.JetStreamContext, bucket: str) -> jetstow.ObjectStore:
    """A bucket with a small limit."""
    return await js.create_object_store(bucket, max_bytes=MAX_BYTES)


@pytest.fixture
async def full(small: jetstow.ObjectStore, raw: Client) -> jetstow.ObjectStore:
    """A full bucket: the object "a" has 100 bytes, "empty" has none, "link" is a link to "a"."""
    await small.put("a", some_bytes(100))
    await small.put("empty", b"")
    await small.add_link("link", "a")
    await small.put("large", some_bytes(10_000))
    for number in range(10):
        await small.put(f"{number}", b"x")
    await fill(raw, small.bucket)
    return small


async def fill(raw: Client, bucket: str) -> None:
    """Publish one chunk so that less than 100 bytes are free: a marker needs more."""
    subject = raw_stream.chunk_subject(bucket, FILLER)
    state = (await raw_stream.request(raw, f"STREAM.INFO.OBJ_{bucket}"))["state"]
    size = MAX_BYTES - state["bytes"] - len(subject) - MESSAGE_OVERHEAD - 20
    if size >= 0:
        assert "error" not in json.loads((await raw.request(subject, b"x" * size, timeout=20)).data)


async def chunks(raw: Client, bucket: str) -> dict[str, int]:
    """Return the numbers of chunks by NUID, without those of `fill`."""
    counts = await raw_stream.chunks(raw, bucket)
    counts.pop(FILLER, None)
    return counts


@pytest.fixture
def before_purge(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Awaitable[Any]]], None]:
    """Run a function before the next purge."""
    purge = Stream.purge

    def run(change: Callable[[], Awaitable[Any]]) -> None:
        async def change_and_purge(*args: Any, **kwargs: Any) -> Purged:
            monkeypatch.setattr(Stream, "purge", purge)
            await change()
            return await purge(*args, **kwargs)

        monkeypatch.setattr(Stream, "purge", change_and_purge)

    return run


async def test_last_object_in_a_bucket_full_of_delete_markers(
    small: jetstow.ObjectStore, raw: Client
) -> None:
    """The server refused the delete marker, and so the delete."""
    # Server 2.9 ignores the overhead of a message when it checks the limit, and then removes the
    # oldest messages.
    for _ in range(20):
        await raw.request(raw_stream.chunk_subject(small.bucket, FILLER), b"", timeout=20)
    await small.put("last", b"data")
    with suppress(BucketFullError):
        for number in itertools.count():
            await small.put(f"{number}", b"")
            await small.delete(f"{number}")
    await fill(raw, small.bucket)
    for info in await small.list():
        await small.delete(info.name)
    assert await small.list() == []
    assert await chunks(raw, small.bucket) == {}
    with pytest.raises(ObjectDeletedError):
        await small.get("last")


async def test_delete_that_keeps_the_chunks(full: jetstow.ObjectStore, raw: Client) -> None:
    info = await full.get_info("a")
    assert await full.delete("a", keep_replaced=True) == info
    assert not await full.exists("a")
    assert info.nuid in await raw_stream.chunks(raw, full.bucket)


async def test_delete_of_all_objects(full: jetstow.ObjectStore, raw: Client) -> None:
    await full.delete("link")
    await full.delete("empty")
    infos = await full.list()
    for info in infos:
        await full.delete(info.name)
        with pytest.raises(ObjectNotFoundError):
            await full.delete(info.name)
    assert len(infos) == 12
    assert await full.list() == []
    assert await chunks(raw, full.bucket) == {}


async def test_delete_marker_follows_the_purge(full: jetstow.ObjectStore, raw: Client) -> None:
    put = await full.get_info("a")
    await full.delete("a", expected_revision=put.revision)
    info = await full.get_info("a", show_deleted=True)
    assert (info.deleted, info.nuid) == (True, put.nuid)
    assert put.nuid not in await chunks(raw, full.bucket)


async def test_delete_without_space_for_the_marker(
    full: jetstow.ObjectStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Another client uses the space that the purge freed."""

    async def fail_markers(publish: MetadataPublish) -> int:
        raise publish._context.error(BucketFullError, "no space")

    monkeypatch.setattr(MetadataPublish, "revision", fail_markers)
    with caplog.at_level(logging.WARNING, "jetstow.write"):
        await full.delete("a")
    assert "was deleted without a delete marker: no space" in caplog.text
    with pytest.raises(ObjectNotFoundError) as caught:
        await full.get_info("a")
    assert not isinstance(caught.value, ObjectDeletedError)


@pytest.mark.parametrize("expect", [True, False])
async def test_concurrent_put_of_the_same_name(
    full: jetstow.ObjectStore, before_purge: Callable[..., None], expect: bool
) -> None:
    """A put between the refused marker and the purge: its object is kept, or deleted as a whole."""
    old = await full.get_info("a")
    new = some_bytes(50)

    async def put() -> None:
        await full.delete("large")
        await full.put("a", new)

    before_purge(put)
    if expect:
        with pytest.raises(RevisionMismatchError):
            await full.delete("a", expected_revision=old.revision)
        assert (await full.get("a")).data == new
    else:
        await full.delete("a")
        with pytest.raises(ObjectDeletedError):
            await full.get("a")
    assert (await full.verify()).ok is expect  # "link" is a link to "a"


async def test_concurrent_rename(
    full: jetstow.ObjectStore, before_purge: Callable[..., None]
) -> None:
    """A rename between the refused marker and the purge: the new name keeps the chunks."""

    async def rename() -> None:
        await full.delete("large")
        await full.update_meta("a", jetstow.ObjectMeta(name="b"))

    before_purge(rename)
    with pytest.raises(ObjectNotFoundError):
        await full.delete("a")
    assert (await full.get("b")).data == some_bytes(100)


async def test_lost_reply_to_the_purge(
    full: jetstow.ObjectStore, raw: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The purge was sent again, purged nothing, and `delete` reported that there is no object."""
    api = full._bucket.api
    send_request = api.send_request
    lost: list[str] = []

    async def lose_one_reply(context: Any, subject: str, *args: Any) -> Any:
        reply = await send_request(context, subject, *args)
        if "STREAM.PURGE" in subject and not lost:
            lost.append(subject)
            raise context.error(ConnectionLostError, "the reply was lost")
        return reply

    monkeypatch.setattr(api, "send_request", lose_one_reply)
    await full.delete("large")
    assert lost
    with pytest.raises(ObjectDeletedError):
        await full.get("large")
    assert len(await chunks(raw, full.bucket)) == 11


async def test_rename_in_a_bucket_that_fills_up(
    small: jetstow.ObjectStore, raw: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server refused the delete marker: both names were left until `collect_garbage`."""
    put = await small.put("a", b"data")
    revision = MetadataPublish.revision

    async def fill_and_publish(publish: MetadataPublish) -> int:
        if b'"deleted":true' in publish.payload and publish._context.name == "a":
            await fill(raw, small.bucket)
        return await revision(publish)

    monkeypatch.setattr(MetadataPublish, "revision", fill_and_publish)
    assert (await small.rename("a", "b")).name == "b"
    assert await raw_stream.names(raw, small.bucket) == {"b": 1}
    assert (await small.get("b")).data == b"data"
    assert await chunks(raw, small.bucket) == {put.nuid: 1}


async def test_put_and_delete_of_new_names_with_garbage_collection(
    small: jetstow.ObjectStore,
) -> None:
    """Delete markers filled the bucket after 753 names."""
    await small.put("kept", b"data")
    for number in range(1_000):
        await small.put(f"{number}", b"x")
        await small.delete(f"{number}")
        if number % 500 == 499:
            assert (await small.collect_garbage(deleted_for=0)).markers == 500
    assert [info.name for info in await small.list(ignore_deletes=False)] == ["kept"]
    assert (await small.get("kept")).data == b"data"
