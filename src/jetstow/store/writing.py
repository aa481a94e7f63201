"""The verbs that change objects."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from nats.js import api

from jetstow._core.aio.cancellation import uncancelled
from jetstow._core.aio.source import open_source
from jetstow._core.aio.telemetry import instrumented
from jetstow._core.bucket.encryption import plain_info
from jetstow._core.protocol.subjects import check_object_name, chunk_subject
from jetstow._core.read.name_state import read_state
from jetstow._core.write import copy, rename, resumable_put, update_meta
from jetstow._core.write.prepare_put import prepare_put
from jetstow._core.write.purge import purge_chunks
from jetstow._core.write.put_options import PutOptions
from jetstow.errors import InvalidOptionError
from jetstow.models import ObjectInfo
from jetstow.store.base import BucketBase
from jetstow.types import Data, Duration, Progress, StoredChunks


class Writes(BucketBase):
    """The verbs of an object store that change objects."""

    @instrumented
    async def put(
        self,
        name: str | None,
        data: Data,
        meta: api.ObjectMeta | None = None,
        *,
        description: str | None = None,
        content_type: str | None = None,
        tags: Iterable[str] | None = None,
        headers: Mapping[str, str | Sequence[str]] | None = None,
        metadata: Mapping[str, str] | None = None,
        expected_revision: int | None = None,
        ttl: Duration | None = None,
        expected_digest: str | None = None,
        keep_replaced: bool = False,
        dated: bool = True,
        progress: Progress | None = None,
    ) -> ObjectInfo:
        """Store bytes under a name, replacing the object that has it.

        The old object can be read until the new one is complete. A put that fails or is cancelled
        leaves no object and no chunk. If two clients put the same name, the last to finish wins.

        `data` is bytes-like, a str (stored as UTF-8), a file (binary, text, or asynchronous), or an
        iterable of bytes (of either kind). `description`, `content_type`, `tags`, `headers` and
        `metadata` describe it, as the fields of `ObjectMeta` do. `meta` may have them instead, and
        `options.max_chunk_size` in bytes (default: 128 KiB), and the name if `name` is None.

        With `expected_revision`, the put succeeds only if the object is at that revision; 0: only
        if there is no such object. The object expires after `ttl` (seconds or a timedelta, rounded
        up to seconds; server 2.11+); watchers do not report that. Source: ADR-20; ADR-43 for `ttl`.

        With `expected_digest`, in the form of `info.digest` or `info.sha256`, bytes with another
        digest are not stored. `keep_replaced` leaves the chunks of the replaced object, whose info
        is the result's `replaced`: keep its `nuid`, and see `collect_garbage`. The server reports
        the time of a write by a request of its own: without `dated`, `modified` of the result is
        None, and there is no such request.

        Raises: `InvalidDataError`, `InvalidOptionError` (also for a field that is in `meta` and an
        argument), `LinkError`, `ObjectAlreadyExists`
        (`expected_revision` is 0), `RevisionMismatchError`, `DigestMismatchError`
        (`expected_digest`), `ObjectChangedError` (`data` is a file on disk that changed while it
        was read), and what reading `data` raises.
        """
        options = PutOptions.parse(
            self._bucket.error_context(name),
            meta,
            description=description,
            content_type=content_type,
            tags=tags,
            headers=headers,
            metadata=metadata,
            expected_revision=expected_revision,
            ttl=ttl,
            expected_digest=expected_digest,
            keep_replaced=keep_replaced,
            dated=dated,
        )
        return await self._put(name, data, options, progress)

    async def _put(
        self, name: str | None, data: Data, options: PutOptions, progress: Progress | None
    ) -> ObjectInfo:
        put = await prepare_put(self._bucket, name, options)
        with put.context:
            return await put.store(open_source(data), progress)

    @instrumented
    async def put_file(
        self,
        path: str | os.PathLike[str],
        name: str | None = None,
        meta: api.ObjectMeta | None = None,
        *,
        description: str | None = None,
        content_type: str | None = None,
        tags: Iterable[str] | None = None,
        headers: Mapping[str, str | Sequence[str]] | None = None,
        metadata: Mapping[str, str] | None = None,
        expected_revision: int | None = None,
        ttl: Duration | None = None,
        expected_digest: str | None = None,
        keep_replaced: bool = False,
        resume: bool = False,
        progress: Progress | None = None,
    ) -> ObjectInfo:
        """Store a file, under its own name by default. The options are those of `put`.

        With `resume`, a put that is killed, cancelled or loses its connection leaves its chunks and
        a checkpoint. The next put of the file with `resume` compares the chunks with the file and
        continues. It is not available with `ttl` or encryption.

        If the file changes while it is read, nothing is stored.

        Raises: `ObjectChangedError` (the file changed), `BlockingIOError` (another put with
        `resume` stores it under this name), and what `put` and `open` raise.
        """
        if name is None and getattr(meta, "name", None) is None:
            name = Path(path).name
        options = PutOptions.parse(
            self._bucket.error_context(name),
            meta,
            description=description,
            content_type=content_type,
            tags=tags,
            headers=headers,
            metadata=metadata,
            expected_revision=expected_revision,
            ttl=ttl,
            expected_digest=expected_digest,
            keep_replaced=keep_replaced,
        )
        if resume:
            return await resumable_put.put_file(self._bucket, Path(path), name, options, progress)
        with Path(path).open("rb", buffering=0) as file:  # noqa: ASYNC230 - only opened here
            return await self._put(name, file, options, progress)

    @instrumented
    async def discard_checkpoint(self, stored: StoredChunks) -> None:
        """Purge the chunks that `ObjectWriter.checkpoint` found stored, and those behind them.

        The writer must have ended without completing its object. Only the current object of the
        name is looked at, and keeps its chunks: a version that was replaced, or an object that was
        renamed since, would lose them.
        """
        context = self._context_of(stored.name)
        state = await read_state(self._bucket, context)
        if state.live is None or state.live.nuid != stored.nuid:
            subject = chunk_subject(self._bucket.subject_bucket, stored.nuid)
            count = await self._bucket.count_messages(context, subject)
            await purge_chunks(self._bucket, context, stored.nuid, count, stored.chunk_size)

    @instrumented
    async def copy(
        self,
        name: str,
        new_name: str | None = None,
        *,
        version: str | None = None,
        to: BucketBase | None = None,
        expected_revision: int | None = None,
        ttl: Duration | Literal["keep"] | None = "keep",
        keep_replaced: bool = False,
        progress: Progress | None = None,
    ) -> ObjectInfo:
        """Copy an object's bytes and metadata to another name, here or in the bucket `to`.

        The bytes go through this process and are verified before the copy is published; the buckets
        may be on different servers. Links are followed. A copy expires when its original does, or
        after `ttl`, or never if `ttl` is None. `expected_revision` is that of the new name, and
        `keep_replaced` is as in `put`. `version` copies one version, as in `get`. An encrypted
        object is copied as it is stored, unless one of the buckets has a key (`encrypted`): then it
        is decrypted, encrypted, or both.

        Raises: `InvalidOptionError` (a copy onto itself, `to` is no object store of jetstow), and
        what `get` and `put` raise.
        """
        context = self._context_of(name, version)
        if not isinstance(to, BucketBase | None):
            raise context.error(
                InvalidOptionError, f"cannot copy {context}: `to` must be a bucket, not {to!r}"
            )
        target = self._bucket if to is None else to._bucket
        new_name = check_object_name(target.bucket, name if new_name is None else new_name)
        return await copy.copy(
            self._bucket,
            context,
            target,
            new_name,
            PutOptions(expected_revision=expected_revision, keep_replaced=keep_replaced),
            ttl,
            progress,
        )

    @instrumented
    async def update_meta(
        self,
        name: str,
        meta: api.ObjectMeta,
        *,
        expected_revision: int | None = None,
        version: str | None = None,
    ) -> ObjectInfo:
        """Replace an object's description, content type, tags, headers and metadata.

        `meta` replaces all of them: what it leaves out is removed. Start from `info.meta` to change
        one, with `expected_revision=info.revision`: then nothing is changed if another client has
        changed the object since. If `meta` has a different name, the object is renamed, too;
        `rename` keeps the rest. The bytes and the expiry do not change, nor does the version: in a
        versioned bucket, it is changed in place. `version` changes one that is not the current one.
        Source: ADR-20.

        Raises: `ObjectDeletedError` (there is no live object), `RevisionMismatchError` (also if
        there is no object at all), `ObjectAlreadyExists` (the new name is in use, or
        `expected_revision` is 0), `InvalidOptionError`.
        """
        context = self._context_of(name, version)
        step = update_meta.update_meta(self._bucket, context, meta, expected_revision)
        return plain_info(self._bucket, await uncancelled(step))

    @instrumented
    async def rename(self, name: str, new_name: str) -> ObjectInfo:
        """Rename an object. Its bytes stay in place, and nothing else of its metadata changes.

        The old name keeps a delete marker, as after `delete`. In a versioned bucket, it keeps its
        older versions, too: the current one moves to the new name.

        Raises: `ObjectNotFoundError`, `ObjectAlreadyExists` (the new name has a live object).
        """
        context = self._context_of(name)
        check_object_name(self.bucket, new_name)
        return plain_info(
            self._bucket, await uncancelled(rename.rename(self._bucket, context, new_name))
        )
