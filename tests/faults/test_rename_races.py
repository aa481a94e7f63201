"""Renames between the steps of another client's rename: no object is lost, no chunk is left."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow._core.write.metadata_publish import MetadataPublish
from jetstow.errors import ObjectAlreadyExists, ObjectNotFoundError, RevisionMismatchError
from tests.support import raw_stream
from tests.support.purges import purges_ended
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

pytestmark = pytest.mark.one_path

CUT = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=1000))
DATA, NEW = some_bytes(3_500), some_bytes(1_500, 1)
ROUNDS = 150

Change = Callable[[jetstow.ObjectStore], Awaitable[object]]


@pytest.fixture
async def other_js(server: NatsServer) -> AsyncIterator[jetstow.JetStreamContext]:
    """A JetStream context on another connection."""
    async with jetstow.connect(server.url) as nc:
        yield nc.jetstream()


async def check_chunks(store: jetstow.ObjectStore, raw: Client) -> dict[str, bytes]:
    """Check that each live object is whole and no chunk is left; return the objects' bytes."""
    live = {info.name: info for info in await store.list()}
    counts = {info.nuid: info.chunks for info in live.values()}
    assert await raw_stream.chunks(raw, store.bucket) == counts
    return {name: (await store.get(name)).data for name in live}


def call_before_message(
    patch: pytest.MonkeyPatch,
    store: jetstow.ObjectStore,
    number: int,
    hook: Callable[[], Awaitable[object]],
) -> None:
    """Call `hook` before the store changes the stream for the n-th time."""
    bucket: Any = store._bucket
    sent = 0

    def counting(send: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call_and_send(*args: Any, **kwargs: Any) -> Any:
            nonlocal sent
            if isinstance(args[0], MetadataPublish) and args[0]._stream is not bucket:
                return await send(*args)
            sent += 1
            if sent == number:
                await hook()
            return await send(*args, **kwargs)

        return call_and_send

    bucket.purge = counting(bucket.purge)
    patch.setattr(MetadataPublish, "_send", counting(MetadataPublish._send))


async def rename_with_change(
    store: jetstow.ObjectStore, other: jetstow.ObjectStore, change: Change, start: int, pause: int
) -> None:
    """Rename "a" to "b". Begin the change before message `start` of the rename.

    The change pauses before its own message `pause`, until the rename has ended; with 0 it is
    complete before the rename continues.
    """
    changing: list[asyncio.Task[None]] = []
    paused, ended = asyncio.Event(), asyncio.Event()

    async def pause_change() -> None:
        paused.set()
        await ended.wait()

    async def begin_change() -> None:
        changing.append(asyncio.create_task(_all(change(other))))
        waiting = asyncio.create_task(paused.wait())
        await asyncio.wait([waiting, *changing], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()

    with pytest.MonkeyPatch.context() as patch:
        call_before_message(patch, store, start, begin_change)
        call_before_message(patch, other, pause, pause_change)
        await _all(store.rename("a", "b"))
        ended.set()
        await asyncio.gather(*changing)


CHANGES: dict[str, Change] = {
    "rename a c": lambda store: store.rename("a", "c"),
    "rename a b": lambda store: store.rename("a", "b"),
    "rename b c": lambda store: store.rename("b", "c"),
    "rename b a": lambda store: store.rename("b", "a"),
    "rename a c, rename c a": lambda store: _all(store.rename("a", "c"), store.rename("c", "a")),
    "rename b c, rename c a": lambda store: _all(store.rename("b", "c"), store.rename("c", "a")),
    "describe a": lambda store: store.update_meta("a", ObjectMeta(description="new")),
    "describe b": lambda store: store.update_meta("b", ObjectMeta(description="new")),
    "put a": lambda store: store.put("a", NEW, CUT),
    "put b": lambda store: store.put("b", NEW, CUT),
    "delete a": lambda store: store.delete("a"),
    "delete b": lambda store: store.delete("b"),
    "delete b, put b": lambda store: _all(store.delete("b"), store.put("b", NEW, CUT)),
    "rename b c, put b": lambda store: _all(store.rename("b", "c"), store.put("b", NEW, CUT)),
    "rename a c, put a": lambda store: _all(store.rename("a", "c"), store.put("a", NEW, CUT)),
}


async def _all(*steps: Awaitable[object]) -> None:
    for step in steps:
        with suppress(ObjectNotFoundError, ObjectAlreadyExists):
            await step


@pytest.mark.parametrize("what", CHANGES)
async def test_change_between_the_messages_of_a_rename(
    js: jetstow.JetStreamContext,
    other_js: jetstow.JetStreamContext,
    bucket: str,
    raw: Client,
    what: str,
) -> None:
    """Two renames of one object each removed the name that the other one had published.

    "rename a c" that began before the third message of the rename, and continued after it, lost
    the object and left its chunks.
    """
    for start, pause in itertools.product(range(1, 4), range(4)):
        name = f"{bucket}-{start}-{pause}"
        store = await js.create_object_store(name, storage="memory")
        await store.put("a", DATA, CUT)
        other = await other_js.object_store(name)
        await rename_with_change(store, other, CHANGES[what], start, pause)
        await purges_ended(store, other)
        objects = await check_chunks(store, raw)
        if "delete" not in what and "put" not in what:
            assert list(objects.values()) == [DATA], (start, pause)
        assert list(objects.values()).count(DATA) <= 1, (start, pause)
        if what == "put b":
            assert objects["b"] == NEW
        await js.delete_object_store(name)


@pytest.mark.parametrize(("what", "messages"), [("describe a", (1, 2)), ("describe b", (3,))])
async def test_description_changed_during_a_rename(
    js: jetstow.JetStreamContext,
    other_js: jetstow.JetStreamContext,
    bucket: str,
    what: str,
    messages: tuple[int, ...],
) -> None:
    """The object is renamed when it is published as "b", in the second message."""
    store = await js.create_object_store(bucket)
    for start in range(1, 4):
        await store.put("a", DATA, CUT)
        mine, other = await js.object_store(bucket), await other_js.object_store(bucket)
        await rename_with_change(mine, other, CHANGES[what], start, 0)
        (info,) = await store.list()
        assert info.name == "b"
        assert info.description == ("new" if start in messages else None), start
        await store.delete("b")


async def test_expected_revision_during_a_rename(
    js: jetstow.JetStreamContext,
    other_js: jetstow.JetStreamContext,
    bucket: str,
    raw: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The claim of a rename changes the revision of the old name, but not the object."""
    store = await js.create_object_store(bucket)
    other = await other_js.object_store(bucket)

    async def use_new_name() -> None:
        await other.put("b", NEW, CUT)
        await other.delete("b")

    async def describe() -> None:
        await other.update_meta("a", ObjectMeta(description="new"))

    for start, hook in ((1, use_new_name), (2, use_new_name), (1, describe), (2, describe)):
        info = await store.put("a", DATA, CUT)
        mine = await js.object_store(bucket)
        call_before_message(monkeypatch, mine, start, hook)
        update = mine.update_meta("a", ObjectMeta(name="b"), expected_revision=info.revision)
        if hook is describe:
            with pytest.raises(RevisionMismatchError):
                await update
            assert (await store.get_info("a")).description == "new"
            assert await check_chunks(store, raw) == {"a": DATA}
        else:
            await update
            assert await check_chunks(store, raw) == {"b": DATA}
            await store.delete("b")


@pytest.mark.parametrize("verbs", ["put delete rename", "rename"])
async def test_three_names_from_three_connections(
    server: NatsServer, js: jetstow.JetStreamContext, bucket: str, raw: Client, verbs: str
) -> None:
    """16 chunks were left behind, and some renamed objects were lost."""
    seed = random.randrange(2**32)
    choose = random.Random(seed)
    store = await js.create_object_store(bucket, storage="memory")
    clients = [await jetstow.connect(server.url) for _ in range(3)]
    stores = [await nc.jetstream().object_store(bucket) for nc in clients]
    for number in range(ROUNDS):
        if not number % 10:
            await _all(*(store.put(name, NEW, CUT) for name in choose.sample("abc", 2)))
        before = len(await store.list())
        steps = [
            _step(each, choose, verbs) for each in stores for _ in range(choose.choice((1, 2)))
        ]
        await asyncio.gather(*map(_all, steps))
        await purges_ended(*stores)
        objects = await check_chunks(store, raw)
        assert verbs != "rename" or len(objects) == before, (seed, number)
    for nc in clients:
        await nc.close()


async def _step(store: jetstow.ObjectStore, choose: random.Random, verbs: str) -> None:
    verb, (name, new_name) = choose.choice(verbs.split()), choose.sample("abc", 2)
    for _ in range(choose.randrange(20)):
        await asyncio.sleep(0)
    if verb == "put":
        await store.put(name, DATA, CUT)
    elif verb == "delete":
        await store.delete(name)
    else:
        await store.rename(name, new_name)
