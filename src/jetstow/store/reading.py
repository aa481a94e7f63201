"""The verbs that read objects."""

from __future__ import annotations

import io
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from jetstow._core.aio.atomic_file import atomic_file
from jetstow._core.aio.sink import write_chunks
from jetstow._core.aio.telemetry import instrumented, operation
from jetstow._core.bucket.encryption import plain_info
from jetstow._core.read import name_state, resumable_get
from jetstow._core.read.object_read import ObjectRead, open_ranges, retry_if_changed
from jetstow._core.read.preconditions import NO_PRECONDITIONS, Preconditions
from jetstow._core.read.ranges import range_stop
from jetstow.models import ObjectInfo, ObjectResult
from jetstow.store.base import BucketBase
from jetstow.types import Progress, Since, Writable


class Reads(BucketBase):
    """The verbs of an object store that read objects."""

    @instrumented
    async def get_info(self, name: str, show_deleted: bool | None = False) -> ObjectInfo:
        """Return an object's metadata; for a link, that of the link (ADR-20).

        `show_deleted` returns the delete marker of a deleted object.

        Raises: `ObjectNotFoundError`, `ObjectDeletedError`, `BadObjectMetaError`.
        """
        context = self._context_of(name)
        info = await name_state.get_info(self._bucket, context, show_deleted=bool(show_deleted))
        return plain_info(self._bucket, info)

    @instrumented
    async def exists(self, name: str) -> bool:
        """Return whether there is an object or a link of that name. The bytes are not checked."""
        state = await name_state.read_state(self._bucket, self._context_of(name))
        return not state.is_free

    @instrumented
    async def get(
        self,
        name: str,
        writeinto: Writable | None = None,
        show_deleted: bool | None = False,
        *,
        expected_revision: int | None = None,
        if_changed_since: Since | None = None,
        progress: Progress | None = None,
    ) -> ObjectResult:
        """Read an object into memory, or into a file (binary, text, or asynchronous).

        Links are followed; the result's info is the target's. In memory, an object is returned
        whole and verified or not at all. A file has received some of the bytes if an error ends
        the get: see `get_file`.

        `expected_revision` reads the object only at that revision; `if_changed_since` only if it
        is at a later one, or newer than an aware datetime. Source: ADR-20.

        Raises: what `get_info` raises, `LinkIsABucketError`, `LinkError`, `RevisionMismatchError`,
        `ObjectUnchangedError`, `ObjectEncryptedError`, `DigestMismatchError`, `SizeMismatchError`,
        `ChunksLostError`, `ObjectChangedError` (replaced during the get),
        `InvalidDataError` (a file that takes no bytes).
        """
        context = self._context_of(name)
        preconditions = _preconditions(expected_revision, if_changed_since)
        read = ObjectRead(
            self._bucket,
            context,
            show_deleted=bool(show_deleted),
            progress=progress,
            preconditions=preconditions,
        )
        if writeinto is not None:
            return ObjectResult(await _write_to(read, writeinto))

        async def read_into_memory() -> ObjectResult:
            buffer = io.BytesIO()
            async with aclosing(read.chunks()) as chunks:
                async for chunk in chunks:
                    buffer.write(chunk)
            return ObjectResult(read.info, buffer.getvalue())

        return await retry_if_changed(read_into_memory)

    @instrumented
    async def get_file(
        self,
        name: str,
        path: str | os.PathLike[str],
        *,
        expected_revision: int | None = None,
        if_changed_since: Since | None = None,
        resume: bool = False,
        progress: Progress | None = None,
    ) -> ObjectInfo:
        """Read an object into a file, which appears at `path` once it is verified.

        An existing file is unchanged until then. With `resume`, the bytes received stay beside it
        if the get is killed or fails, and the next get with `resume` continues; this is not
        available for encrypted objects.

        Raises: what `get` and `open` raise.
        """
        context = self._context_of(name)
        preconditions = _preconditions(expected_revision, if_changed_since)
        if resume:
            return await retry_if_changed(
                lambda: resumable_get.get_file(
                    self._bucket, context, Path(path), progress, preconditions
                )
            )

        async def read_into_file() -> ObjectInfo:
            read = ObjectRead(self._bucket, context, progress=progress, preconditions=preconditions)
            with atomic_file(Path(path)) as file:
                return await _write_to(read, file)

        return await retry_if_changed(read_into_file)

    async def stream(
        self,
        name: str,
        *,
        expected_revision: int | None = None,
        if_changed_since: Since | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """Yield an object's bytes chunk by chunk; verified when the iteration ends.

        Raises: what `get` raises, also after chunks were yielded.
        """
        context = self._context_of(name)
        preconditions = _preconditions(expected_revision, if_changed_since)
        read = ObjectRead(self._bucket, context, preconditions=preconditions)
        # A current span would be the caller's own between two chunks.
        with operation("stream", self.bucket, name, current=False) as counts:
            async with aclosing(read.chunks()) as chunks:
                async for chunk in chunks:
                    counts.bytes += len(chunk)
                    counts.chunks += 1
                    yield chunk

    @instrumented
    async def get_range(
        self,
        name: str,
        start: int,
        length: int | None = None,
        *,
        expected_revision: int | None = None,
        if_changed_since: Since | None = None,
    ) -> bytes:
        """Return `length` bytes from offset `start`, or all bytes from there; fewer at the end.

        Only the chunks with these bytes are transferred. Their number and sizes are verified; a
        digest exists for the whole object only.

        Raises: `InvalidRangeError`, and what `get` raises.
        """
        context = self._context_of(name)
        preconditions = _preconditions(expected_revision, if_changed_since)

        async def read() -> bytes:
            source = await open_ranges(self._bucket, context, preconditions)
            stop = range_stop(context, source.info.size or 0, start, length)
            buffer = io.BytesIO()
            async with aclosing(source.read(start, stop)) as pieces:
                async for piece in pieces:
                    buffer.write(piece)
            return buffer.getvalue()

        return await retry_if_changed(read)


def _preconditions(expected_revision: int | None, if_changed_since: Since | None) -> Preconditions:
    if expected_revision is None and if_changed_since is None:
        return NO_PRECONDITIONS
    return Preconditions(expected_revision, if_changed_since)


async def _write_to(read: ObjectRead, file: object) -> ObjectInfo:
    with read.context.attach():
        async with aclosing(read.chunks()) as chunks:
            await write_chunks(chunks, file)
    return read.info
