"""Read-ahead for files that seek: the range to fetch next, and a cache of fetched blocks.

A file format reads a footer, seeks to an index and reads a part somewhere. So a read after a seek
fetches little more than the caller asked for. A sequential read fetches twice as much each time.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

KIB: Final = 1024

# Bounds of the alignment: a block of a small-chunked object spans several chunks.
_MIN_ALIGNMENT: Final = 32 * KIB
_MAX_ALIGNMENT: Final = 256 * KIB
_DEFAULT_ALIGNMENT: Final = 128 * KIB


def fetch_alignment(chunk_size: int | None) -> int:
    """Return the alignment of fetches for an object with chunks of `chunk_size` bytes.

    The server sends whole chunks, so that the rest of a chunk costs nothing.
    """
    return min(max(chunk_size or _DEFAULT_ALIGNMENT, _MIN_ALIGNMENT), _MAX_ALIGNMENT)


@dataclass(frozen=True, slots=True)
class Fetch:
    """The range to fetch, `stop` not included.

    `is_streaming` is true if the reader has read so far sequentially that the rest of the file
    is worth streaming.
    """

    start: int
    stop: int
    is_streaming: bool


class ReadAhead:
    """Decides what one reader of a file of `size` bytes fetches.

    Fetches begin and end at multiples of `alignment`. Sequential reads fetch up to `max_ahead`
    bytes at a time, or the bytes asked for if those are more.
    """

    def __init__(self, size: int, alignment: int, max_ahead: int) -> None:
        self._size = size
        self._alignment = alignment
        self._max_ahead = max_ahead
        self._next_position = 0
        self._last_length = 0

    def next_fetch(self, position: int, wanted: int) -> Fetch:
        """Return the range to fetch for a read of `wanted` bytes at a position in the file."""
        is_sequential = position == self._next_position
        is_streaming = is_sequential and self._last_length >= self._max_ahead
        if is_sequential:
            start = position
            stop = position + max(wanted, min(2 * self._last_length, self._max_ahead))
        else:
            start = position - position % self._alignment
            stop = position + wanted
        if not is_streaming:
            stop += -stop % self._alignment
        stop = min(stop, self._size)
        self._next_position, self._last_length = stop, stop - start
        return Fetch(start, stop, is_streaming)


class RecentBlocks:
    """The most recently used blocks of a file: `max_bytes` in total, or one larger block."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._size = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def add(self, start: int, data: bytes) -> None:
        """Add the block at an offset; drop the least recently used ones if they are too many."""
        self._size += len(data) - len(self._blocks.pop(start, b""))
        self._blocks[start] = data
        while self._size > self._max_bytes and len(self._blocks) > 1:
            self._size -= len(self._blocks.popitem(last=False)[1])

    def get(self, position: int) -> memoryview:
        """Return the cached bytes from an offset to the end of a block; empty if there are none."""
        for start in reversed(self._blocks):
            block = self._blocks[start]
            if start <= position < start + len(block):
                self._blocks.move_to_end(start)
                return memoryview(block)[position - start :]
        return memoryview(b"")
