"""The verbs that read objects."""

from __future__ import annotations

import io
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from jetstow._core.aio.atomic_file import atomic_file
from jetstow._core.aio.sink import write_chunks
from jetstow._core.aio.telemetry import observed, operation
from jetstow._core.bucket.encryption import plain_info
from jetstow._core.protocol import subjects
from jetstow._core.read import resumable_get
from jetstow._core.read.catalog import get_info
from jetstow._core.read.object_read import ObjectRead, open_ranges, retry_if_changed
from jetstow._core.read.preconditions import Preconditions
from jetstow._core.read.ranges import range_stop
from jetstow.models import ObjectInfo, ObjectResult
from jetstow.store.base import BucketBase
from jetstow.types import Progress, Since, Writable


class Reads(BucketBase):
    """An object store's verbs that read objects."""

    @observed
    async def get_info(self, name: str, show_deleted: bool | None = False) -> ObjectInfo:
        """What the store knows of an object; of a link, what it knows of the link.

        Raises `ObjectNotFoundError`, `ObjectDeletedError` unless `show_deleted`, and
        `BadObjectMetaError`.
        """
        subjects.check_object_name(self.bucket, name)
        found = await get_info(self._bucket, name, show_deleted=bool(show_deleted))
        return plain_info(self._bucket, found)

    @observed
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
        """Read an object, into memory or into a file (binary, text, or asynchronous).

        Links are followed; the result's info is the target's. In memory an object is whole
        and verified or it is not returned; a file has got bytes of it where an error ends
        the get, so see `get_file`.

        `expected_revision` reads the object only at that revision, `if_changed_since` only if
        it is at a later one, or if it is newer than an aware datetime.

        Raises what `get_info` raises, `LinkIsABucketError`, `LinkError`, `RevisionMismatchError`,
        `ObjectUnchangedError`, `ObjectEncryptedError`, and for bytes that
        are not as they should be `DigestMismatchError`, `SizeMismatchError`,
        `ChunksLostError`, `ObjectChangedError`; `InvalidDataError` for a file without bytes.
        """
        subjects.check_object_name(self.bucket, name)
        terms = Preconditions(expected_revision, if_changed_since)
        if writeinto is not None:
            reading = ObjectRead(self._bucket, name, bool(show_deleted), progress, terms)
            return ObjectResult(await self._pour(reading, writeinto))

        async def read() -> ObjectResult:
            found = io.BytesIO()
            reading = ObjectRead(self._bucket, name, bool(show_deleted), progress, terms)
            info = await self._pour(reading, found)
            return ObjectResult(info, found.getvalue())

        return await retry_if_changed(read)

    async def _pour(self, reading: ObjectRead, into: object) -> ObjectInfo:
        with reading.context.attach():
            async with aclosing(reading.chunks()) as chunks:
                await write_chunks(chunks, into)
        return reading.info

    @observed
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
        """Read an object into a file, which appears under its name once it is verified.

        A file that was there stays as it is until then. With `resume`, what has come stays
        beside it when the get is killed or fails, and the next one with `resume` goes on
        behind it; encrypted objects cannot be read so. Raises what `get` and `open` raise.
        """
        subjects.check_object_name(self.bucket, name)
        terms = Preconditions(expected_revision, if_changed_since)
        if resume:
            return await retry_if_changed(
                lambda: resumable_get.get_file(self._bucket, name, Path(path), progress, terms)
            )

        async def read() -> ObjectInfo:
            reading = ObjectRead(self._bucket, name, False, progress, terms)
            with atomic_file(Path(path)) as file:
                return await self._pour(reading, file)

        return await retry_if_changed(read)

    async def stream(
        self,
        name: str,
        *,
        expected_revision: int | None = None,
        if_changed_since: Since | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """An object's bytes as they come, chunk by chunk, verified at their end.

        Raises what `get` raises, also after bytes have been handed out.
        """
        subjects.check_object_name(self.bucket, name)
        terms = Preconditions(expected_revision, if_changed_since)
        # A span that is current here would be the caller's, between two pieces.
        with operation("stream", self.bucket, name, current=False) as seen:
            async with aclosing(ObjectRead(self._bucket, name, terms=terms).chunks()) as chunks:
                async for chunk in chunks:
                    seen.bytes, seen.chunks = seen.bytes + len(chunk), seen.chunks + 1
                    yield chunk

    @observed
    async def get_range(
        self,
        name: str,
        start: int,
        length: int | None = None,
        *,
        expected_revision: int | None = None,
        if_changed_since: Since | None = None,
    ) -> bytes:
        """`length` bytes from offset `start` on, or all that follow; fewer at the end.

        Only the chunks concerned travel. Their number and sizes are checked; the digest
        covers a whole object only. Raises `InvalidRangeError` and what `get` raises.
        """
        subjects.check_object_name(self.bucket, name)
        terms = Preconditions(expected_revision, if_changed_since)

        async def read() -> bytes:
            reader = await open_ranges(self._bucket, name, terms)
            size = reader.info.size or 0
            stop = range_stop(self._bucket.error_context(name), size, start, length)
            found = io.BytesIO()
            async with aclosing(reader.read(start, stop)) as pieces:
                async for piece in pieces:
                    found.write(piece)
            return found.getvalue()

        return await retry_if_changed(read)
