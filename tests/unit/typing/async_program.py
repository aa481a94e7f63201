"""What a user writes with `jetstow`: type checkers accept it and infer these types."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import assert_type

import jetstow
from jetstow.types import ConnectOptions, VerifyResult


async def on_error(error: Exception) -> None:
    raise error


def on_progress(done: int, total: int | None) -> None:
    assert total is None or done <= total


async def main() -> None:
    async with jetstow.connect() as nc:
        assert_type(nc, jetstow.Client)
    async with await jetstow.connect("nats://127.0.0.1:4222", name="me") as nc:
        assert_type(nc, jetstow.Client)
    options: ConnectOptions = {"error_cb": on_error, "connect_timeout": 0.5}
    assert_type(await jetstow.connect(["nats://127.0.0.1:4222"], **options), jetstow.Client)

    js = nc.jetstream(timeout=3)
    assert_type(js, jetstow.JetStreamContext)
    store = await js.create_object_store("a", ttl=60, storage="memory", compression="s2")
    assert_type(store, jetstow.ObjectStore)
    assert_type(await js.object_store("a"), jetstow.ObjectStore)
    assert_type(await js.update_object_store("a", max_bytes=-1), jetstow.ObjectStore)
    assert_type(await js.object_store_names(), list[str])
    assert_type(await js.verify_object_stores(), list[VerifyResult])

    info = await store.put("a", b"data", progress=on_progress)
    assert_type(info, jetstow.ObjectInfo)
    assert_type(await store.get("a"), jetstow.ObjectResult)
    assert_type(await store.get_range("a", 0, 1), bytes)
    assert_type(await store.list(), list[jetstow.ObjectInfo])
    assert_type(await store.find("*"), list[jetstow.ObjectInfo])
    async for found in store.list():
        assert_type(found, jetstow.ObjectInfo)
    assert_type(store.stream("a"), AsyncGenerator[bytes, None])
    assert_type(store.encrypted(bytes(32)), jetstow.ObjectStore)

    async with store.open("a") as default, store.open("a", "rb") as reader:
        assert_type(default, jetstow.ObjectReader)
        assert_type(reader, jetstow.ObjectReader)
        assert_type(await reader.read(), bytes)
    async with store.open("a", "wb") as writer:
        assert_type(writer, jetstow.ObjectWriter)
    assert_type(await store.open("a", "wb"), jetstow.ObjectWriter)

    async with store.watch() as changes:
        assert_type(changes, jetstow.ObjectWatcher)
        async for change in changes:
            assert_type(change, jetstow.ObjectInfo | None)
    assert_type(await store.watch(), jetstow.ObjectWatcher)

    assert_type(await jetstow.backup(store, "a.tar"), jetstow.BackupResult)
    assert_type(await jetstow.upload_folder(".", store), jetstow.SyncResult)
