"""Mistakes with `jetstow.sync`: type checkers report each line that is marked."""

from __future__ import annotations

from collections.abc import AsyncIterable

import jetstow.sync as jetstow


def main(
    store: jetstow.ObjectStore, js: jetstow.JetStreamContext, source: AsyncIterable[bytes]
) -> None:
    jetstow.connect(max_reconnect_attemps=1)  # mistake
    jetstow.connect(server="nats://127.0.0.1:4222")  # mistake
    js.create_object_store("a", replica=1)  # mistake
    js.create_object_store("a", storage="disk")  # mistake
    js.update_object_store("a", max_byte=1)  # mistake
    js.create_or_update_object_store("a", descripton="words")  # mistake
    store.put("a", b"data", expected_revison=1)  # mistake
    store.put("a", source)  # mistake
    store.open("a", "r")  # mistake
    store.watch(update_only=True)  # mistake
    store.list(False)  # mistake
    store.find(match=7)  # mistake
    store.put("a", b"data", headers={"a": 7})  # mistake
    store.put("a", b"data", ttl="1h")  # mistake
    store.copy("a", "b", ttl="same")  # mistake
    store.delete_many([7])  # mistake
