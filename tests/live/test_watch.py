"""watch: what is there, then None, then every change, once and in order, until it is stopped."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import nats.errors
import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectWatcher
from jetstow._core.read import ordered_consumer
from jetstow.errors import (
    BucketNotFoundError,
    ConnectionLostError,
    TimeoutError,
    WatcherStoppedError,
)
from tests.support import raw_stream
from tests.support.servers import NatsServer

Told = tuple[str, bool] | None  # a name, and whether it is deleted


@pytest.fixture
async def watching(store: jetstow.ObjectStore) -> AsyncIterator[Callable[..., Any]]:
    """Starts watchers that are stopped when the test is over."""
    started: list[ObjectWatcher] = []

    async def start(*args: bool, **options: bool) -> ObjectWatcher:
        started.append(await store.watch(*args, **options))
        return started[-1]

    yield start
    for watcher in started:
        await watcher.stop()


async def told(watcher: ObjectWatcher, count: int) -> list[Told]:
    """The next changes."""
    found: list[Told] = []
    for _ in range(count):
        info = await watcher.updates(timeout=20)
        found.append(None if info is None else (info.name, bool(info.deleted)))
    return found


async def nothing_more(watcher: ObjectWatcher, store: jetstow.ObjectStore) -> None:
    """The next thing that is told is what happens now."""
    await store.put("now", b"x")
    assert await told(watcher, 1) == [("now", False)]


async def test_an_empty_bucket_has_nothing_and_the_mark(
    store: jetstow.ObjectStore, watching: Callable[..., Any]
) -> None:
    watcher = await watching()
    assert await told(watcher, 1) == [None]
    await nothing_more(watcher, store)


async def test_what_is_there_then_the_mark_then_what_happens(
    store: jetstow.ObjectStore, watching: Callable[..., Any]
) -> None:
    await store.put("a", b"x")
    await store.put("b", b"x")
    await store.put("a", b"again")
    await store.put("c", b"x")
    await store.delete("c")
    watcher = await watching()
    assert await told(watcher, 4) == [("b", False), ("a", False), ("c", True), None]
    await store.put("d", b"x")
    await store.update_meta("b", ObjectMeta(description="d"))
    await store.delete("a")
    await store.add_link("link", "d")
    expected = [("d", False), ("b", False), ("a", True), ("link", False)]
    assert await told(watcher, 4) == expected
    await nothing_more(watcher, store)


async def test_a_renamed_object_is_told_under_its_new_name(
    store: jetstow.ObjectStore, watching: Callable[..., Any]
) -> None:
    """Under its old one it is told of the new one and deleted, but only for a moment: who is
    slow does not see it."""
    await store.put("old", b"x")
    watcher = await watching(updates_only=True)
    await store.update_meta("old", ObjectMeta(name="new"))
    await store.put("now", b"x")
    found = await told(watcher, 1)
    while found[-1] != ("now", False):
        found += await told(watcher, 1)
    assert [each for each in found if each[0] != "old"] == [("new", False), ("now", False)]


async def test_what_is_told_is_what_get_info_knows(
    store: jetstow.ObjectStore, watching: Callable[..., Any]
) -> None:
    await store.put("a", b"x" * 300_000, ObjectMeta(description="d", metadata={"k": "v"}))
    watcher = await watching()
    assert await watcher.updates() == await store.get_info("a")
    assert await watcher.updates() is None
    await store.put("a", b"y")
    assert await watcher.updates() == await store.get_info("a")


async def test_updates_only(store: jetstow.ObjectStore, watching: Callable[..., Any]) -> None:
    await store.put("a", b"x")
    watcher = await watching(updates_only=True)
    await store.put("b", b"x")
    await store.delete("a")
    assert await told(watcher, 2) == [("b", False), ("a", True)], "and no mark"
    await nothing_more(watcher, store)


async def test_ignore_deletes(store: jetstow.ObjectStore, watching: Callable[..., Any]) -> None:
    await store.put("a", b"x")
    await store.put("b", b"x")
    await store.delete("a")
    watcher = await watching(ignore_deletes=True)
    assert await told(watcher, 2) == [("b", False), None]
    await store.delete("b")
    await nothing_more(watcher, store)


async def test_the_mark_comes_where_only_deleted_ones_are_there(
    store: jetstow.ObjectStore, watching: Callable[..., Any]
) -> None:
    await store.put("a", b"x")
    await store.delete("a")
    assert await told(await watching(ignore_deletes=True), 1) == [None]


async def test_history_is_every_message_kept(
    store: jetstow.ObjectStore, raw: Client, watching: Callable[..., Any]
) -> None:
    """A bucket keeps one a name, unless a client changes its metadata without a rollup."""
    await store.put("a", b"x")
    body = json.dumps(await raw_stream.metadata(raw, store.bucket, "a")).encode()
    await raw.request(raw_stream.meta_subject(store.bucket, "a"), body, timeout=5)
    await store.put("b", b"x")
    assert await told(await watching(include_history=True), 4) == [
        ("a", False), ("a", False), ("b", False), None,
    ]  # fmt: skip
    assert await told(await watching(), 3) == [("a", False), ("b", False), None]


async def test_the_arguments_stand_in_nats_pys_order(
    store: jetstow.ObjectStore, watching: Callable[..., Any]
) -> None:
    await store.put("a", b"x")
    await store.delete("a")
    await store.put("b", b"x")
    assert await told(await watching(True, False, True, False), 2) == [("b", False), None]
    watcher = await watching(False, False, False, True)
    await nothing_more(watcher, store)


async def test_a_watcher_is_iterated(store: jetstow.ObjectStore) -> None:
    await store.put("a", b"x")
    found = []
    async with await store.watch() as watcher:
        async for info in watcher:
            if info is None:
                await store.put("b", b"x")
                continue
            found.append(info.name)
            if info.name == "b":
                break
    assert found == ["a", "b"]
    with pytest.raises(WatcherStoppedError):
        await watcher.updates()


async def test_many_watchers_tell_the_same(
    store: jetstow.ObjectStore, watching: Callable[..., Any], js: jetstow.JetStreamContext
) -> None:
    watchers = [await watching() for _ in range(5)]
    for number in range(10):
        await store.put(f"object {number}", b"x")
    expected: list[Told] = [None, *((f"object {number}", False) for number in range(10))]
    for watcher in watchers:
        assert await told(watcher, 11) == expected


# -- its end -----------------------------------------------------------------------------------


async def test_patience_ends_with_a_timeout_and_the_watch_goes_on(
    store: jetstow.ObjectStore, watching: Callable[..., Any]
) -> None:
    watcher = await watching(updates_only=True)
    for timeout in (0.01, 0):
        with pytest.raises(TimeoutError) as caught:
            await watcher.updates(timeout)
        assert isinstance(caught.value, nats.errors.TimeoutError)
        assert caught.value.bucket == store.bucket
    await nothing_more(watcher, store)


async def test_no_timeout_waits_on(
    store: jetstow.ObjectStore, watching: Callable[..., Any]
) -> None:
    watcher = await watching(updates_only=True)
    waiting = asyncio.create_task(watcher.updates(None))
    await asyncio.sleep(0)
    await store.put("a", b"x")
    info = await waiting
    assert info.name == "a"


async def test_stop_lets_everybody_go_who_waits(store: jetstow.ObjectStore, raw: Client) -> None:
    watcher = await store.watch(updates_only=True)
    waiting = asyncio.create_task(watcher.updates(None))

    async def iterate() -> list[object]:
        return [info async for info in watcher]

    iterating = asyncio.create_task(iterate())
    await asyncio.sleep(0)
    await watcher.stop()
    with pytest.raises(WatcherStoppedError) as caught:
        await waiting
    assert caught.value.bucket == store.bucket
    assert await iterating == []
    assert await raw_stream.consumers(raw, store.bucket) == 0


async def test_stopped_twice_it_is_stopped(store: jetstow.ObjectStore, raw: Client) -> None:
    await store.put("a", b"x")
    watcher = await store.watch()
    await watcher.stop()
    await watcher.stop()
    with pytest.raises(WatcherStoppedError):
        await watcher.updates()
    assert [info async for info in watcher] == [], "nothing more, not even what had arrived"
    assert await raw_stream.consumers(raw, store.bucket) == 0


async def test_stop_waits_for_no_slow_user(store: jetstow.ObjectStore, raw: Client) -> None:
    for number in range(300):
        await raw.publish(raw_stream.meta_subject(store.bucket, f"n{number}"), b'{"nuid": "x"}')
    await raw_stream.write_metadata(raw, store.bucket, "last", {"nuid": "x"})
    watcher = await store.watch()
    assert (await watcher.updates()) is not None
    await watcher.stop()
    assert await raw_stream.consumers(raw, store.bucket) == 0


@pytest.fixture
def _lively(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heartbeats as often as the server can, so that their absence is noticed soon."""
    monkeypatch.setattr(ordered_consumer, "_HEARTBEAT", 0.2)
    monkeypatch.setattr(ordered_consumer, "_MAX_SILENCE", 0.6)


@pytest.mark.usefixtures("_lively")
async def test_a_bucket_that_is_deleted_ends_the_watch(
    store: jetstow.ObjectStore, js: jetstow.JetStreamContext, watching: Callable[..., Any]
) -> None:
    await store.put("a", b"x")
    watcher = await watching()
    assert await told(watcher, 2) == [("a", False), None]
    await js.delete_object_store(store.bucket)
    for _ in range(2):
        with pytest.raises(BucketNotFoundError) as caught:
            await watcher.updates(20)
        assert caught.value.bucket == store.bucket
    with pytest.raises(BucketNotFoundError):
        await anext(watcher)


async def test_a_bucket_that_is_not_there_is_not_watched(
    store: jetstow.ObjectStore, js: jetstow.JetStreamContext
) -> None:
    await js.delete_object_store(store.bucket)
    with pytest.raises(BucketNotFoundError):
        await store.watch()


async def test_a_connection_that_is_closed_ends_the_watch(
    store: jetstow.ObjectStore, server: NatsServer
) -> None:
    nc = await jetstow.connect(server.url)
    watcher = await (await nc.jetstream().object_store(store.bucket)).watch(updates_only=True)
    waiting = asyncio.create_task(watcher.updates(None))
    await asyncio.sleep(0)
    await nc.close()
    with pytest.raises(ConnectionLostError) as caught:
        await waiting
    assert caught.value.bucket == store.bucket
    await watcher.stop()


# -- who is slow, and what cannot be read -------------------------------------------------------


async def test_a_slow_user_misses_nothing(
    store: jetstow.ObjectStore, raw: Client, watching: Callable[..., Any]
) -> None:
    """More changes than wait for the user, and than the server sends unasked."""
    watcher = await watching(updates_only=True)
    names = [f"object {number}" for number in range(1_500)]
    padding = "d" * 200
    for name in names:
        body = f'{{"nuid": "x", "description": "{padding}"}}'.encode()
        await raw.publish(raw_stream.meta_subject(store.bucket, name), body)
    await raw.flush()
    assert await told(watcher, 1) == [(names[0], False)]
    for _ in range(100):
        await store.get_info(names[0])  # time goes by
    assert await told(watcher, 1_499) == [(name, False) for name in names[1:]]
    await nothing_more(watcher, store)


@pytest.mark.parametrize(
    "body", [b"", b"not JSON", b'{"nuid": "\xff"}', b'{"nuid": ">", "size": 1}'], ids=repr
)
async def test_bad_metadata_is_passed_over(
    store: jetstow.ObjectStore,
    raw: Client,
    watching: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
    body: bytes,
) -> None:
    with caplog.at_level(logging.WARNING, "jetstow"):
        await raw_stream.write_metadata(raw, store.bucket, "bad", body)
        watcher = await watching()
        assert await told(watcher, 1) == [None]
        await raw_stream.write_metadata(raw, store.bucket, "bad", body)
        await raw.request(f"$O.{store.bucket}.M.!!!", b'{"nuid": "x"}', timeout=5)
        await nothing_more(watcher, store)
    assert caplog.text.count("'bad'") == 2


@pytest.mark.usefixtures("_lively")
@pytest.mark.parametrize("status", ["100", "409"])
async def test_a_message_that_looks_like_the_servers_own_does_not_disturb(
    store: jetstow.ObjectStore, raw: Client, watching: Callable[..., Any], status: str
) -> None:
    """Empty and with a `Status`, it was obeyed, not counted, and missed ever after."""
    watcher = await watching()
    assert await told(watcher, 1) == [None]
    subject = raw_stream.meta_subject(store.bucket, "bad")
    headers = {"Status": status, "Nats-Last-Consumer": "77", "Nats-Consumer-Stalled": "x"}
    await raw.request(subject, b"", headers=headers, timeout=5)
    await store.put("a", b"x")
    await store.put("b", b"x")
    assert await told(watcher, 2) == [("a", False), ("b", False)]
