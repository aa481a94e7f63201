"""What a user writes with `jetstow`: type checkers accept it and infer these types."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta
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

    js = nc.jetstream(timeout=timedelta(seconds=3))
    assert_type(js, jetstow.JetStreamContext)
    store = await js.create_object_store("a", ttl=60, storage="memory", compression="s2")
    assert_type(store, jetstow.ObjectStore)
    assert_type(await js.object_store("a"), jetstow.ObjectStore)
    assert_type(await js.update_object_store("a", max_bytes=-1), jetstow.ObjectStore)
    assert_type(await js.object_store_names(), list[str])
    assert_type(await js.verify_object_stores(), list[VerifyResult])

    info = await store.put("a", b"data", progress=on_progress)
    assert_type(info, jetstow.ObjectInfo)
    assert_type(
        await store.update_meta("a", info.meta, expected_revision=info.revision), jetstow.ObjectInfo
    )
    assert_type(await store.get("a"), jetstow.ObjectResult)
    assert_type(await store.get_range("a", 0, 1), bytes)
    assert_type(await store.list(), list[jetstow.ObjectInfo])
    assert_type(await store.find("*"), list[jetstow.ObjectInfo])
    await arguments(store, info)
    async for found in store.list():
        assert_type(found, jetstow.ObjectInfo)
    assert_type(store.stream("a", 1, length=2), AsyncGenerator[bytes, None])
    assert_type(store.encrypted(bytes(32)), jetstow.ObjectStore)

    async with store.open("a") as default, store.open("a", "rb") as reader:
        assert_type(default, jetstow.ObjectReader)
        assert_type(reader, jetstow.ObjectReader)
        assert_type(await reader.read(), bytes)
    async with store.open("a", "wb", tags=["a"], ttl=60) as writer:
        assert_type(writer, jetstow.ObjectWriter)
    assert_type(await store.open("a", "wb"), jetstow.ObjectWriter)

    async with store.watch("a/", match=lambda info: info.deleted) as changes:
        assert_type(changes, jetstow.ObjectWatcher)
        async for change in changes:
            assert_type(change, jetstow.ObjectInfo | None)
    assert_type(await store.watch(), jetstow.ObjectWatcher)

    assert_type(await jetstow.backup(store, "a.tar"), jetstow.BackupResult)
    assert_type(await jetstow.upload_folder(".", store), jetstow.SyncResult)


async def arguments(store: jetstow.ObjectStore, info: jetstow.ObjectInfo) -> None:
    assert_type(await store.find(lambda info: info.size, prefix="a"), list[jetstow.ObjectInfo])
    assert_type(await store.list("a/", match="*.csv"), list[jetstow.ObjectInfo])
    headers = info.headers
    assert_type(headers, jetstow.ObjectHeaders | None)
    if headers is not None:
        assert_type(headers["a"], str)
        assert_type(headers.get("a"), str | None)
        assert_type(headers.get_all("a"), list[str])
    assert_type(info.sha256, str | None)
    hour = timedelta(hours=1)
    info = await store.put(
        "a", b"", description="d", content_type="a/b", tags={"a"}, headers={"a": "b"}, ttl=hour
    )
    await store.put("a", b"", headers={"a": ["b", "c"]}, metadata=info.metadata)
    assert_type((await store.get_file("a", "b", if_different=True)).written, bool)
    assert_type(await store.copy("a", "b", ttl=None), jetstow.ObjectInfo)
    assert_type(await store.copy("a", "b", ttl="keep"), jetstow.ObjectInfo)
    assert_type(await store.exists("a"), bool)
    assert_type(await store.delete_many([info, "b"]), jetstow.DeleteResult)
    await store.collect_garbage(grace=hour, deleted_for=7 * hour)
