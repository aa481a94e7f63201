"""watch: current objects, then None, then every change once and in order, until `stop`."""

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

pytestmark = pytest.mark.every_version

Update = (
    tuple[str, bool] | None
)  # a name, and whether it is deleted; None after the current objects


@pytest.fixture
async def start_watch(store: jetstow.ObjectStore) -> AsyncIterator[Callable[..., Any]]:
    """Start watchers that the fixture stops after the test."""
    started: list[ObjectWatcher] = []

    async def start(prefix: str = "", **options: Any) -> ObjectWatcher:
        started.append(await store.watch(prefix, **options))
        return started[-1]

    yield start
    for watcher in started:
        await watcher.stop()


async def next_updates(watcher: ObjectWatcher, count: int) -> list[Update]:
    """Return the next updates."""
    found: list[Update] = []
    for _ in range(count):
        info = await watcher.updates(timeout=20)
        found.append(None if info is None else (info.name, bool(info.deleted)))
    return found


async def check_no_more_updates(watcher: ObjectWatcher, store: jetstow.ObjectStore) -> None:
    """Check that the next update is that of a new put."""
    await store.put("now", b"x")
    assert await next_updates(watcher, 1) == [("now", False)]


async def test_empty_bucket(store: jetstow.ObjectStore, start_watch: Callable[..., Any]) -> None:
    watcher = await start_watch()
    assert await next_updates(watcher, 1) == [None]
    await check_no_more_updates(watcher, store)


async def test_current_objects_then_none_then_changes(
    store: jetstow.ObjectStore, start_watch: Callable[..., Any]
) -> None:
    await store.put("a", b"x")
    await store.put("b", b"x")
    await store.put("a", b"again")
    await store.put("c", b"x")
    await store.delete("c")
    watcher = await start_watch()
    assert await next_updates(watcher, 4) == [("b", False), ("a", False), ("c", True), None]
    await store.put("d", b"x")
    await store.update_meta("b", ObjectMeta(description="d"))
    await store.delete("a")
    await store.add_link("link", "d")
    expected = [("d", False), ("b", False), ("a", True), ("link", False)]
    assert await next_updates(watcher, 4) == expected
    await check_no_more_updates(watcher, store)


async def test_rename_is_reported_under_the_new_name(
    store: jetstow.ObjectStore, start_watch: Callable[..., Any]
) -> None:
    """The messages under the old name exist for a moment only, and a slow watcher misses them."""
    await store.put("old", b"x")
    watcher = await start_watch(updates_only=True)
    await store.update_meta("old", ObjectMeta(name="new"))
    await store.put("now", b"x")
    found = await next_updates(watcher, 1)
    while found[-1] != ("now", False):
        found += await next_updates(watcher, 1)
    others = [each for each in found if each not in {("old", False), ("old", True)}]
    assert others == [("new", False), ("now", False)]


async def test_updates_equal_get_info(
    store: jetstow.ObjectStore, start_watch: Callable[..., Any]
) -> None:
    await store.put("a", b"x" * 300_000, ObjectMeta(description="d", metadata={"k": "v"}))
    watcher = await start_watch()
    assert await watcher.updates() == await store.get_info("a")
    assert await watcher.updates() is None
    await store.put("a", b"y")
    assert await watcher.updates() == await store.get_info("a")


async def test_updates_only(store: jetstow.ObjectStore, start_watch: Callable[..., Any]) -> None:
    await store.put("a", b"x")
    watcher = await start_watch(updates_only=True)
    await store.put("b", b"x")
    await store.delete("a")
    assert await next_updates(watcher, 2) == [("b", False), ("a", True)], "without None"
    await check_no_more_updates(watcher, store)


async def test_watch_of_a_selection(
    store: jetstow.ObjectStore, start_watch: Callable[..., Any]
) -> None:
    for name in ("logs/a.csv", "logs/b.txt", "c.csv"):
        await store.put(name, b"x")
    below = await start_watch("logs/")
    pattern = await start_watch("logs/", match="*.csv")
    function = await start_watch(match=lambda info: info.size > 1)
    assert await next_updates(below, 3) == [("logs/a.csv", False), ("logs/b.txt", False), None]
    assert await next_updates(pattern, 2) == [("logs/a.csv", False), None]
    assert await next_updates(function, 1) == [None]
    await store.put("c.csv", b"xx")
    await store.put("logs/d.txt", b"x")
    await store.delete("logs/a.csv")
    assert await next_updates(below, 2) == [("logs/d.txt", False), ("logs/a.csv", True)]
    assert await next_updates(pattern, 1) == [("logs/a.csv", True)]
    assert await next_updates(function, 1) == [("c.csv", False)]


async def test_watch_continues_after_an_error_of_its_function(
    store: jetstow.ObjectStore, start_watch: Callable[..., Any]
) -> None:
    watcher = await start_watch(match=lambda info: 1 / (info.size or 0), updates_only=True)
    await store.put("a", b"")
    await store.put("b", b"x")
    with pytest.raises(ZeroDivisionError):
        await watcher.updates()
    assert await next_updates(watcher, 1) == [("b", False)]


async def test_ignore_deletes(store: jetstow.ObjectStore, start_watch: Callable[..., Any]) -> None:
    await store.put("a", b"x")
    await store.put("b", b"x")
    await store.delete("a")
    watcher = await start_watch(ignore_deletes=True)
    assert await next_updates(watcher, 2) == [("b", False), None]
    await store.delete("b")
    await check_no_more_updates(watcher, store)


async def test_ignore_deletes_with_only_deleted_objects(
    store: jetstow.ObjectStore, start_watch: Callable[..., Any]
) -> None:
    await store.put("a", b"x")
    await store.delete("a")
    assert await next_updates(await start_watch(ignore_deletes=True), 1) == [None]


async def test_include_history(
    store: jetstow.ObjectStore, raw: Client, start_watch: Callable[..., Any]
) -> None:
    """A bucket keeps one message per name, unless a client publishes without a rollup."""
    await store.put("a", b"x")
    body = json.dumps(await raw_stream.metadata(raw, store.bucket, "a")).encode()
    await raw.request(raw_stream.meta_subject(store.bucket, "a"), body, timeout=5)
    await store.put("b", b"x")
    assert await next_updates(await start_watch(include_history=True), 4) == [
        ("a", False), ("a", False), ("b", False), None,
    ]  # fmt: skip
    assert await next_updates(await start_watch(), 3) == [("a", False), ("b", False), None]


async def test_positional_arguments_in_the_order_of_nats_py(
    store: jetstow.ObjectStore, start_watch: Callable[..., Any]
) -> None:
    await store.put("a", b"x")
    await store.delete("a")
    await store.put("b", b"x")
    assert await next_updates(await start_watch(ignore_deletes=True, meta_only=True), 2) == [
        ("b", False),
        None,
    ]
    watcher = await start_watch(updates_only=True)
    await check_no_more_updates(watcher, store)


async def test_iteration(store: jetstow.ObjectStore) -> None:
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


async def test_several_watchers_report_the_same(
    store: jetstow.ObjectStore, start_watch: Callable[..., Any], js: jetstow.JetStreamContext
) -> None:
    watchers = [await start_watch() for _ in range(5)]
    for number in range(10):
        await store.put(f"object {number}", b"x")
    expected: list[Update] = [None, *((f"object {number}", False) for number in range(10))]
    for watcher in watchers:
        assert await next_updates(watcher, 11) == expected


# -- timeout and end ---------------------------------------------------------------------


async def test_timeout_of_updates(
    store: jetstow.ObjectStore, start_watch: Callable[..., Any]
) -> None:
    watcher = await start_watch(updates_only=True)
    for timeout in (0.01, 0):
        with pytest.raises(TimeoutError) as caught:
            await watcher.updates(timeout)
        assert isinstance(caught.value, nats.errors.TimeoutError)
        assert caught.value.bucket == store.bucket
    await check_no_more_updates(watcher, store)


async def test_updates_without_a_timeout(
    store: jetstow.ObjectStore, start_watch: Callable[..., Any]
) -> None:
    watcher = await start_watch(updates_only=True)
    waiting = asyncio.create_task(watcher.updates(None))
    await asyncio.sleep(0)
    await store.put("a", b"x")
    info = await waiting
    assert info.name == "a"


async def test_stop_wakes_waiting_tasks(store: jetstow.ObjectStore, raw: Client) -> None:
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
    assert await raw_stream.consumer_count(raw, store.bucket) == 0


async def test_stop_twice(store: jetstow.ObjectStore, raw: Client) -> None:
    await store.put("a", b"x")
    watcher = await store.watch()
    await watcher.stop()
    await watcher.stop()
    with pytest.raises(WatcherStoppedError):
        await watcher.updates()
    assert [info async for info in watcher] == [], "no update, not even a buffered one"
    assert await raw_stream.consumer_count(raw, store.bucket) == 0


async def test_stop_with_unread_updates(store: jetstow.ObjectStore, raw: Client) -> None:
    for number in range(300):
        await raw.publish(raw_stream.meta_subject(store.bucket, f"n{number}"), b'{"nuid": "x"}')
    await raw_stream.write_metadata(raw, store.bucket, "last", {"nuid": "x"})
    watcher = await store.watch()
    assert (await watcher.updates()) is not None
    await watcher.stop()
    assert await raw_stream.consumer_count(raw, store.bucket) == 0


@pytest.fixture
def _fast_heartbeats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the shortest heartbeat interval, so that the client detects a lost consumer soon."""
    monkeypatch.setattr(ordered_consumer, "_HEARTBEAT", 0.2)
    monkeypatch.setattr(ordered_consumer, "_MAX_SILENCE", 0.6)


@pytest.mark.usefixtures("_fast_heartbeats")
async def test_bucket_deleted_during_the_watch(
    store: jetstow.ObjectStore, js: jetstow.JetStreamContext, start_watch: Callable[..., Any]
) -> None:
    await store.put("a", b"x")
    watcher = await start_watch()
    assert await next_updates(watcher, 2) == [("a", False), None]
    await js.delete_object_store(store.bucket)
    for _ in range(2):
        with pytest.raises(BucketNotFoundError) as caught:
            await watcher.updates(20)
        assert caught.value.bucket == store.bucket
    with pytest.raises(BucketNotFoundError):
        await anext(watcher)


async def test_missing_bucket(store: jetstow.ObjectStore, js: jetstow.JetStreamContext) -> None:
    await js.delete_object_store(store.bucket)
    with pytest.raises(BucketNotFoundError):
        await store.watch()


async def test_connection_closed_during_the_watch(
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


# -- slow watchers and unreadable metadata -----------------------------------------------


async def test_slow_consumer(
    store: jetstow.ObjectStore, raw: Client, start_watch: Callable[..., Any]
) -> None:
    """More changes than the watcher buffers, and than the server sends without flow control."""
    watcher = await start_watch(updates_only=True)
    names = [f"object {number}" for number in range(1_500)]
    padding = "d" * 200
    for name in names:
        body = f'{{"nuid": "x", "description": "{padding}"}}'.encode()
        await raw.publish(raw_stream.meta_subject(store.bucket, name), body)
    await raw.flush()
    assert await next_updates(watcher, 1) == [(names[0], False)]
    for _ in range(100):
        await store.get_info(names[0])  # let time pass
    assert await next_updates(watcher, 1_499) == [(name, False) for name in names[1:]]
    await check_no_more_updates(watcher, store)


@pytest.mark.parametrize(
    "body", [b"", b"not JSON", b'{"nuid": "\xff"}', b'{"nuid": ">", "size": 1}'], ids=repr
)
async def test_unreadable_metadata_is_skipped(
    store: jetstow.ObjectStore,
    raw: Client,
    start_watch: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
    body: bytes,
) -> None:
    with caplog.at_level(logging.WARNING, "jetstow"):
        await raw_stream.write_metadata(raw, store.bucket, "bad", body)
        watcher = await start_watch()
        assert await next_updates(watcher, 1) == [None]
        await raw_stream.write_metadata(raw, store.bucket, "bad", body)
        await raw.request(f"$O.{store.bucket}.M.!!!", b'{"nuid": "x"}', timeout=5)
        await check_no_more_updates(watcher, store)
    assert caplog.text.count("'bad'") == 2


@pytest.mark.usefixtures("_fast_heartbeats")
@pytest.mark.parametrize("status", ["100", "409"])
async def test_stored_status_header_is_not_obeyed(
    store: jetstow.ObjectStore, raw: Client, start_watch: Callable[..., Any], status: str
) -> None:
    """The client took an empty message with a `Status` header for a control message, did not count
    it, and reported a gap."""
    watcher = await start_watch()
    assert await next_updates(watcher, 1) == [None]
    subject = raw_stream.meta_subject(store.bucket, "bad")
    headers = {"Status": status, "Nats-Last-Consumer": "77", "Nats-Consumer-Stalled": "x"}
    await raw.request(subject, b"", headers=headers, timeout=5)
    await store.put("a", b"x")
    await store.put("b", b"x")
    assert await next_updates(watcher, 2) == [("a", False), ("b", False)]
