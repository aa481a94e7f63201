"""Which chunk holds a byte, and where in the stream that chunk lies.

Chunks of one object share the stream with everybody's messages, so chunk k has no
sequence that could be computed. But the message that answers a request tells which chunk it
is, by how many follow it, and that is enough to close in on any chunk in a few steps.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from itertools import count

from jetstow._core import names
from jetstow._core.download import Download, Place, expected_chunk_size, pauses, verified
from jetstow._core.stream import Stream
from jetstow._core.target import Target
from jetstow._core.windows import NoDirectGetError, Windows, pieces, windows
from jetstow.errors import InvalidRangeError, SizeMismatchError
from jetstow.models import ObjectInfo


def checked_stop(target: Target, size: int, start: int, length: int | None) -> int:
    """Where a range ends in an object of `size` bytes. Raises `InvalidRangeError`."""
    if not 0 <= start <= size or (length is not None and length < 0):
        error = target.error(
            InvalidRangeError,
            f"{target} has {size} bytes: it has no range of "
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
        self._target = stream.target(info.name)
        self._size = info.size or 0
        self._total = info.chunks or 0
        self._subject = names.chunk_subject(stream.bucket, info.nuid)
        self._known: dict[int, int] = {}
        self._chunk_size: int | None = None
        self._looked = False

    async def read(self, start: int, stop: int) -> AsyncGenerator[memoryview, None]:
        """The bytes from `start` up to `stop` (not included), in pieces.

        Reading all of an object verifies its digest; a part of one has none. Raises what
        `Download.chunks` raises, and `SizeMismatchError`.
        """
        if start >= stop and self._size:
            return
        whole = start == 0 and stop == self._size
        size = None if whole else await self._even_chunk_size()
        if size is None:
            # Counted from the first byte on, as chunks of any size allow nothing else.
            position, run = 0, verified(self._stream, self.info)
        else:
            first, end = start // size, -(-stop // size)
            position = first * size
            place = Place(first, await self._locate(first))
            run = Download(self._stream, self.info, place, end, self._locate_anew).chunks()
        async with aclosing(run) as chunks:
            async for data in chunks:
                view = memoryview(data)[max(0, start - position) : stop - position]
                position += len(data)
                if size is not None and position < self._size and len(data) != size:
                    raise self._uneven(len(data), size)
                if view.nbytes:
                    yield view
                if position >= stop < self._size:
                    return
        if position < stop:
            raise self._uneven(position, stop)

    def _uneven(self, found: int, expected: int) -> SizeMismatchError:
        return self._target.error(
            SizeMismatchError,
            f"{self._target} has {found} bytes where its metadata promises {expected}",
        )

    async def _even_chunk_size(self) -> int | None:
        """The size of every chunk but the last, or None if they are not known to be alike.

        Some clients store what their source happens to give. If the chunks are as few as
        can be and the last one has just the bytes that remain, the others must be full. And
        if the first one, counted from the last one back, is the first, they are all there.
        """
        if not self._looked:
            size = expected_chunk_size(self._stream, self.info)
            if self._total == -(-self._size // size):
                last, first = await asyncio.gather(
                    self._stream.last(self._target, self._subject), self._probe(1)
                )
                for pause in pauses(self._stream):
                    if first and first[0] == 0:
                        break
                    await asyncio.sleep(pause)
                    self._known.clear()
                    first = await self._probe(1)
                rest = self._size - (self._total - 1) * size
                if last is not None and len(last.data) == rest and first and first[0] == 0:
                    self._chunk_size = size
            self._looked = True
        return self._chunk_size

    async def _locate_anew(self, chunk: int) -> int:
        self._known.clear()
        return await self._locate(chunk)

    async def _locate(self, chunk: int) -> int:
        """The stream sequence of a chunk, or one that it does not lie before."""
        if chunk == 0:
            return 1
        # Every later chunk and the metadata took a sequence after this one.
        high = (self._total, self.info.revision)
        low: tuple[int, int] | None = None
        guess = max(1, self.info.revision - (self._total - chunk))
        for step in count():
            found = None if chunk in self._known else await self._probe(guess)
            if chunk in self._known:
                return self._known[chunk]
            if found is not None and found[0] < chunk:
                low = found
            else:
                high = (self._total if found is None else found[0], guess)
            last, guess = guess, 1
            if low is not None:
                guess = _between(low, high, chunk, halve=step % 4 == 3)
            if guess == last or guess >= high[1]:
                break
        # It is missing: the download finds out and says so.
        return 1 if low is None else low[1] + 1

    async def _probe(self, seq: int) -> tuple[int, int] | None:
        """Which chunk is the first at or after a sequence, and its sequence."""
        try:
            return await self._probe_by(windows(self._stream, self._target, self._subject), seq)
        except NoDirectGetError:
            self._stream.avoid_direct_get()
            return await self._probe(seq)

    async def _probe_by(self, source: Windows, seq: int) -> tuple[int, int] | None:
        try:
            window = await source.ask(seq, 1, expected_chunk_size(self._stream, self.info))
            async with aclosing(pieces(window)) as run:
                found = [piece async for piece in run]
            for piece in found:
                left = piece.pending if window.left is None else window.left
                chunk = self._total - 1 - left
                self._known[chunk] = piece.seq
                return chunk, piece.seq
            return None
        finally:
            await source.close()


def _between(low: tuple[int, int], high: tuple[int, int], chunk: int, *, halve: bool) -> int:
    """Where a chunk should be if the chunks between two known ones are spread evenly.

    Never before the least that is possible, and always inside, so that each step gains;
    now and then in the middle, so that a few steps suffice for any spread.
    """
    (k0, s0), (k1, s1) = low, high
    even = (s0 + s1) // 2 if halve else s0 + (chunk - k0) * (s1 - s0) // max(1, k1 - k0)
    return max(s0 + max(1, chunk - k0), min(even, s1 - 1))
