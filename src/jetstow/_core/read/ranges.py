"""Which chunk holds a byte, and where in the stream that chunk lies.

Chunks of one object share the stream with everybody's messages, so chunk k has no
sequence that could be computed. But the message that answers a request tells which chunk it
is, by how many follow it; and how many follow a place can be asked of many places at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from itertools import count
from typing import Final, TypeVar

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol import subjects
from jetstow._core.protocol.context import ErrorContext
from jetstow._core.read.chunk_search import ChunkSearch
from jetstow._core.read.download import (
    Download,
    Position,
    expected_chunk_size,
    replica_delays,
    verified_chunks,
)
from jetstow._core.read.pending_counts import max_queries, pending_counts
from jetstow.errors import InvalidRangeError, SizeMismatchError
from jetstow.models import ObjectInfo

T = TypeVar("T")

# Chunks before the one that is wanted, read along for nothing: as much of them as takes no
# longer than to ask once more; and as much as is borne when that has been done twice.
_ALONG: Final = 256 * 1024, 64
_ALONG_LATE: Final = 3 * 1024 * 1024, 512
_LATE: Final = 2
_MOST_STEPS: Final = 8

# An object of which it pays to ask where its first chunk is, in bytes.
_LONG: Final = 4 * 1024 * 1024

# What the first window is to have of the range itself, in bytes.
_WANTED: Final = 512 * 1024


def range_stop(context: ErrorContext, size: int, start: int, length: int | None) -> int:
    """Where a range ends in an object of `size` bytes. Raises `InvalidRangeError`."""
    if not 0 <= start <= size or (length is not None and length < 0):
        error = context.error(
            InvalidRangeError,
            f"{context} has {size} bytes: it has no range of "
            f"{'all' if length is None else length} from {start} on",
        )
        error.size = size
        raise error
    return size if length is None else min(size, start + length)


class RangeReader:
    """Reads one revision of an object from any byte on. What it learns, it keeps."""

    def __init__(self, stream: Stream, info: ObjectInfo) -> None:
        self.info = info
        self._stream = stream
        self._context = stream.error_context(info.name)
        self._size = info.size or 0
        self._total = info.chunks or 0
        self._subject = subjects.chunk_subject(stream.bucket, info.nuid)
        self._search = ChunkSearch(self._total, info.revision)
        self._chunk_size: int | None = None
        self._chunk_size_known = False

    async def read(self, start: int, stop: int) -> AsyncGenerator[memoryview, None]:
        """The bytes from `start` up to `stop` (not included), in pieces.

        Reading all of an object verifies its digest; a part of one has none. Raises what
        `Download.chunks` raises, and `SizeMismatchError`.
        """
        if start >= stop and self._size:
            return
        whole = start == 0 and stop == self._size
        # To prove two chunks even takes as long as to read them.
        asked = int(not self._chunk_size_known)
        size = None
        if not whole and self._total > 2:
            size = await self._retry(lambda: self._even_chunk_size(start))
        position = 0

        async def locate_anew() -> Position:
            nonlocal position
            assert size is not None, "only a chunk whose number is known is looked for"
            self._search.reset()
            place = await self._retry(lambda: self._locate(start // size, size))
            position = place.chunk * size
            return place

        if size is None:
            # Counted from the first byte on, as chunks of any size allow nothing else.
            run = verified_chunks(self._stream, self.info)
        else:
            first, end = start // size, -(-stop // size)
            place = await self._retry(lambda: self._locate(first, size, asked))
            position = place.chunk * size
            least = first - place.chunk + min(end - first, max(1, _WANTED // size))
            run = Download(self._stream, self.info, place, end, locate_anew, least).chunks()
        async with aclosing(run) as chunks:
            async for data in chunks:
                view = memoryview(data)[max(0, start - position) : stop - position]
                position += len(data)
                if size is not None and position < self._size and len(data) != size:
                    raise self._size_mismatch(len(data), size)
                if view.nbytes:
                    yield view
                if position >= stop < self._size:
                    return
        if position < stop:
            raise self._size_mismatch(position, stop)

    async def _retry(self, step: Callable[[], Awaitable[T]]) -> T:
        """What is learnt stays learnt, so a search may begin anew after an outage."""
        return await self._stream.api.retry(self._context, step)

    def _size_mismatch(self, found: int, expected: int) -> SizeMismatchError:
        return self._context.error(
            SizeMismatchError,
            f"{self._context} has {found} bytes where its metadata promises {expected}",
        )

    async def _even_chunk_size(self, start: int) -> int | None:
        """The size of every chunk but the last, or None if they are not known to be alike.

        Some clients store what their source happens to give. If the chunks are as few as
        can be and the last one has just the bytes that remain, the others must be full. And
        if there are no more and no fewer in the stream, they are all there. The chunk that
        holds `start` is looked for meanwhile.
        """
        if not self._chunk_size_known:
            size = expected_chunk_size(self._stream, self.info)
            if self._total == -(-self._size // size):
                seqs = [1, *self._candidates(start // size)]
                last, _, complete = await asyncio.gather(
                    self._stream.last(self._context, self._subject),
                    self._locate_first(size),
                    self._query(seqs),
                )
                for pause in replica_delays(self._stream):
                    if complete:
                        break
                    await asyncio.sleep(pause)
                    self._search.reset()
                    complete = await self._query(seqs)
                rest = self._size - (self._total - 1) * size
                if last is not None and len(last.data) == rest and complete:
                    self._chunk_size = size
                    self._search.learn(last.seq, self._total - 1)
            self._chunk_size_known = True
        return self._chunk_size

    async def _locate(self, chunk: int, size: int, asked: int = 0) -> Position:
        """A place of that chunk, or of one so little before it that it is read along.

        `asked` is how often it has been asked for already.
        """
        for step in count(asked):
            near, seq = self._search.nearest(chunk)
            along = chunk - near
            most, most_chunks = _ALONG_LATE if step >= _LATE else _ALONG
            if along * size <= most and along <= most_chunks:
                break
            seqs = self._candidates(chunk)
            if not seqs or step > _MOST_STEPS:
                break  # something is missing: the download finds out and says so
            await self._query(seqs)
        return Position(near, seq)

    async def _locate_first(self, size: int) -> None:
        """Where its first chunk is bounds the search, and where it was written alone, ends it."""
        if self._total * size > _LONG:
            first = await self._stream.next(self._context, self._subject, 1)
            if first is not None:
                self._search.learn(first.seq, 0)

    def _candidates(self, chunk: int) -> list[int]:
        return self._search.candidates(chunk, max_queries(self._stream))

    async def _query(self, seqs: list[int]) -> bool:
        """Learn how many chunks lie before each of the sequences.

        Says whether as many as there should be lie behind the first of them.
        """
        left = await pending_counts(self._stream, self._context, self._subject, seqs)
        for seq, after in left.items():
            self._search.learn(seq, self._total - after)
        return left[seqs[0]] == self._total
