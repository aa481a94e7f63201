"""Read chunks that have no name yet: those of an object that was not completed."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.subjects import check_object_name, chunk_subject
from jetstow._core.read.arrivals import Position
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
        info = _info(stream, stored, count)
        download = Download(stream, context, info, Position(done), stored.chunks)
        with suppress(ObjectChangedError):
            async with aclosing(download.chunks()) as chunks:
                async for chunk in chunks:
                    if len(chunk) != stored.chunk_size:
                        raise lost
                    done += 1
                    yield chunk
    if stored.remainder:
        yield stored.remainder


def _info(stream: Stream, stored: StoredChunks, count: int) -> ObjectInfo:
    return ObjectInfo(
        name=stored.name,
        bucket=stream.bucket,
        nuid=stored.nuid,
        chunks=count,
        options=ObjectMetaOptions(max_chunk_size=stored.chunk_size),
    )
