"""How much a file fetches at a time, and what it keeps of it: by the way it is read.

Formats look at a footer, jump to an index and read a part somewhere: after a jump, little more
is fetched than was asked for. Whoever reads on gets twice as much each time, and in the end
all that follows, as it comes. No network in here.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

KIB: Final = 1024

# The least that is fetched: a chunk of the object as far as that is none too small or large.
_SMALLEST: Final = 32 * KIB
_LARGEST: Final = 256 * KIB

# The most that one fetch brings, and that is kept of what was fetched before. Whoever reads on
# after one so large is likely to want the rest: it is worth fetching ahead.
_MOST: Final = 4096 * KIB


def block_size(chunk_size: int | None) -> int:
    """What to align fetches to: the server sends whole chunks anyway."""
    return min(max(chunk_size or 128 * KIB, _SMALLEST), _LARGEST)


@dataclass(frozen=True, slots=True)
class Fetch:
    """Bytes to get: from `start` up to `stop`, not included. `ahead`: more will follow."""

    start: int
    stop: int
    ahead: bool


class Pace:
    """The decisions for one file of `size` bytes."""

    def __init__(self, size: int, block: int) -> None:
        self._size = size
        self._block = block
        self._next = 0
        self._run = 0

    def fetch(self, position: int, wanted: int) -> Fetch:
        """What to get for a read of `wanted` bytes that begins at a position within the file."""
        reads_on = position == self._next
        ahead = reads_on and self._run >= _MOST
        start = position if reads_on else position - position % self._block
        length = max(wanted, 2 * self._run) if reads_on else wanted
        stop = position + min(length, _MOST)
        if not ahead:
            stop += -stop % self._block
        stop = min(stop, self._size)
        self._next, self._run = stop, stop - start
        return Fetch(start, stop, ahead)


class Recent:
    """The last pieces that were fetched."""

    def __init__(self) -> None:
        self._pieces: deque[tuple[int, memoryview]] = deque()
        self._size = 0

    def keep(self, start: int, data: bytes) -> None:
        """Add what was found at an offset; the oldest pieces make room for it."""
        self._pieces.append((start, memoryview(data)))
        self._size += len(data)
        while self._size > _MOST and len(self._pieces) > 1:
            self._size -= len(self._pieces.popleft()[1])

    def at(self, position: int) -> memoryview:
        """What is there from an offset on; nothing if it is not."""
        for start, piece in reversed(self._pieces):
            if start <= position < start + len(piece):
                return piece[position - start :]
        return memoryview(b"")
