"""Read a range of an object: which chunk has a byte, and where that chunk is in the stream.

Chunks of one object are interleaved with the messages of other clients, so the sequence of a chunk
cannot be computed. But the number of messages that follow a sequence can be requested for many
sequences at once, and identifies the chunk there (docs/decisions/0012).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from itertools import count
from typing import Final, TypeVar

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.subjects import chunk_subject
from jetstow._core.read.arrivals import Position
from jetstow._core.read.chunk_search import ChunkSearch
from jetstow._core.read.download import Download, expected_chunk_size, replica_delays
from jetstow._core.read.pending_counts import max_queries, pending_counts
from jetstow._core.read.verification import verified_chunks
from jetstow.errors import InvalidRangeError, SizeMismatchError
from jetstow.models import ObjectInfo

T = TypeVar("T")

# Chunks before the requested one that may be read and discarded, in bytes and number: what takes no
# longer than another query. After two queries, more is accepted than a further query.
_MAX_DISCARDED: Final = 256 * 1024, 64
_MAX_DISCARDED_LATE: Final = 3 * 1024 * 1024, 512
_LATE: Final = 2
_MAX_QUERIES: Final = 8

# The size in bytes from which the first chunk's position is worth a request.
_LOCATE_FIRST_ABOVE: Final = 4 * 1024 * 1024

# The bytes of the range itself that the first window should have.
_FIRST_WINDOW_BYTES: Final = 512 * 1024


def range_stop(context: ErrorContext, size: int, start: int, length: int | None) -> int:
    """Return where a range ends in an object of `size` bytes.

    Raises: `InvalidRangeError`.
    """
    if not 0 <= start <= size or (length is not None and length < 0):
        error = context.error(
            InvalidRangeError,
            f"{context} has {size} bytes: a range of "
            f"{'all' if length is None else length} from {start} is outside of it",
        )
        error.size = size
        raise error
    return size if length is None else min(size, start + length)


@dataclass(slots=True)
class _Cursor:
    """The offset in the object of the next chunk."""

    offset: int = 0


class RangeReader:
    """Reads one revision of an object from any byte on. It keeps the positions that it learns.

    `chunks` are all of them, verified, if they have been read already.
    """

    def __init__(
        self,
        stream: Stream,
        context: ErrorContext,
        info: ObjectInfo,
        chunks: list[bytes] | None = None,
    ) -> None:
        self.info = info
        self._data = None if chunks is None else b"".join(chunks)
        self._stream = stream
        self._context = context
        self._size = info.size or 0
        self._total = info.chunks or 0
        self._subject = chunk_subject(stream.subject_bucket, info.nuid)
        self._search = ChunkSearch(self._total, info.revision)
        self._chunk_size: int | None = None
        self._chunk_size_checked = False

    async def read(self, start: int, stop: int) -> AsyncGenerator[memoryview, None]:
        """Yield the bytes from `start` up to `stop` (excluded), in pieces.

        Reading the whole object verifies its digest; a part has none.

        Raises: `SizeMismatchError`, and what `Download.chunks` raises.
        """
        if start >= stop and self._size:
            return
        if self._data is not None:
            yield memoryview(self._data)[start:stop]
            return
        size = None
        # Checking the sizes of two chunks takes as long as reading them.
        queries = int(not self._chunk_size_checked)
        if self._total > 2 and not (start == 0 and stop == self._size):
            size = await self._retry(lambda: self._common_chunk_size(start))
        cursor = _Cursor()
        if size is None:
            # Offsets can only be counted from the first byte.
            chunks = verified_chunks(self._stream, self._context, self.info)
        else:
            chunks = await self._download(start, stop, size, queries, cursor)
        async with aclosing(chunks):
            async for data in chunks:
                offset = cursor.offset
                view = memoryview(data)[max(0, start - offset) : stop - offset]
                offset = cursor.offset = offset + len(data)
                if size is not None and offset < self._size and len(data) != size:
                    raise self._size_mismatch(len(data), size)
                if view.nbytes:
                    yield view
                if offset >= stop < self._size:
                    return
        if cursor.offset < stop:
            raise self._size_mismatch(cursor.offset, stop)

    async def _download(
        self, start: int, stop: int, size: int, queries: int, cursor: _Cursor
    ) -> AsyncGenerator[bytes, None]:
        """Return the chunks with a range, and set the cursor to the offset of the first one."""
        first, end = start // size, -(-stop // size)

        async def locate_again() -> Position:
            self._search.reset()
            position = await self._retry(lambda: self._locate(first, size))
            cursor.offset = position.chunk * size
            return position

        def restart() -> None:
            cursor.offset = 0

        position = await self._retry(lambda: self._locate(first, size, queries))
        cursor.offset = position.chunk * size
        wanted = min(end - first, max(1, _FIRST_WINDOW_BYTES // size))
        return Download(
            self._stream,
            self._context,
            self.info,
            position,
            end,
            locate_again,
            restart,
            min_chunks=first - position.chunk + wanted,
        ).chunks()

    async def _retry(self, step: Callable[[], Awaitable[T]]) -> T:
        return await self._stream.api.retry(self._context, step)

    def _size_mismatch(self, actual: int, expected: int) -> SizeMismatchError:
        return self._context.error(
            SizeMismatchError,
            f"{self._context} has {actual} bytes where its metadata states {expected}",
        )

    async def _common_chunk_size(self, start: int) -> int | None:
        """Return the size of all chunks but the last, or None if they may differ.

        Some clients store chunks as their source yields them. The sizes are known to be equal if
        there are as few chunks as possible for the maximum size, as many in the stream as in the
        metadata, and the last one has exactly the rest. At the same time, the position of the
        chunk with `start` is queried.
        """
        if not self._chunk_size_checked:
            size = expected_chunk_size(self._stream, self.info)
            if self._total == -(-self._size // size):
                seqs = [1, *self._candidates(start // size)]
                last, _, complete = await asyncio.gather(
                    self._stream.last_message(self._context, self._subject),
                    self._locate_first(size),
                    self._query(seqs),
                )
                for delay in replica_delays(self._stream):
                    if complete:
                        break
                    await asyncio.sleep(delay)
                    self._search.reset()
                    complete = await self._query(seqs)
                rest = self._size - (self._total - 1) * size
                if last is not None and len(last.data) == rest and complete:
                    self._chunk_size = size
                    self._search.learn(last.seq, self._total - 1)
            self._chunk_size_checked = True
        return self._chunk_size

    async def _locate(self, chunk: int, size: int, queries: int = 0) -> Position:
        """Return the position of a chunk, or of one shortly before it.

        `queries` is how many were sent for it already.
        """
        for number in count(queries):
            nearest, seq = self._search.nearest(chunk)
            discarded = chunk - nearest
            max_bytes, max_chunks = _MAX_DISCARDED_LATE if number >= _LATE else _MAX_DISCARDED
            if discarded * size <= max_bytes and discarded <= max_chunks:
                break
            seqs = self._candidates(chunk)
            if not seqs or number > _MAX_QUERIES:
                break  # a chunk is missing: the download finds out and raises
            await self._query(seqs)
        return Position(nearest, seq)

    async def _locate_first(self, size: int) -> None:
        """Learn the first chunk's position. If the object was written alone, that is enough."""
        if self._total * size > _LOCATE_FIRST_ABOVE:
            first = await self._stream.next_message(self._context, self._subject, 1)
            if first is not None:
                self._search.learn(first.seq, 0)

    def _candidates(self, chunk: int) -> list[int]:
        return self._search.candidates(chunk, max_queries(self._stream))

    async def _query(self, seqs: list[int]) -> bool:
        """Learn how many chunks are before each sequence.

        Return whether all chunks of the object are at or after the first of them.
        """
        counts = await pending_counts(self._stream, self._context, self._subject, seqs)
        for seq, following in counts.items():
            self._search.learn(seq, self._total - following)
        return counts[seqs[0]] == self._total
