"""Fast ingest: large objects go in batches where server and bucket have it, small ones do not."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator

import nats.js.client
import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow._core import ingest
from jetstow._core.batch import Batch
from jetstow._core.budget import Budget
from jetstow._core.stream import Stream
from jetstow.errors import BucketExistsError, InvalidOptionError, ServerError
from tests.support import underneath
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

DATA = some_bytes(3_000_000)
SMALL_CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10_000))
ALONE = ingest._ALONE
IN_BATCHES = [pytest.mark.min_server("2.14"), pytest.mark.not_on("windowed")]


def in_batches(test: object) -> object:
    """What only a server with fast ingest, and only that path, can show."""
    for mark in IN_BATCHES:
        test = mark(test)  # type: ignore[arg-type]
    return test


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[Batch]:
    """The batches that uploads begin."""
    found: list[Batch] = []

    def noted(*args: object) -> Batch:
        found.append(Batch(*args))  # type: ignore[arg-type]
        return found[-1]

    monkeypatch.setattr(ingest, "Batch", noted)
    return found


async def pieces(*between: object) -> AsyncIterator[bytes]:
    """The object in parts; between them something happens."""
    size = len(DATA) // (len(between) + 1) + 1
    for start, step in itertools.zip_longest(range(0, len(DATA), size), between):
        yield DATA[start : start + size]
        if step is not None:
            await step()  # type: ignore[operator]


async def check(store: jetstow.ObjectStore, raw: Client, info: jetstow.ObjectInfo) -> None:
    """The object is whole, and there is no chunk but its own."""
    assert (await store.get(info.name)).data == DATA
    assert await underneath.chunks(raw, store.bucket) == {info.nuid: info.chunks}


@pytest.mark.parametrize("chunk", [1_000, 10_000, 128 * 1024, 1024 * 1024])
async def test_large_objects_are_whole_on_every_server(
    store: jetstow.ObjectStore, raw: Client, chunk: int
) -> None:
    meta = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=chunk))
    info = await store.put("a", DATA, meta)
    assert info.chunks == -(-len(DATA) // chunk)
    await check(store, raw, info)


@in_batches
async def test_a_large_object_goes_in_a_batch_and_a_small_one_does_not(
    store: jetstow.ObjectStore, batches: list[Batch]
) -> None:
    await store.put("small", some_bytes(ALONE * 128 * 1024))
    assert not batches
    await store.put("large", some_bytes((ALONE + 1) * 128 * 1024))
    assert [batch.stored for batch in batches] == [1]


async def test_a_bucket_allows_it_where_the_server_can(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, server: NatsServer
) -> None:
    stream = (await js.object_store(store.bucket))._bucket
    assert bool(stream.config.get("allow_batched")) is server.at_least("2.14")


@in_batches
async def test_a_bucket_may_be_made_without_it_and_changed(
    js: jetstow.JetStreamContext, bucket: str, batches: list[Batch]
) -> None:
    """Then every client makes it again without complaint, and older servers read it."""
    store = await js.create_object_store(bucket, fast_ingest=False)
    await nats.js.client.JetStreamContext(js._nc).create_object_store(bucket)
    await store.put("a", DATA, SMALL_CHUNKS)
    assert not batches
    store = await js.update_object_store(bucket, fast_ingest=True)
    await store.put("a", DATA, SMALL_CHUNKS)
    assert batches
    store = await js.update_object_store(bucket, fast_ingest=False)
    assert not store._bucket.has_fast_ingest
    await js.delete_object_store(bucket)


async def test_an_older_server_refuses_it(
    js: jetstow.JetStreamContext, bucket: str, server: NatsServer
) -> None:
    if server.at_least("2.14"):
        store = await js.create_object_store(bucket, fast_ingest=True)
        assert store._bucket.config["allow_batched"]
    else:
        with pytest.raises(InvalidOptionError, match="is older"):
            await js.create_object_store(bucket, fast_ingest=True)
        store = await js.create_object_store(bucket, fast_ingest=False)
    await js.delete_object_store(bucket)


async def test_a_bucket_made_without_it_is_as_good(
    js: jetstow.JetStreamContext, bucket: str, raw: Client, batches: list[Batch]
) -> None:
    """As other clients make buckets, and as jetstow did."""
    subjects = [f"$O.{bucket}.C.>", f"$O.{bucket}.M.>"]
    config = {"name": f"OBJ_{bucket}", "subjects": subjects, "storage": "file", "discard": "new"}
    config |= {"allow_rollup_hdrs": True, "allow_direct": True, "max_bytes": 10**8}
    assert "error" not in await underneath.request(raw, f"STREAM.CREATE.OBJ_{bucket}", config)
    store = await js.create_object_store(bucket, max_bytes=10**8)
    await check(store, raw, await store.put("a", DATA, SMALL_CHUNKS))
    with pytest.raises(BucketExistsError):
        await js.create_object_store(bucket, max_bytes=10**9)
    store = await js.create_or_update_object_store(bucket, max_bytes=10**9)
    await check(store, raw, await store.put("a", DATA, SMALL_CHUNKS))
    assert not batches
    await js.delete_object_store(bucket)


async def test_a_bucket_that_is_there_stays_as_it_is(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore
) -> None:
    before = await underneath_config(js, store.bucket)
    await js.create_object_store(store.bucket)
    assert await underneath_config(js, store.bucket) == before
    with pytest.raises(BucketExistsError):
        await js.create_object_store(store.bucket, max_bytes=10**9)
    await js.update_object_store(store.bucket, description="d")
    changed = await underneath_config(js, store.bucket)
    assert changed.get("allow_batched") == before.get("allow_batched")


async def underneath_config(js: jetstow.JetStreamContext, bucket: str) -> dict[str, object]:
    return (await js.object_store(bucket))._bucket.config


# -- the pace ------------------------------------------------------------------------------


@in_batches
async def test_a_source_that_pauses_is_waited_for_without_a_batch(
    store: jetstow.ObjectStore,
    raw: Client,
    batches: list[Batch],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server forgets a batch after ten seconds; unacknowledged chunks keep others waiting."""
    monkeypatch.setattr(ingest, "_IDLE", 0.05)
    outbound = store._bucket.js.replies.outbound

    async def until_the_batch_is_over() -> None:
        while not (batches and batches[-1].is_over):
            await asyncio.sleep(0.01)
        assert not outbound._used, "who pauses holds no room"

    steps = [until_the_batch_is_over] * 2
    await check(store, raw, await store.put("a", pieces(*steps), SMALL_CHUNKS))
    assert len(batches) == 3
    assert sum(batch.stored for batch in batches) == 300 - 3 * ALONE


async def ended_by_another(raw: Client, bucket: str, batch: Batch) -> None:
    """What the server does by itself to a batch for which nothing comes for ten seconds."""
    while sum((await underneath.chunks(raw, bucket)).values()) < ALONE + batch.sent:
        await asyncio.sleep(0.01)
    inbox = raw.new_inbox()
    answers = await raw.subscribe(f"{inbox}.>")
    suffix = f".{batch.nuid}.8.fail.{batch.sent + 1}.3.$FI"
    (nuid,) = await underneath.chunks(raw, bucket)
    await raw.publish(underneath.chunk_subject(bucket, nuid), b"", inbox + suffix)
    await answers.next_msg(5)


@in_batches
@pytest.mark.parametrize("at", ["in the middle", "at the end"])
async def test_a_batch_that_the_server_forgot_is_sent_again(
    store: jetstow.ObjectStore,
    raw: Client,
    batches: list[Batch],
    monkeypatch: pytest.MonkeyPatch,
    at: str,
) -> None:
    """As after a program has kept its loop busy for longer than ten seconds."""

    async def pause() -> None:
        await ended_by_another(raw, store.bucket, batches[-1])
        monkeypatch.setattr(ingest, "_IDLE", 0.0)

    source = pieces(pause) if at == "in the middle" else last_and(pause)
    await check(store, raw, await store.put("a", source, SMALL_CHUNKS))


async def last_and(step: object) -> AsyncIterator[bytes]:
    yield DATA
    await step()  # type: ignore[operator]


@in_batches
async def test_a_batch_that_ends_half_way_is_gone_on_with(
    store: jetstow.ObjectStore, raw: Client, batches: list[Batch]
) -> None:
    async def lose() -> None:
        await ended_by_another(raw, store.bucket, batches[-1])

    await check(store, raw, await store.put("a", pieces(lose), SMALL_CHUNKS))


# -- many at once --------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [None, 200_000])
async def test_a_hundred_uploads_at_once(
    store: jetstow.ObjectStore, raw: Client, limit: int | None
) -> None:
    """They share the room on the way, and none waits for ever for what another one holds."""
    if limit is not None:
        store._bucket.js.replies.outbound = Budget(limit)
    objects = {f"object-{n}": some_bytes(300_000, n) for n in range(100)}
    infos = await asyncio.gather(
        *(store.put(name, data, SMALL_CHUNKS) for name, data in objects.items())
    )
    stored = {info.nuid: info.chunks for info in infos}
    assert await underneath.chunks(raw, store.bucket) == stored
    for name, data in objects.items():
        assert (await store.get(name)).data == data
    assert not store._bucket.js.replies.outbound._used


@in_batches
async def test_more_batches_than_the_server_takes(
    store: jetstow.ObjectStore, raw: Client, batches: list[Batch]
) -> None:
    inbox = raw.new_inbox()
    answers = await raw.subscribe(f"{inbox}.>")
    subject = underneath.chunk_subject(store.bucket, "others")
    for number in range(1_000):
        await raw.publish(subject, b"", f"{inbox}.other-{number}.1.fail.1.0.$FI")
    for _ in range(1_000):
        await answers.next_msg(5)
    info = await store.put("a", DATA, SMALL_CHUNKS)
    assert [batch.is_refused for batch in batches] == [True]
    assert (await store.get("a")).data == DATA
    chunks = await underneath.chunks(raw, store.bucket)
    assert chunks == {info.nuid: 300, "others": 1_000}


@in_batches
async def test_a_bucket_that_no_more_allows_it(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, raw: Client, batches: list[Batch]
) -> None:
    """Since it was opened, somebody has changed its configuration."""
    config = store._bucket.config | {"allow_batched": False}
    answer = await underneath.request(raw, f"STREAM.UPDATE.OBJ_{store.bucket}", config)
    assert "error" not in answer
    await check(store, raw, await store.put("a", DATA, SMALL_CHUNKS))
    assert [batch.is_refused for batch in batches] == [True]


@in_batches
async def test_cancelled_in_a_batch_nothing_stays(
    store: jetstow.ObjectStore, raw: Client, batches: list[Batch]
) -> None:
    half_way = asyncio.Event()

    async def for_ever() -> None:
        half_way.set()
        await asyncio.Event().wait()

    put = asyncio.create_task(store.put("a", pieces(for_ever), SMALL_CHUNKS))
    await half_way.wait()
    put.cancel()
    with pytest.raises(asyncio.CancelledError):
        await put
    assert len(batches) == 1
    assert await underneath.subjects(raw, store.bucket) == {}
    await check(store, raw, await store.put("a", DATA))
    assert not store._bucket.js.replies.outbound._used


# -- the name ------------------------------------------------------------------------------


async def test_the_name_is_looked_at_while_the_first_chunk_travels(
    store: jetstow.ObjectStore, raw: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One round trip less for every put: the look waits here until the chunk is there."""
    last = Stream.last

    async def late(stream: Stream, *args: object) -> object:
        while not await underneath.chunks(raw, store.bucket):
            await asyncio.sleep(0.01)
        return await last(stream, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Stream, "last", late)
    await store.put("a", b"small")
    monkeypatch.undo()
    assert (await store.get("a")).data == b"small"


async def test_a_name_that_cannot_be_read_ends_the_put(
    store: jetstow.ObjectStore, raw: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(stream: Stream, *_: object) -> object:
        raise ServerError("no")

    monkeypatch.setattr(Stream, "last", refused)

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield DATA

    with pytest.raises(ServerError):
        await store.put("a", endless(), SMALL_CHUNKS)
    assert await underneath.subjects(raw, store.bucket) == {}
