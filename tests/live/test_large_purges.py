"""Many chunks are purged in portions, so that other requests wait for one of these at most."""

from __future__ import annotations

import asyncio
import json
import logging
import math
from collections.abc import AsyncIterator
from typing import Any

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow._core.bucket import purge, stream
from jetstow._core.bucket.purge_request import Purged, request_purge
from jetstow._core.transport.inbox import Inbox
from jetstow.errors import TimeoutError
from tests.support import object_builder, raw_stream
from tests.support.purges import purges_ended

pytestmark = pytest.mark.one_path

PORTION = 100
CHUNKS = 450
SMALL_CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=1))
DATA = bytes(CHUNKS)


@pytest.fixture(autouse=True)
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purge, "MAX_PORTION_MESSAGES", PORTION)
    monkeypatch.setattr(purge, "MAX_PORTION_TIME", math.inf)


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The purge requests that are sent."""
    bodies: list[dict[str, Any]] = []
    publish = Inbox.publish

    def recording(inbox: Inbox, subject: str, payload: Any, *rest: Any) -> Any:
        if ".STREAM.PURGE." in subject:
            bodies.append(json.loads(payload))
        return publish(inbox, subject, payload, *rest)

    monkeypatch.setattr(Inbox, "publish", recording)
    return bodies


async def purged(store: jetstow.ObjectStore, raw: Client) -> dict[str, int]:
    """Wait for purges. Return the chunks that remain."""
    await purges_ended(store)
    return await raw_stream.chunks(raw, store.bucket)


async def test_delete(
    store: jetstow.ObjectStore, raw: Client, requests: list[dict[str, Any]]
) -> None:
    info = await store.put("a", DATA, SMALL_CHUNKS)
    await store.delete("a")
    assert await raw_stream.chunks(raw, store.bucket) == {}
    subject = raw_stream.chunk_subject(store.bucket, info.nuid)
    bounds = [350, 250, 150, 50]
    portions = [{"filter": subject, "keep": keep} for keep in bounds]
    assert requests == [*portions, {"filter": subject}]


async def test_replace(
    store: jetstow.ObjectStore, raw: Client, requests: list[dict[str, Any]]
) -> None:
    await store.put("a", DATA, SMALL_CHUNKS)
    info = await store.put("a", b"new")
    assert await purged(store, raw) == {info.nuid: 1}
    assert len(requests) == 5


async def test_failed_put(
    store: jetstow.ObjectStore, raw: Client, requests: list[dict[str, Any]]
) -> None:
    async def source() -> AsyncIterator[bytes]:
        yield DATA
        raise RuntimeError("the source")

    with pytest.raises(RuntimeError, match="the source"):
        await store.put("a", source(), SMALL_CHUNKS)
    assert await raw_stream.chunks(raw, store.bucket) == {}
    assert len(requests) == 5


async def test_collect_garbage(
    store: jetstow.ObjectStore, raw: Client, requests: list[dict[str, Any]]
) -> None:
    kept = await store.put("a", DATA, SMALL_CHUNKS)
    for count in (CHUNKS, 1, PORTION, CHUNKS):
        await object_builder.write_chunks(raw, store.bucket, [b"x"] * count)
    result = await store.collect_garbage(grace=0)
    assert (result.uploads, result.messages) == (4, 2 * CHUNKS + 1 + PORTION)
    assert await raw_stream.chunks(raw, store.bucket) == {kept.nuid: CHUNKS}
    assert len(requests) == 5 + 1 + 1 + 5
    assert sum("seq" in body for body in requests) == 4, "a later chunk is kept"


async def test_slow_disk(
    store: jetstow.ObjectStore,
    raw: Client,
    requests: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Smaller portions follow a slow one, down to an eighth."""
    monkeypatch.setattr(purge, "MAX_PORTION_TIME", 0.0)
    await store.put("a", DATA, SMALL_CHUNKS)
    await store.delete("a")
    assert await raw_stream.chunks(raw, store.bucket) == {}
    assert [body.get("keep") for body in requests[:4]] == [350, 300, 275, 263]
    assert requests[-1].get("keep") is None


async def test_chunks_among_those_of_another_object(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    pieces = [b"x"] * (PORTION + 1)
    nuids = ["first", "second"]
    for piece in pieces:
        for nuid in nuids:
            await object_builder.write_chunks(raw, store.bucket, [piece], nuid)
    body = {"name": "a", "bucket": store.bucket, "nuid": "first", "size": 101, "chunks": 101}
    await raw_stream.write_metadata(raw, store.bucket, "a", body)
    await store.delete("a")
    assert await raw_stream.chunks(raw, store.bucket) == {"second": PORTION + 1}


@pytest.mark.first_and_last_version
@pytest.mark.parametrize(("size", "chunks"), [(10**15, 10**12), (0, 10**12), (10**15, 101)])
async def test_metadata_with_wrong_numbers(
    store: jetstow.ObjectStore, raw: Client, size: int, chunks: int
) -> None:
    """The numbers of portions would come from the metadata of any client."""
    await object_builder.write_object(raw, store.bucket, "a", [b"x"] * 5, size=size, chunks=chunks)
    await store.delete("a")
    assert await raw_stream.chunks(raw, store.bucket) == {}


async def test_cancelled_delete(store: jetstow.ObjectStore, raw: Client) -> None:
    """It does not wait for the purge, which goes on."""
    begun = asyncio.Event()
    await store.put("a", DATA, SMALL_CHUNKS)
    deletion = asyncio.create_task(store.delete("a"))

    async def first_portion(*args: Any) -> Purged:
        begun.set()
        await asyncio.sleep(0)
        return await request_purge(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "request_purge", first_portion)
        await begun.wait()
        deletion.cancel()
        with pytest.raises(asyncio.CancelledError):
            await deletion
        assert await purged(store, raw) == {}


# -- a server that takes longer than the timeout -------------------------------------------


class SlowServer:
    """Purges of which the client gets no reply. Each removes `per_timeout` messages."""

    def __init__(self, per_timeout: int) -> None:
        self.per_timeout = per_timeout
        self.requests = 0

    async def __call__(self, api: Any, context: Any, name: str, body: dict[str, Any]) -> Purged:
        self.requests += 1
        keep = self._remaining - self.per_timeout if self.per_timeout else None
        if keep is not None and keep >= body.get("keep", 0):
            self._remaining = keep
            await request_purge(api, context, name, body | {"keep": keep} if keep else body)
        raise context.error(TimeoutError, "no reply")

    _remaining = CHUNKS


@pytest.mark.parametrize("per_timeout", [PORTION // 4, PORTION // 2])
async def test_slow_purge_that_makes_progress(
    store: jetstow.ObjectStore,
    raw: Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    per_timeout: int,
) -> None:
    """A purge of 8 GiB took longer than the timeout: a warning said that the chunks stay."""
    await store.put("a", DATA, SMALL_CHUNKS)
    monkeypatch.setattr(stream, "request_purge", SlowServer(per_timeout))
    await store.delete("a")
    assert await raw_stream.chunks(raw, store.bucket) == {}
    assert not caplog.records


async def test_purge_without_progress(
    store: jetstow.ObjectStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    info = await store.put("a", DATA, SMALL_CHUNKS)
    server = SlowServer(0)
    monkeypatch.setattr(stream, "request_purge", server)
    with caplog.at_level(logging.WARNING, "jetstow.write"):
        await store.delete("a")
    assert server.requests == 2
    assert f"unused chunks of object 'a' in bucket {store.bucket!r}" in caplog.text
    assert info.nuid in caplog.text
    monkeypatch.undo()
    assert (await store.collect_garbage(grace=0)).messages == CHUNKS


async def test_purge_below_the_first_sequence(store: jetstow.ObjectStore, raw: Client) -> None:
    """The server takes the sequence 1 as none, and purges everything."""
    info = await store.put("a", b"x")
    subject = raw_stream.chunk_subject(store.bucket, info.nuid)
    context = store._bucket.error_context()
    assert (await store._bucket.purge(context, subject, below=1)).count == 0
    assert await raw_stream.chunks(raw, store.bucket) == {info.nuid: 1}
