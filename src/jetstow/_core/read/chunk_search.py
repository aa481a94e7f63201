"""Search for the sequence of a chunk, from counts of the chunks before other sequences.

Other writers' messages are stored between the chunks of an object. So only bounds of a chunk's
sequence follow from the sequences around it. `candidates` returns sequences within these bounds.
The caller queries how many of the object's chunks are before each one; `learn` narrows the bounds
by these counts. A count transfers no chunk, so many sequences are queried at once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

# Numbers of other writers, each as fast as the object's. If one of them applies, the first round
# locates the chunk. The other distances from the end grow exponentially.
_WRITER_RATIOS: Final = (1, 2, 3, 7, 15)

# The server searches one block of messages for each query, so no more are sent than needed: these
# in the first round, later one more for this many messages of other writers.
_FIRST_QUERIES: Final = 16
_MESSAGES_PER_QUERY: Final = 12


class ChunkSearch:
    """The known positions in the stream of an object with `total` chunks.

    A position is a sequence and the number of the object's chunks before it. All chunks are before
    `revision`, the sequence of the metadata.
    """

    def __init__(self, total: int, revision: int) -> None:
        self._total = total
        self._revision = revision
        self.reset()

    def reset(self) -> None:
        """Forget all positions except those that follow from the metadata."""
        self._seqs = [1, max(2, self._revision)]
        self._before = [0, self._total]

    def learn(self, seq: int, before: int) -> None:
        """Add a position: `before` chunks are before `seq`. Impossible counts are ignored."""
        index = bisect_left(self._seqs, seq)
        is_known = index < len(self._seqs) and self._seqs[index] == seq
        if not is_known and 0 <= before <= self._total:
            self._seqs.insert(index, seq)
            self._before.insert(index, before)

    def nearest(self, chunk: int) -> tuple[int, int]:
        """Return the last known position up to a chunk: the number of a chunk, and a sequence.

        That chunk has this sequence or a higher one. A lagging replica reports too many chunks
        before a sequence: if two counts contradict each other, the lower one is right. If two
        positions are as far apart as their counts, no other message is between them, and the
        sequence of each chunk is known.
        """
        index = max(i for i, before in enumerate(self._before) if before <= chunk)
        before, seq = self._before[index], self._seqs[index]
        if index + 1 < len(self._seqs):
            chunks, sequences = self._before[index + 1] - before, self._seqs[index + 1] - seq
            if 0 < chunks == sequences:
                return chunk, seq + chunk - before
        return before, seq

    def candidates(self, chunk: int, limit: int) -> list[int]:
        """Return up to `limit` sequences to query for a chunk, sorted; none if it is located.

        Between the two nearest positions are chunks of the object and messages of other writers.
        The chunk's sequence is `first` if all of these messages come after it, and `last` if all
        come before it. Consecutive chunks have the same number of them before their own.
        """
        low_chunk, low = self.nearest(chunk)
        high_chunk, high = next(
            (before, seq)
            for before, seq in zip(self._before, self._seqs, strict=True)
            if before > chunk and (seq > low or before == self._total)
        )
        first, last = low + chunk - low_chunk, high - (high_chunk - chunk)
        others = last - first
        if low_chunk == chunk or others < 0:
            return []
        is_first_round = len(self._seqs) == 2
        max_queries = _FIRST_QUERIES
        if not is_first_round:
            max_queries += others // _MESSAGES_PER_QUERY
        limit = min(limit, max_queries)
        if others < limit:
            result = set(range(first, last + 1))
        elif is_first_round:
            distances = _distances_from_end(others, self._total - chunk, limit)
            result = {last - distance for distance in distances}
        else:
            chunks, sequences = high_chunk - low_chunk, high - low
            interpolated = low + (2 * (chunk - low_chunk) + 1) * sequences // (2 * chunks)
            middle = max(first, min(interpolated, last))
            result = {first, last, *_around(middle, first, last, limit - 3)}
        return sorted(result.difference(self._seqs))


def _distances_from_end(others: int, chunks: int, limit: int) -> set[int]:
    """Return likely distances of a chunk from the last possible sequence, from 0 to `others`.

    A distance is the number of other writers' messages after the chunk. `chunks` is the number of
    the object's chunks from that chunk to the end.
    """
    result = {0, others}
    if limit > 2 * len(_WRITER_RATIOS):
        # A little more, as a download cannot start at a sequence directly after the chunk.
        estimates = (chunks * ratio + chunks * ratio // 64 + 2 for ratio in _WRITER_RATIOS)
        result |= {distance for distance in estimates if distance < others}
    return result | set(_growing_distances(others, limit - len(result)))


def _around(middle: int, first: int, last: int, limit: int) -> Iterator[int]:
    """Yield sequences that are dense around the middle, and some at equal distances."""
    yield middle
    # A download can start at a sequence before the chunk. One after it only narrows the bounds for
    # the next round, so fewer of these are queried.
    below, above = limit // 2, limit // 4
    yield from (middle - distance for distance in _growing_distances(middle - first, below))
    yield from (middle + distance for distance in _growing_distances(last - middle, above))
    rest = limit - below - above
    yield from (first + (last - first) * n // (rest + 1) for n in range(1, rest + 1))


def _growing_distances(longest: int, limit: int) -> list[int]:
    """Return up to `limit` distances from 1 to `longest`, which grow exponentially."""
    if longest < 1 or limit < 1:
        return []
    if longest <= limit:
        return list(range(1, longest + 1))
    return sorted({round(longest ** (n / limit)) for n in range(1, limit + 1)})
