"""Where a chunk may lie, given what is known of the chunks before and after it.

Pure: it says which sequences to ask about, and learns from the answers. What is asked is
how many chunks lie before a sequence; no chunk travels for it, so many are asked at once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

# How many others may have written at the same time, each as fast: then it is known where the
# chunk is. Besides them, the distances from the end grow like powers.
_WRITER_RATIOS = (1, 2, 3, 7, 15)

# The server looks through a block of messages for each question, so there are no more of
# them than it takes: few at first, and then one for so many messages of others.
_FIRST_QUERIES: Final = 16
_MESSAGES_PER_QUERY: Final = 12


class ChunkSearch:
    """What is known of an object's chunks: how many of them lie before which sequence.

    An object of `total` chunks has all of them before `revision`, its metadata.
    """

    def __init__(self, total: int, revision: int) -> None:
        self._total = total
        self._revision = revision
        self.reset()

    def reset(self) -> None:
        """Know nothing but what the metadata says."""
        self._seqs = [1, max(2, self._revision)]
        self._before = [0, self._total]

    def learn(self, seq: int, before: int) -> None:
        """So many chunks lie before that sequence. What cannot be is not believed."""
        index = bisect_left(self._seqs, seq)
        known = index < len(self._seqs) and self._seqs[index] == seq
        if not known and 0 <= before <= self._total:
            self._seqs.insert(index, seq)
            self._before.insert(index, before)

    def nearest(self, chunk: int) -> tuple[int, int]:
        """The last chunk up to this one of which a place is known, and the place.

        A replica that lags says that too many lie before: so who says few is right. Where no
        sequence is left for others between two places, every chunk's is known.
        """
        index = max(i for i, before in enumerate(self._before) if before <= chunk)
        before, seq = self._before[index], self._seqs[index]
        if index + 1 < len(self._seqs):
            chunks, sequences = self._before[index + 1] - before, self._seqs[index + 1] - seq
            if 0 < chunks == sequences:
                return chunk, seq + chunk - before
        return before, seq

    def candidates(self, chunk: int, most: int) -> list[int]:
        """Up to `most` sequences that tell more of where a chunk is; none if all is known.

        Between two known places lie as many sequences as there are chunks, and those of
        others. Counted in others, all chunks that follow one another are at one place.
        """
        k0, low = self.nearest(chunk)
        k1, high = next(
            (before, seq)
            for before, seq in zip(self._before, self._seqs, strict=True)
            if before > chunk and (seq > low or before == self._total)
        )
        first, last = low + chunk - k0, high - (k1 - chunk)
        others = last - first
        if k0 == chunk or others < 0:
            return []
        begin = len(self._seqs) == 2
        most = min(
            most, _FIRST_QUERIES if begin else _FIRST_QUERIES + others // _MESSAGES_PER_QUERY
        )
        if others < most:
            found = set(range(first, last + 1))
        elif begin:
            found = {last - back for back in _from_the_end(others, self._total - chunk, most)}
        else:
            even = low + (2 * (chunk - k0) + 1) * (high - low) // (2 * (k1 - k0))
            middle = max(first, min(even, last))
            found = {first, last, *_around(middle, first, last, most - 3)}
        return sorted(found.difference(self._seqs))


def _from_the_end(others: int, chunks: int, most: int) -> set[int]:
    """How many of others may lie behind a chunk that `chunks` of its object begin with."""
    found = {0, others}
    if most > 2 * len(_WRITER_RATIOS):
        # A little more, as a place just behind the chunk is of no use.
        tries = (chunks * n + chunks * n // 64 + 2 for n in _WRITER_RATIOS)
        found |= {back for back in tries if back < others}
    return found | set(_growing(others, most - len(found)))


def _around(middle: int, first: int, last: int, most: int) -> Iterator[int]:
    """Sequences near the middle, ever fewer with the distance, and some at even distances."""
    yield middle
    # A place behind the chunk is of use for the next question only, one before it at once.
    below, above = most // 2, most // 4
    yield from (middle - distance for distance in _growing(middle - first, below))
    yield from (middle + distance for distance in _growing(last - middle, above))
    evenly = most - below - above
    yield from (first + (last - first) * n // (evenly + 1) for n in range(1, evenly + 1))


def _growing(limit: int, most: int) -> list[int]:
    """Up to `most` distances from 1 to a limit, each some part larger than the one before."""
    if limit < 1 or most < 1:
        return []
    if limit <= most:
        return list(range(1, limit + 1))
    return sorted({round(limit ** (n / most)) for n in range(1, most + 1)})
