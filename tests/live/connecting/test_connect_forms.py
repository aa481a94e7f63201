"""The ways to use the result of `connect`: `await`, `async with`, a task, or not at all."""

from __future__ import annotations

import asyncio
import gc
import warnings

import pytest

import jetstow
from jetstow import _embedded
from jetstow.errors import NoServersError
from tests.support.servers import NatsServer, free_port


async def test_async_with(plain: NatsServer) -> None:
    async with jetstow.connect(plain.url) as nc:
        assert isinstance(nc, jetstow.Client)
        assert nc.is_connected
    assert nc.is_closed


async def test_await(plain: NatsServer) -> None:
    nc = await jetstow.connect(plain.url)
    assert nc.is_connected
    await nc.close()
    assert nc.is_closed


async def test_async_with_await(plain: NatsServer) -> None:
    async with await jetstow.connect(plain.url) as nc:
        assert nc.is_connected
    assert nc.is_closed


async def test_task_and_gather(plain: NatsServer) -> None:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(jetstow.connect(plain.url))
    first, second = await asyncio.gather(jetstow.connect(plain.url), jetstow.connect(plain.url))
    for nc in (task.result(), first, second):
        assert nc.is_connected
        await nc.close()


async def test_exception_in_the_block(plain: NatsServer) -> None:
    with pytest.raises(KeyError):
        async with jetstow.connect(plain.url) as nc:
            raise KeyError
    assert nc.is_closed


async def test_exception_during_connect() -> None:
    url = f"nats://127.0.0.1:{free_port()}"
    with pytest.raises(NoServersError, match="Connection refused"):
        await jetstow.connect(url)
    with pytest.raises(NoServersError, match="Connection refused"):
        async with jetstow.connect(url):
            pytest.fail("the block was entered")


async def test_cancelled_during_connect() -> None:
    async def enter() -> None:
        async with jetstow.connect():
            pytest.fail("the block was entered")

    task = asyncio.create_task(enter())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert _embedded.status() is None


async def test_never_awaited() -> None:
    """A coroutine that is not awaited warns. `connect` creates it when it is awaited."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        jetstow.connect()
        gc.collect()
    assert _embedded.status() is None


async def test_awaited_twice(plain: NatsServer) -> None:
    """As a coroutine, it does not connect a second time."""
    connecting = jetstow.connect(plain.url)
    async with connecting:
        with pytest.raises(RuntimeError, match="already awaited"):
            await connecting


async def test_watch_with_and_without_await(nc: jetstow.Client, bucket: str) -> None:
    store = await nc.jetstream().create_object_store(bucket)
    async with store.watch() as changes:
        assert isinstance(changes, jetstow.ObjectWatcher)
        assert await changes.updates() is None
    async with await store.watch() as changes:
        assert await changes.updates() is None
    watcher = await store.watch()
    assert await watcher.updates() is None
    await watcher.stop()
    store.watch()
    gc.collect()
    await nc.jetstream().delete_object_store(bucket)
    with pytest.raises(jetstow.errors.BucketNotFoundError):
        async with store.watch():
            pytest.fail("the block was entered")
