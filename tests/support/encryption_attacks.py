"""A bucket with encrypted objects, and what a user without the key can do to them.

The keys of `REFUSED`, `WITHOUT_EFFECT` and `NOT_DETECTED` are the rows of the guide's table.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from nats.aio.client import Client
from nats.js import api

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from tests.support import raw_stream
from tests.support.object_builder import change_metadata, delete_chunks
from tests.support.read_ways import ReadWays
from tests.support.samples import some_bytes

KEY = secrets.token_bytes(32)
CHUNK = 1024
SMALL = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=CHUNK))
DATA = some_bytes(9_800)  # a last chunk of some 500 bytes
OTHER = some_bytes(9_800)[::-1]
HEADER = "Jetstow-Encryption"


@dataclass
class Bucket:
    """A bucket with the encrypted objects `a` and `b`, and a client without the key."""

    store: jetstow.ObjectStore
    js: jetstow.JetStreamContext
    raw: Client
    ways: ReadWays

    @property
    def vault(self) -> jetstow.ObjectStore:
        return self.store.encrypted(KEY)

    async def stored(self, name: str = "a") -> bytes:
        return (await self.store.as_stored().get(name)).data

    async def replace(self, data: bytes, headers: dict[str, Any] | None = None) -> None:
        """Put encrypted bytes in the place of `a`, by default with its header."""
        if headers is None:
            headers = (await self.store.get_info("a")).headers
        meta = ObjectMeta(headers=headers, options=SMALL.options)
        await self.store.as_stored().put("a", data, meta)

    async def change_header(self, old: str, new: str) -> None:
        headers = (await self.store.get_info("a")).headers
        assert headers is not None
        value = headers[HEADER]
        assert re.search(old, value)
        await self.change(headers={HEADER: [re.sub(old, new, value)]})

    async def change(self, **fields: object) -> None:
        await change_metadata(self.raw, self.store.bucket, "a", **fields)


Attack = Callable[[Bucket], Awaitable[None]]


async def change_byte(bucket: Bucket) -> None:
    stored = bytearray(await bucket.stored())
    stored[-200] ^= 1
    await bucket.replace(bytes(stored))


async def exchange_chunks(bucket: Bucket) -> None:
    stored = await bucket.stored()
    a, b = stored[CHUNK : 2 * CHUNK], stored[2 * CHUNK : 3 * CHUNK]
    await bucket.replace(stored[:CHUNK] + b + a + stored[3 * CHUNK :])


async def repeat_chunk(bucket: Bucket) -> None:
    stored = await bucket.stored()
    await bucket.replace(stored[: 2 * CHUNK] + stored[CHUNK:])


async def remove_chunk_of_the_object(bucket: Bucket) -> None:
    stored = await bucket.stored()
    await bucket.replace(stored[:CHUNK] + stored[2 * CHUNK :])


async def remove_last_chunk_of_the_stream(bucket: Bucket) -> None:
    info = await bucket.store.get_info("a")
    await delete_chunks(bucket.raw, bucket.store.bucket, info.nuid, -1)


async def cut_off_last_chunk(bucket: Bucket) -> None:
    stored = await bucket.stored()
    await bucket.replace(stored[: len(stored) // CHUNK * CHUNK])


async def cut_off_last_chunk_and_header(bucket: Bucket) -> None:
    stored = await bucket.stored()
    await bucket.replace(stored[: len(stored) // CHUNK * CHUNK], {})


async def cut_off_last_byte(bucket: Bucket) -> None:
    await bucket.replace((await bucket.stored())[:-1])


async def cut_off_all_but_a_few_bytes(bucket: Bucket) -> None:
    await bucket.replace((await bucket.stored())[:40])


async def append_bytes(bucket: Bucket) -> None:
    await bucket.replace(await bucket.stored() + b"x")


async def append_object(bucket: Bucket) -> None:
    await bucket.replace(await bucket.stored() + await bucket.stored("b"), {})


async def change_size(bucket: Bucket) -> None:
    await bucket.change(size=CHUNK * 5, chunks=5, digest=None)


async def change_size_without_header(bucket: Bucket) -> None:
    await bucket.change(size=CHUNK * 5, chunks=5, digest=None, headers=None)


async def put_plain_object(bucket: Bucket) -> None:
    await bucket.store.put("a", OTHER)


async def put_plain_object_with_metadata_of_the_original(bucket: Bucket) -> None:
    await bucket.replace(OTHER, {"X": ["y"]})


async def put_empty_object(bucket: Bucket) -> None:
    await bucket.store.put("a", b"")


async def add_plain_object(bucket: Bucket) -> None:
    await bucket.store.as_stored().delete("a")
    await bucket.store.put("a", OTHER)


async def mark_plain_object(bucket: Bucket) -> None:
    await bucket.replace(OTHER)


async def mark_plain_object_with_unsigned_header(bucket: Bucket) -> None:
    await bucket.replace(OTHER, {HEADER: [f"AES-256-GCM; chunk={CHUNK}"]})


async def exchange_objects(bucket: Bucket) -> None:
    plain = bucket.store.as_stored()
    await plain.rename("a", "c")
    await plain.rename("b", "a")
    await plain.rename("c", "b")


async def exchange_objects_without_headers(bucket: Bucket) -> None:
    await bucket.replace(await bucket.stored("b"), {})


async def exchange_objects_with_header_of_the_original(bucket: Bucket) -> None:
    await bucket.replace(await bucket.stored("b"))


async def exchange_chunks_of_objects(bucket: Bucket) -> None:
    """The metadata of `a`, its header included, with the chunks of `b`."""
    other = await raw_stream.metadata(bucket.raw, bucket.store.bucket, "b")
    await bucket.change(**{field: other[field] for field in ("nuid", "size", "chunks", "digest")})


async def rename_object(bucket: Bucket) -> None:
    plain = bucket.store.as_stored()
    await plain.delete("a")
    await plain.rename("b", "a")


async def replace_from_another_bucket(bucket: Bucket) -> None:
    other = await bucket.js.create_object_store(f"{bucket.store.bucket}-other")
    await other.encrypted(KEY).put("a", OTHER, SMALL)
    await other.as_stored().copy("a", to=bucket.store.as_stored())
    await bucket.js.delete_object_store(other.bucket)


async def replace_by_another_key(bucket: Bucket) -> None:
    await bucket.store.encrypted(bytes(32)).put("a", OTHER, SMALL)


async def replace_by_link(bucket: Bucket) -> None:
    await bucket.store.as_stored().delete("a")
    await bucket.store.add_link("a", "b")


async def change_target_of_link(bucket: Bucket) -> None:
    await bucket.vault.put("c", DATA, SMALL)
    await bucket.vault.delete("a")
    await bucket.vault.add_link("a", "c")
    link = {"bucket": bucket.store.bucket, "name": "b"}
    await bucket.change(options={"link": link})


async def remove_header(bucket: Bucket) -> None:
    theirs = await bucket.raw.jetstream().object_store(bucket.store.bucket)
    await theirs.update_meta("a", api.ObjectMeta(name="a"))


async def change_chunk_size_in_header(bucket: Bucket) -> None:
    await bucket.change_header(r"chunk=\d+", "chunk=2048")


async def shorten_header(bucket: Bucket) -> None:
    await bucket.change_header(r"chunk=.*", "chunk=4096")


async def change_size_in_header(bucket: Bucket) -> None:
    await bucket.change_header(r"size=\d+", "size=5")


async def change_chunk_size_in_metadata(bucket: Bucket) -> None:
    await bucket.change(options={"max_chunk_size": 2048})


async def restore_older_version(bucket: Bucket) -> None:
    older, header = await bucket.stored(), (await bucket.store.get_info("a")).headers
    await bucket.vault.put("a", OTHER, SMALL)
    await bucket.replace(older, header)


async def change_description(bucket: Bucket) -> None:
    await bucket.store.update_meta("a", ObjectMeta(description="forged", tags=["forged"]))


REFUSED: dict[str, list[Attack]] = {
    "changes a byte": [change_byte],
    "exchanges two chunks": [exchange_chunks],
    "repeats a chunk": [repeat_chunk],
    "removes a chunk": [remove_chunk_of_the_object, remove_last_chunk_of_the_stream],
    "cuts off the end": [
        cut_off_last_chunk, cut_off_last_chunk_and_header, cut_off_last_byte,
        cut_off_all_but_a_few_bytes,
    ],
    "appends bytes": [append_bytes, append_object],
    "changes the size or the number of chunks in the metadata": [
        change_size, change_size_without_header,
    ],
    "replaces the object by one that is not encrypted": [
        put_plain_object, put_plain_object_with_metadata_of_the_original, put_empty_object,
    ],
    "adds an object that is not encrypted": [add_plain_object],
    "marks an object that is not encrypted as encrypted": [
        mark_plain_object, mark_plain_object_with_unsigned_header,
    ],
    "replaces the object by another one of the same key": [
        exchange_objects, exchange_objects_without_headers,
        exchange_objects_with_header_of_the_original, exchange_chunks_of_objects,
    ],
    "renames the object": [rename_object],
    "replaces the object by the same name from another bucket of the same key": [
        replace_from_another_bucket,
    ],
    "replaces the object by one of another key": [replace_by_another_key],
    "replaces the object by a link to another one": [replace_by_link],
    "changes the target of a link": [change_target_of_link],
}  # fmt: skip
WITHOUT_EFFECT: dict[str, list[Attack]] = {
    "removes the header that marks the object as encrypted": [remove_header],
    "changes the chunk size in that header": [
        change_chunk_size_in_header, shorten_header, change_size_in_header,
    ],
}  # fmt: skip
NOT_DETECTED: dict[str, list[Attack]] = {
    "changes that header: the size in `list`, `find`, `watch` and `get_info`": [shorten_header],
    "restores an older version of the same object": [restore_older_version],
    "changes the description, headers, tags, metadata or expiry": [change_description],
    "deletes the object": [],
}
ALL = REFUSED | WITHOUT_EFFECT | NOT_DETECTED
