"""A watch continues after a reconnect: no update is lost or repeated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import nats
import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectWatcher
from jetstow.errors import BucketNotFoundError
from tests.support import raw_stream
from tests.support.servers import NatsServer


@pytest.fixture
async def own(server: NatsServer) -> AsyncIterator[NatsServer]:
    """A server of the same version that only this test uses, and may stop."""
    with NatsServer(server.version) as started:
        yield started


@pytest.fixture
async def store(own: NatsServer) -> AsyncIterator[jetstow.ObjectStore]:
    """A bucket on a connection that reconnects slowly."""

    async def quiet(_: Exception) -> None:
        """The connection is lost on purpose."""

    nc = await jetstow.connect(
        own.url, error_cb=quiet, reconnect_time_wait=0.2, max_reconnect_attempts=-1
    )
    yield await nc.jetstream().create_object_store("b")
    await nc.close()


async def write(nc: Client, *names: str) -> None:
    for name in names:
        await raw_stream.write_metadata(nc, "b", name, {"name": name, "nuid": "x"})


async def next_names(watcher: ObjectWatcher, count: int) -> list[str | None]:
    infos = [await watcher.updates(timeout=30) for _ in range(count)]
    return [None if info is None else info.name for info in infos]


@pytest.mark.parametrize("kill", [False, True], ids=["restarted", "killed"])
async def test_changes_around_a_restart(
    store: jetstow.ObjectStore, own: NatsServer, kill: bool
) -> None:
    raw = await nats.connect(own.url)
    await write(raw, "old 1", "old 2")
    watcher = await store.watch()
    assert await next_names(watcher, 3) == ["old 1", "old 2", None]
    await write(raw, "before 1", "before 2")
    assert await next_names(watcher, 1) == ["before 1"]
    await raw.close()

    own.restart(kill=kill)
    # The watcher has not reconnected yet.
    raw = await nats.connect(own.url)
    await write(raw, *(f"during {number}" for number in range(20)))
    assert await next_names(watcher, 21) == [
        "before 2",
        *(f"during {number}" for number in range(20)),
    ]
    await write(raw, "after")
    assert await next_names(watcher, 1) == ["after"], "without a second None"
    assert await raw_stream.consumer_count(raw, "b") == 1
    await watcher.stop()
    assert await raw_stream.consumer_count(raw, "b") == 0
    await raw.close()


async def test_restart_before_the_first_update(store: jetstow.ObjectStore, own: NatsServer) -> None:
    """It continues from the start of the watch, not from the first message or the reconnect."""
    await store.put("old", b"x")
    watcher = await store.watch(updates_only=True)
    own.restart()
    raw = await nats.connect(own.url)
    await write(raw, "during")
    assert await next_names(watcher, 1) == ["during"]
    await watcher.stop()
    await raw.close()


async def test_restart_during_the_current_objects(
    store: jetstow.ObjectStore, own: NatsServer
) -> None:
    raw = await nats.connect(own.url)
    names = [f"object {number}" for number in range(800)]
    for name in names:
        await raw.publish(raw_stream.meta_subject("b", name), b'{"nuid": "x"}')
    await write(raw, "last")
    watcher = await store.watch()
    assert await next_names(watcher, 5) == names[:5]
    await raw.close()
    own.restart()
    assert await next_names(watcher, 797) == [*names[5:], "last", None]
    await watcher.stop()


async def test_consumer_deleted_on_the_server(
    store: jetstow.ObjectStore, own: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jetstow._core.read import ordered_consumer

    monkeypatch.setattr(ordered_consumer, "_HEARTBEAT", 0.2)
    monkeypatch.setattr(ordered_consumer, "_MAX_SILENCE", 0.6)
    raw = await nats.connect(own.url)
    watcher = await store.watch()
    assert await next_names(watcher, 1) == [None]
    names = await raw_stream.request(raw, "CONSUMER.NAMES.OBJ_b")
    await raw_stream.request(raw, f"CONSUMER.DELETE.OBJ_b.{names['consumers'][0]}")
    await write(raw, "a", "b")
    assert await next_names(watcher, 2) == ["a", "b"]
    await watcher.stop()
    await raw.close()


@pytest.mark.parametrize("updates_only", [False, True])
async def test_bucket_recreated_during_the_watch(
    store: jetstow.ObjectStore, monkeypatch: pytest.MonkeyPatch, updates_only: bool
) -> None:
    """The watcher continued with the objects of the new bucket."""
    from jetstow._core.read import ordered_consumer

    monkeypatch.setattr(ordered_consumer, "_HEARTBEAT", 0.2)
    monkeypatch.setattr(ordered_consumer, "_MAX_SILENCE", 0.6)
    await store.put("old", b"x")
    watcher = await store.watch(updates_only=updates_only)
    assert (
        await next_names(watcher, 0 if updates_only else 2) == ["old", None][: 2 - 2 * updates_only]
    )
    js = jetstow.jetstream(store._js._nc)
    await js.delete_object_store("b")
    again = await js.create_object_store("b")
    await again.put("new", b"x")
    with pytest.raises(BucketNotFoundError, match="deleted, and created again at 2"):
        await watcher.updates(30)
    await watcher.stop()


async def test_bucket_recreated_while_disconnected(
    store: jetstow.ObjectStore, own: NatsServer
) -> None:
    watcher = await store.watch()
    assert await next_names(watcher, 1) == [None]
    own.restart()
    async with jetstow.connect(own.url) as nc:
        js = nc.jetstream()
        await js.delete_object_store("b")
        await (await js.create_object_store("b")).put("new", b"x")
    with pytest.raises(BucketNotFoundError):
        await watcher.updates(30)
    await watcher.stop()


async def test_restart_of_a_server_with_a_memory_bucket(
    store: jetstow.ObjectStore, own: NatsServer
) -> None:
    js = jetstow.jetstream(store._js._nc)
    memory = await js.create_object_store("m", storage="memory")
    await memory.put("a", b"x")
    watcher = await memory.watch()
    assert await next_names(watcher, 2) == ["a", None]
    own.restart()
    with pytest.raises(BucketNotFoundError):
        await watcher.updates(30)
    await watcher.stop()


async def test_stop_while_disconnected(store: jetstow.ObjectStore, own: NatsServer) -> None:
    """`stop` does not wait for the server and leaves no task. `close` after it raised the error of
    the dead socket and did not call the callback."""
    watcher = await store.watch()
    own.stop()
    while store._js._nc.is_connected:
        await asyncio.sleep(0.01)
    await watcher.stop()
    assert watcher._task is not None
    assert watcher._task.done()
