"""Mistakes with `jetstow`: type checkers report each line that is marked."""

from __future__ import annotations

import jetstow


def on_error(error: Exception) -> None:
    raise error


async def main(store: jetstow.ObjectStore, js: jetstow.JetStreamContext) -> None:
    await jetstow.conect()  # mistake
    await jetstow.connect(max_reconnect_attemps=1)  # mistake
    await jetstow.connect(server="nats://127.0.0.1:4222")  # mistake
    await jetstow.connect(error_cb=on_error)  # mistake
    await js.create_object_store("a", replica=1)  # mistake
    await js.create_object_store("a", storage="disk")  # mistake
    await js.update_object_store("a", max_byte=1)  # mistake
    await js.create_or_update_object_store("a", descripton="words")  # mistake
    await store.put("a", b"data", expected_revison=1)  # mistake
    await store.put("a", 7)  # mistake
    store.open("a", "r")  # mistake
    store.watch(update_only=True)  # mistake
    await store.list(False)  # mistake
    await store.find(match=7)  # mistake
    await store.put("a", b"data", headers={"a": 7})  # mistake
    await store.put("a", b"data", ttl="1h")  # mistake
    await store.copy("a", "b", ttl="same")  # mistake
    await store.delete_many([7])  # mistake
