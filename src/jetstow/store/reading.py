"""The verbs that read objects."""

from __future__ import annotations

import io
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from jetstow._core.aio.atomic_file import atomic_file
from jetstow._core.aio.block_writer import BlockWriter
from jetstow._core.aio.memory_sink import BufferSink, MemorySink, writable_view
from jetstow._core.aio.sink import write_chunks
from jetstow._core.aio.telemetry import instrumented, operation
from jetstow._core.bucket.encryption import plain_info
from jetstow._core.read import name_state, resumable_get
from jetstow._core.read.local_file import find_unchanged
from jetstow._core.read.object_read import ObjectRead, range_chunks, retry_if_changed
from jetstow._core.read.preconditions import NO_PRECONDITIONS, Preconditions
from jetstow._core.read.unnamed_chunks import checkpoint_chunks
from jetstow.errors import InvalidOptionError
from jetstow.models import FileInfo, ObjectInfo, ObjectResult
from jetstow.store.base import BucketBase
from jetstow.types import Progress, Since, StoredChunks, Writable

if TYPE_CHECKING:
    from typing_extensions import Buffer


class Reads(BucketBase):
    """The verbs of an object store that read objects."""

    @instrumented
    async def get_info(
        self, name: str, show_deleted: bool | None = False, *, version: str | None = None
    ) -> ObjectInfo:
        """Return an object's metadata; for a link, that of the link (ADR-20).

        `show_deleted` returns the delete marker of a deleted object. `version` is as in `get`.

        Raises: `ObjectNotFoundError`, `ObjectDeletedError`, `BadObjectMetaError`.
        """
        context = self._context_of(name, version)
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
        into: Buffer | None = None,
        expected_revision: int | None = None,
        if_changed_since: Since | None = None,
        version: str | None = None,
        progress: Progress | None = None,
    ) -> ObjectResult:
        """Read an object into memory, or into a file (binary, text, or asynchronous).

        Links are followed; the result's info is the target's. In memory, an object is returned
        whole and verified or not at all. A file has received some of the bytes if an error ends
        the get: see `get_file`.

        `into` is a writable buffer, such as a bytearray, a memoryview, an array or a NumPy array.
        It is filled from its start, and the rest of it is unchanged. The result's data is empty,
        and the info has the size. If an error ends the get, the part of the buffer that the object
        needs has undefined bytes. If the buffer is too small, nothing is read.

        `expected_revision` reads the object only at that revision; `if_changed_since` only if it
        is at a later one, or newer than an aware datetime. `version` reads one version in a
        versioned bucket, by the id that `put` and `versions` return. Source: ADR-20.

        Raises: what `get_info` raises, `LinkIsABucketError`, `LinkError`, `RevisionMismatchError`,
        `ObjectUnchangedError`, `ObjectEncryptedError`, `DigestMismatchError`, `SizeMismatchError`,
        `ChunksLostError`, `ObjectChangedError` (replaced during the get),
        `InvalidDataError` (a file that takes no bytes, or `into` is not a writable buffer),
        `InvalidOptionError` (the buffer is too small, or there are two destinations).
        """
        context = self._context_of(name, version)
        preconditions = _preconditions(expected_revision, if_changed_since)
        read = ObjectRead(
            self._bucket,
            context,
            show_deleted=bool(show_deleted),
            progress=progress,
            preconditions=preconditions,
        )
        if writeinto is not None and into is not None:
            raise context.error(InvalidOptionError, "get takes either writeinto or into, not both")
        if writeinto is not None:
            return ObjectResult(await _write_to(read, writeinto))
        if into is not None:
            with context, writable_view(into) as view:
                buffer = BufferSink(view)
                return ObjectResult(await retry_if_changed(lambda: read.write_to(buffer)))

        if (data := await read.small()) is not None:
            return ObjectResult(read.info, data)

        async def read_into_memory() -> ObjectResult:
            sink = MemorySink()
            info = await read.write_to(sink)
            return ObjectResult(info, sink.finish())

        return await retry_if_changed(read_into_memory)

    @instrumented
    async def get_file(
        self,
        name: str,
        path: str | os.PathLike[str],
        *,
        expected_revision: int | None = None,
        if_changed_since: Since | None = None,
        version: str | None = None,
        if_different: bool = False,
        resume: bool = False,
        progress: Progress | None = None,
    ) -> FileInfo:
        """Read an object into a file, which appears at `path` once it is verified.

        An existing file is unchanged until then. With `if_different`, nothing is done if it has the
        object's size and digest already: `written` of the result is false. An encrypted object is
        always read. With `resume`, the bytes received stay beside the file if the get is killed or
        fails, and the next get with `resume` continues; this is not available for encrypted
        objects.

        Raises: `BlockingIOError` (another get with `resume` writes to the path), and what `get` and
        `open` raise.
        """
        context, target = self._context_of(name, version), Path(path)
        preconditions = _preconditions(expected_revision, if_changed_since)
        if if_different:
            info = await find_unchanged(self._bucket, context, target, preconditions)
            if info is not None:
                return FileInfo.of(info, written=False)

        async def read_into_file() -> ObjectInfo:
            if resume:
                return await resumable_get.get_file(
                    self._bucket, context, target, progress, preconditions
                )
            read = ObjectRead(self._bucket, context, progress=progress, preconditions=preconditions)
            with atomic_file(target) as file, context:
                async with BlockWriter(file) as writer:
                    info = await read.write_to(writer)
                    await writer.flush()
                    return info

        return FileInfo.of(await retry_if_changed(read_into_file), written=True)

    async def stream(
        self,
        name: str,
        start: int = 0,
        length: int | None = None,
        *,
        expected_revision: int | None = None,
        if_changed_since: Since | None = None,
        version: str | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """Yield an object's bytes piece by piece; verified when the iteration ends.

        `start` and `length` select a range, with the checks of `get_range`.

        Raises: what `get` raises, also after pieces were yielded; `InvalidRangeError`.
        """
        context = self._context_of(name, version)
        preconditions = _preconditions(expected_revision, if_changed_since)
        pieces: AsyncGenerator[bytes | memoryview, None]
        if start == 0 and length is None:
            pieces = ObjectRead(self._bucket, context, preconditions=preconditions).chunks()
        else:
            pieces = range_chunks(self._bucket, context, start, length, preconditions)
        # A current span would be the caller's own between two chunks.
        with operation("stream", self.bucket, name, current=False) as counts:
            async with aclosing(pieces) as chunks:
                async for chunk in chunks:
                    counts.bytes += len(chunk)
                    counts.chunks += 1
                    yield bytes(chunk)  # itself, if it is bytes

    async def stream_checkpoint(self, stored: StoredChunks) -> AsyncGenerator[bytes, None]:
        """Yield the bytes that `ObjectWriter.checkpoint` found stored, then those behind them.

        No digest exists for them: verify them yourself. The writer may have continued since.

        Raises: `ChunksLostError`.
        """
        with operation("stream_checkpoint", self.bucket, stored.name, current=False) as counts:
            async with aclosing(checkpoint_chunks(self._bucket, stored)) as chunks:
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
        version: str | None = None,
    ) -> bytes:
        """Return `length` bytes from offset `start`, or all bytes from there; fewer at the end.

        Only the chunks with these bytes are transferred. Their number and sizes are verified; a
        digest exists for the whole object only.

        Raises: `InvalidRangeError`, and what `get` raises.
        """
        context = self._context_of(name, version)
        preconditions = _preconditions(expected_revision, if_changed_since)

        async def read() -> bytes:
            buffer = io.BytesIO()
            chunks = range_chunks(self._bucket, context, start, length, preconditions)
            async with aclosing(chunks) as pieces:
                async for piece in pieces:
                    buffer.write(piece)
            return buffer.getvalue()

        return await retry_if_changed(read)


def _preconditions(expected_revision: int | None, if_changed_since: Since | None) -> Preconditions:
    if expected_revision is None and if_changed_since is None:
        return NO_PRECONDITIONS
    return Preconditions(expected_revision, if_changed_since)


async def _write_to(read: ObjectRead, file: object) -> ObjectInfo:
    with read.context:
        async with aclosing(read.chunks()) as chunks:
            await write_chunks(chunks, file)
    return read.info
