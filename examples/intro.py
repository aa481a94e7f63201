"""A tour of jetstow: store, describe, list, read, watch, delete.

    pip install .
    python examples/intro.py

It needs no server: jetstow starts its own unless one is named in `NATS_URL` or by the selected
context of the `nats` command line.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import secrets

import jetstow
from jetstow.errors import BucketExistsError

BUCKET = "configs"
TEN_MB = bytes(10_000_000)
READ_SIZE = 128 * 1024


async def main() -> None:
    # The client is a nats-py client, with all its methods.
    async with jetstow.connect() as nc:
        await tour(nc)


async def tour(nc: jetstow.Client) -> None:
    js = nc.jetstream()
    store = await create_bucket(js)
    try:
        await store_and_read(nc, store)
        await watch_changes(store)
        await read_into_buffer(store)
    finally:
        # This deletes the bucket and all its objects, forever.
        await js.delete_object_store(store.bucket)
        print(f"deleted bucket {store.bucket}")


async def create_bucket(js: jetstow.JetStreamContext) -> jetstow.ObjectStore:
    # Creating a bucket that exists with the same configuration opens it. This tour deletes its
    # bucket at the end, so it must not open another one: its description is unique.
    description = f"a tour of jetstow, {secrets.token_hex(8)}"
    try:
        return await js.create_object_store(BUCKET, description=description)
    except BucketExistsError:
        name = f"{BUCKET}-{secrets.token_hex(3)}"
        return await js.create_object_store(name, description=description)


async def store_and_read(nc: jetstow.Client, store: jetstow.ObjectStore) -> None:
    status = await store.status()
    print(f"bucket {status.bucket} holds {status.size} bytes")

    # An object is bytes under a name ...
    info = await store.put("a", TEN_MB)
    print(f"stored {info.name}: {info.size} bytes")

    # ... with metadata, which can change without the bytes.
    info = await store.put("b", TEN_MB, description="large data")
    print(f"stored {info.name}: {info.size} bytes, {info.description!r}")
    meta = info.meta
    meta.description = "still large data"
    info = await store.update_meta("b", meta)
    print(f"{info.name} is now described as {info.description!r}")

    objects = await store.list()
    print(f"bucket {store.bucket} has {len(objects)} objects")

    # A read verifies the bytes against the SHA-256 digest in the metadata.
    result = await store.get("b")
    print(f"read {result.info.name}: {len(result.data)} bytes")

    # The size of a message is limited. An object is stored as many messages (chunks).
    print(f"one message may have {nc.max_payload} bytes")


async def watch_changes(store: jetstow.ObjectStore) -> None:
    # A watcher yields the objects that exist, then None, then each change as it happens.
    async with store.watch() as watcher:
        async for info in watcher:
            if info is None:
                break
            print_change(store, info)

        await store.delete("a")
        print_change(store, await watcher.updates())

        # A file or any other object with a read() is read while it is stored.
        source = io.BytesIO(TEN_MB)
        info = await store.put("c", source, description="from a buffer")
        print(f"stored {info.name}: {info.size} bytes, {info.description!r}")
        print_change(store, await watcher.updates())


def print_change(store: jetstow.ObjectStore, info: jetstow.ObjectInfo | None) -> None:
    if info is not None:
        event = "deleted" if info.deleted else "updated"
        print(f"{store.bucket} changed - {info.name} was {event}")


async def read_into_buffer(store: jetstow.ObjectStore) -> None:
    # An object can be read into a file, or anything else with a write().
    buffer = io.BytesIO()
    result = await store.get("c", buffer)
    print(f"{result.info.name} has {result.info.size} bytes")

    buffer.seek(0)
    pieces = 0
    while buffer.read(READ_SIZE):
        pieces += 1
    print(f"read the buffer in {pieces} pieces")


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):  # in a pipe to `head`, which reads the first lines
        asyncio.run(main())
