"""The verbs that change objects."""

from __future__ import annotations

import os
from contextlib import aclosing
from pathlib import Path

from nats.js import api
from nats.js.object_store import ObjectStore as _NatsObjectStore

from jetstow._core.aio.cancellation import uncancelled
from jetstow._core.aio.source import open_source
from jetstow._core.aio.telemetry import observed
from jetstow._core.bucket.encryption import plain_info
from jetstow._core.protocol import subjects
from jetstow._core.read.catalog import get_info
from jetstow._core.write import copy, links, resumable_put, update_meta
from jetstow._core.write.put import Asked, Writing
from jetstow.models import ObjectInfo, ObjectLink
from jetstow.store.base import BucketBase
from jetstow.types import Data, Progress


class Writes(BucketBase):
    """An object store's verbs that change objects."""

    @observed
    async def put(
        self,
        name: str | None,
        data: Data,
        meta: api.ObjectMeta | None = None,
        *,
        expected_revision: int | None = None,
        ttl: float | None = None,
        progress: Progress | None = None,
    ) -> ObjectInfo:
        """Store bytes under a name; replace what was there.

        `data` is bytes-like, a str, a file (binary, text, or asynchronous) or an iterable of
        bytes (of either kind). `meta` may carry a description, a content type, tags, headers,
        metadata, the chunk size in bytes as `options.max_chunk_size`, and the name where `name`
        is None. `expected_revision` lets the put through only if the object is at that
        revision; 0, only if there is none. After `ttl` seconds, in whole ones, the object is
        gone by itself, and no watcher hears of it (server 2.11+). The old object stays until
        the new one is whole; a put that fails or is cancelled leaves nothing behind.

        Raises `InvalidDataError`, `InvalidOptionError`, `LinkError`, `ObjectAlreadyExists`,
        `RevisionMismatchError`, and whatever the source raises.
        """
        asked = Asked(meta, expected_revision, ttl)
        writing = await Writing.begin(self._bucket, name, asked)
        with writing.context.attach():
            source = open_source(data)
            async with writing, aclosing(source.chunks(writing.chunk_size)) as cut:
                async for chunk in cut:
                    await writing.write(chunk)
                    if progress is not None:
                        progress(writing.size, source.size)
                return await writing.finish()

    @observed
    async def put_file(
        self,
        path: str | os.PathLike[str],
        name: str | None = None,
        meta: api.ObjectMeta | None = None,
        *,
        expected_revision: int | None = None,
        ttl: float | None = None,
        resume: bool = False,
        progress: Progress | None = None,
    ) -> ObjectInfo:
        """Store a file, under its own name or another. Raises what `put` and `open` raise.

        With `resume`, a put that is killed, cancelled or loses its connection leaves its chunks
        for the next one with `resume`, which compares them with the file and goes on; not with
        `ttl`, nor encrypted.
        """
        if name is None and (meta is None or meta.name is None):
            name = Path(path).name
        if resume:
            asked = Asked(meta, expected_revision, ttl)
            return await resumable_put.put_file(self._bucket, Path(path), name, asked, progress)
        with Path(path).open("rb", buffering=0) as file:  # noqa: ASYNC230 - only opened here
            return await self.put(
                name, file, meta, expected_revision=expected_revision, ttl=ttl, progress=progress
            )

    @observed
    async def copy(
        self,
        name: str,
        new_name: str | None = None,
        *,
        to: BucketBase | None = None,
        expected_revision: int | None = None,
        progress: Progress | None = None,
    ) -> ObjectInfo:
        """Let another name, here or in the bucket `to`, be the same bytes and metadata.

        The bucket may be on another server: the bytes go through this process, and are verified
        before they have the new name. Of a link, what it leads to is copied. An object that
        expires expires as a copy, too. `expected_revision` is what the new name must be at, as
        in `put`. Encrypted objects are copied as they are stored, unless one of the buckets is
        seen with a key: then they are decrypted, encrypted, or both; under the same name, too.

        Raises what `get` and `put` raise; `InvalidOptionError` for a copy onto itself.
        """
        subjects.check_object_name(self.bucket, name)
        target = self._bucket if to is None else to._bucket
        new_name = subjects.check_object_name(target.bucket, name if new_name is None else new_name)
        return await copy.copy(self._bucket, name, target, new_name, expected_revision, progress)

    @observed
    async def update_meta(self, name: str, meta: api.ObjectMeta) -> ObjectInfo:
        """Change an object's description, content type, tags, headers and metadata, and its
        name, if `meta` has another one. Its bytes stay where they are, and so does its expiry.

        Raises `ObjectDeletedError` (there is no live object), `ObjectAlreadyExists` (another
        one has the new name), `InvalidOptionError`.
        """
        subjects.check_object_name(self.bucket, name)
        return plain_info(
            self._bucket, await uncancelled(update_meta.describe(self._bucket, name, meta))
        )

    @observed
    async def delete(  # type: ignore[override]
        self, name: str, *, expected_revision: int | None = None
    ) -> None:
        """Delete an object: its bytes go, a marker stays; only at a revision, if one is given.

        Raises `ObjectNotFoundError` and `RevisionMismatchError`.
        """
        subjects.check_object_name(self.bucket, name)
        await uncancelled(update_meta.delete(self._bucket, name, expected_revision))

    @observed
    async def add_link(self, name: str, target: api.ObjectInfo | str) -> ObjectInfo:
        """Let a name stand for an object: one of this bucket by name, any other by its info.

        Raises `LinkError` (to a link, to a deleted object, to itself), `ObjectAlreadyExists`
        (the name has bytes of its own), `ObjectNotFoundError`.
        """
        subjects.check_object_name(self.bucket, name)
        if isinstance(target, str):
            target = await get_info(self._bucket, subjects.check_object_name(self.bucket, target))
        link = links.to_object(self._bucket, name, target)
        return await uncancelled(links.add(self._bucket, name, link))

    @observed
    async def add_bucket_link(self, name: str, bucket: _NatsObjectStore | str) -> ObjectInfo:
        """Let a name stand for a whole bucket. Raises `ObjectAlreadyExists`."""
        subjects.check_object_name(self.bucket, name)
        linked = bucket if isinstance(bucket, str) else bucket._name
        link = ObjectLink(bucket=subjects.check_bucket_name(linked))
        return await uncancelled(links.add(self._bucket, name, link))
