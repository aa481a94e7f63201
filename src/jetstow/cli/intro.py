"""A tour of jetstow: store, describe, list, read, watch, delete.

    pip install jetstow
    python intro.py

Nothing has to run: where no NATS server is named (in `NATS_URL`, or by the selected context
of the `nats` command line), jetstow starts one of its own.
"""

from __future__ import annotations

import asyncio
import io
import secrets

import jetstow
from jetstow.errors import BucketExistsError

BUCKET = "configs"
TEN_MB = bytes(10_000_000)
PIECE = 128 * 1024


async def main() -> None:
    # This is a connection of nats-py, and can do all that one can.
    async with await jetstow.connect() as nc:
        await tour(nc)


async def tour(nc: jetstow.Client) -> None:
    js = nc.jetstream()
    store = await make_bucket(js)
    try:
        await store_and_read(nc, store)
        await follow_changes(store)
        await read_in_pieces(store)
    finally:
        # A bucket goes with everything in it, and does not come back.
        await js.delete_object_store(store.bucket)
        print(f"deleted bucket {store.bucket}")


async def make_bucket(js: jetstow.JetStreamContext) -> jetstow.ObjectStore:
    # Creating a bucket that is there already, just as it is, opens it. This tour deletes its
    # bucket in the end, so it wants a new one: a description like no other makes sure of that.
    mine = f"a tour of jetstow, {secrets.token_hex(8)}"
    try:
        return await js.create_object_store(BUCKET, description=mine)
    except BucketExistsError:
        name = f"{BUCKET}-{secrets.token_hex(3)}"
        return await js.create_object_store(name, description=mine)


async def store_and_read(nc: jetstow.Client, store: jetstow.ObjectStore) -> None:
    status = await store.status()
    print(f"bucket {status.bucket} holds {status.size} bytes")

    # An object is bytes under a name ...
    info = await store.put("a", TEN_MB)
    print(f"stored {info.name}: {info.size} bytes")

    # ... and what one wants to say of them, which can change without the bytes.
    info = await store.put("b", TEN_MB, jetstow.ObjectMeta(description="large data"))
    print(f"stored {info.name}: {info.size} bytes, {info.description!r}")
    meta = info.meta
    meta.description = "still large data"
    info = await store.update_meta("b", meta)
    print(f"{info.name} is now described as {info.description!r}")

    objects = await store.list()
    print(f"bucket {store.bucket} has {len(objects)} objects")

    # What comes back has been checked against the digest taken when it was stored.
    found = await store.get("b")
    print(f"read {found.info.name}: {len(found.data)} bytes")

    # A server takes messages of limited size. An object travels as many of them.
    print(f"one message may have {nc.max_payload} bytes")


async def follow_changes(store: jetstow.ObjectStore) -> None:
    # A watcher tells first what is there, then None, then every change when it happens.
    async with await store.watch() as watcher:
        async for change in watcher:
            if change is None:
                break
            tell(store, change)

        await store.delete("a")
        tell(store, await watcher.updates())

        # Anything with a read() can be stored; it is read as it is sent.
        source = io.BytesIO(TEN_MB)
        info = await store.put("c", source, jetstow.ObjectMeta(description="from a buffer"))
        print(f"stored {info.name}: {info.size} bytes, {info.description!r}")
        tell(store, await watcher.updates())


def tell(store: jetstow.ObjectStore, change: jetstow.ObjectInfo | None) -> None:
    if change is not None:
        what = "deleted" if change.deleted else "updated"
        print(f"{store.bucket} changed - {change.name} was {what}")


async def read_in_pieces(store: jetstow.ObjectStore) -> None:
    # An object can be written straight into a file, or anything else with a write().
    buffer = io.BytesIO()
    result = await store.get("c", buffer)
    print(f"{result.info.name} has {result.info.size} bytes")

    buffer.seek(0)
    while piece := buffer.read(PIECE):
        print(f"read {len(piece)} bytes")


if __name__ == "__main__":
    asyncio.run(main())
