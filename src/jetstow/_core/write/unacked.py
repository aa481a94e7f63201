"""Which chunks of an upload are stored, and in which order. Nothing here talks to anybody.

A chunk is held until it is known to be stored behind the one before it: then, and not when
it is sent, its bytes may be forgotten. So whatever becomes of the connection or of the
stream's leader, all that is not surely in its place can be sent again.
"""

from __future__ import annotations

from collections.abc import Iterator


class UnackedChunks:
    """The chunks of one upload, numbered from 0.

    `sent` is how many there are, `stored` how many of them lie in their places, and
    `last_seq` the stream's sequence of the last one of these that has been told.
    """

    def __init__(self) -> None:
        self.sent = 0
        self.stored = 0
        self.last_seq = 0
        self.buffered_bytes = 0
        self._buffered: dict[int, memoryview] = {}
        self._attempts: dict[int, int] = {}
        self._unanswered: set[int] = set()
        self._seqs: dict[int, int] = {}

    @property
    def buffered(self) -> int:
        """How many chunks are held."""
        return len(self._buffered)

    @property
    def is_answered(self) -> bool:
        """Whether the server has said something of every chunk."""
        return not self._unanswered

    @property
    def may_have_stored(self) -> bool:
        """Whether anything of it is in the stream, or on its way there."""
        return bool(self.stored or self._seqs or self._unanswered)

    @property
    def has_gap(self) -> bool:
        """Whether chunks are stored behind one of which the server has said nothing."""
        return bool(self._seqs) and self.stored not in self._seqs

    def add(self, chunk: memoryview) -> int:
        """Hold the next chunk; return its number."""
        number = self.sent
        self._buffered[number] = chunk
        self._unanswered.add(number)
        self.buffered_bytes += chunk.nbytes
        self.sent += 1
        return number

    def chunk(self, number: int) -> memoryview:
        """The bytes of a chunk that is held."""
        return self._buffered[number]

    def attempt(self, number: int) -> int:
        """How often a chunk was stored in a wrong place and taken out again."""
        return self._attempts.get(number, 0)

    def unacked(self) -> Iterator[int]:
        """The chunks that are held, to be sent again, as if nothing had been said of them."""
        self._seqs.clear()
        self._unanswered = set(self._buffered)
        return iter(tuple(self._buffered))

    def refuse(self, number: int) -> None:
        """The server has answered, but not stored it."""
        self._unanswered.discard(number)

    def store(self, number: int, life: int, seq: int) -> int:
        """A chunk is stored at a sequence; return the bytes that are let go for it."""
        if number not in self._buffered or life != self.attempt(number):
            return 0
        self._unanswered.discard(number)
        self._seqs[number] = seq
        let_go = 0
        while (seq := self._seqs.get(self.stored, 0)) > self.last_seq:
            del self._seqs[self.stored]
            self.last_seq = seq
            let_go += self._release(self.stored)
        return let_go

    def take_misplaced(self) -> dict[int, int]:
        """The sequences of chunks that lie before the one that they should follow.

        From now on they count as not sent.
        """
        if self.stored not in self._seqs:
            return {}
        wrong = {number: seq for number, seq in self._seqs.items() if seq <= self.last_seq}
        for number in wrong:
            del self._seqs[number]
            self._attempts[number] = self.attempt(number) + 1
            self._unanswered.add(number)
        return dict(sorted(wrong.items()))

    def _release(self, number: int) -> int:
        chunk = self._buffered.pop(number)
        self._unanswered.discard(number)
        self._attempts.pop(number, None)
        self.stored = number + 1
        self.buffered_bytes -= chunk.nbytes
        return chunk.nbytes
