"""What a user writes with `jetstow.sync`: type checkers accept it and infer these types."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from typing import assert_type

import jetstow.sync as jetstow
from jetstow.types import BlockingConnectOptions, VerifyResult


def on_error(error: Exception) -> None:
    raise error


def on_progress(done: int, total: int | None) -> None:
    assert total is None or done <= total


def main() -> None:
    with jetstow.connect() as nc:
        assert_type(nc, jetstow.Client)
    options: BlockingConnectOptions = {"error_cb": on_error, "connect_timeout": 0.5}
    assert_type(jetstow.connect(["nats://127.0.0.1:4222"], **options), jetstow.Client)

    js = nc.jetstream(timeout=3)
    assert_type(js, jetstow.JetStreamContext)
    store = js.create_object_store("a", ttl=60, storage="memory", compression="s2")
    assert_type(store, jetstow.ObjectStore)
    assert_type(js.object_store("a"), jetstow.ObjectStore)
    assert_type(js.update_object_store("a", max_bytes=-1), jetstow.ObjectStore)
    assert_type(js.object_store_names(), list[str])
    assert_type(js.verify_object_stores(), list[VerifyResult])

    info = store.put("a", b"data", progress=on_progress)
    assert_type(info, jetstow.ObjectInfo)
    assert_type(
        store.update_meta("a", info.meta, expected_revision=info.revision), jetstow.ObjectInfo
    )
    assert_type(store.get("a"), jetstow.ObjectResult)
    assert_type(store.get_range("a", 0, 1), bytes)
    assert_type(store.list(), list[jetstow.ObjectInfo])
    assert_type(store.find("*"), list[jetstow.ObjectInfo])
    assert_type(store.find(lambda info: info.size, prefix="a"), list[jetstow.ObjectInfo])
    assert_type(store.list("a/", match="*.csv"), list[jetstow.ObjectInfo])
    assert_type(info.headers, jetstow.ObjectHeaders | None)
    hour = timedelta(hours=1)
    info = store.put(
        "a", b"", description="d", content_type="a/b", tags={"a"}, headers={"a": "b"}, ttl=hour
    )
    assert_type(store.get_file("a", "b", if_different=True).written, bool)
    assert_type(store.copy("a", "b", ttl=None), jetstow.ObjectInfo)
    assert_type(store.delete_many([info, "b"]), jetstow.DeleteResult)
    assert_type(store.stream("a", 1, length=2), Generator[bytes, None, None])
    assert_type(store.encrypted(bytes(32)), jetstow.ObjectStore)

    with store.open("a") as default, store.open("a", "rb") as reader:
        assert_type(default, jetstow.ObjectReader)
        assert_type(reader, jetstow.ObjectReader)
        assert_type(reader.read(), bytes)
    with store.open("a", "wb", tags=["a"], ttl=hour) as writer:
        assert_type(writer, jetstow.ObjectWriter)

    with store.watch("a/", match=lambda info: info.deleted) as changes:
        assert_type(changes, jetstow.ObjectWatcher)
        for change in changes:
            assert_type(change, jetstow.ObjectInfo | None)

    assert_type(jetstow.backup(store, "a.tar"), jetstow.BackupResult)
    assert_type(jetstow.upload_folder(".", store), jetstow.SyncResult)
