"""Read chunks that have no name yet: those of an object that was not completed."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.subjects import check_object_name, chunk_subject
from jetstow._core.read.download import Download
from jetstow.errors import ChunksLostError, ObjectChangedError
from jetstow.models import ObjectInfo, ObjectMetaOptions
from jetstow.types import StoredChunks


async def checkpoint_chunks(stream: Stream, stored: StoredChunks) -> AsyncGenerator[bytes, None]:
    """Yield the chunks of a checkpoint, and its remainder.

    Raises: `ChunksLostError` (`collect_garbage` or `abort` has removed some).
    """
    context = stream.error_context(check_object_name(stream.bucket, stored.name))
    lost = context.error(
        ChunksLostError,
        f"the checkpoint of {context} cannot be read: its {stored.chunks} chunks are not all in "
        "the stream",
    )
    done, before = 0, -1
    while done < stored.chunks:
        # A download identifies chunks by the number of all, which the writer may increase.
        subject = chunk_subject(stream.subject_bucket, stored.nuid)
        count = await stream.count_messages(context, subject)
        if count < stored.chunks or count == before:
            raise lost
        before = count
        download = UnnamedDownload(
            stream, context, stored.nuid, count, stored.chunk_size, stored.chunks
        )
        with suppress(ObjectChangedError):
            number = 0
            async with aclosing(download.chunks()) as chunks:
                async for chunk in chunks:
                    if len(chunk) != stored.chunk_size:
                        raise lost
                    number += 1
                    if number > done:
                        done = number
                        yield chunk
    if stored.remainder:
        yield stored.remainder


class UnnamedDownload(Download):
    """The `count` chunks of a NUID to which no metadata refers, up to chunk `end`.

    Raises `ObjectChangedError` if there are more or fewer of them.
    """

    def __init__(
        self,
        stream: Stream,
        context: ErrorContext,
        nuid: str,
        count: int,
        chunk_size: int,
        end: int | None = None,
    ) -> None:
        info = ObjectInfo(
            name=context.name or "",
            bucket=stream.bucket,
            nuid=nuid,
            chunks=count,
            options=ObjectMetaOptions(max_chunk_size=chunk_size),
        )
        super().__init__(stream, context, info, end=end)

    async def _check_unchanged(self) -> None:
        if await self._stream.count_messages(self._context, self._subject) != self._total:
            raise self._context.error(ObjectChangedError, f"{self._context} is being written")
