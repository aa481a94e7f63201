"""The chunks of an upload that are not known to be stored in order. No I/O.

A chunk stays here until the server has stored it behind its predecessor. Until then it can be sent
again, after a lost connection or a change of the stream's leader.
"""

from __future__ import annotations


class UnackedChunks:
    """The unacknowledged chunks of one upload, numbered from 0.

    `sent` counts the chunks added, `stored` those stored in order, up to stream sequence
    `last_seq`. `chunks` maps the number of each other chunk to its bytes, `size` in all.
    `unanswered` holds the numbers of those that were sent and have no reply. `early` maps chunks
    with an acknowledgement whose place in the order is not known yet to their stream sequences; it
    is empty in a normal upload.
    """

    def __init__(self, stored: int = 0) -> None:
        self.sent = self.stored = stored
        self.last_seq = 0
        self.size = 0
        self.chunks: dict[int, memoryview] = {}
        self.unanswered: set[int] = set()
        self.early: dict[int, int] = {}
        # How often a chunk was stored out of order and deleted again. Its message id changes
        # each time: the server would drop a message with the id of the deleted one.
        self.attempts: dict[int, int] = {}

    @property
    def may_have_stored(self) -> bool:
        """Whether a chunk of the upload is in the stream or on its way there."""
        return bool(self.stored or self.early or self.unanswered)

    @property
    def has_gap(self) -> bool:
        """Whether chunks are stored that follow one without a reply."""
        return bool(self.early) and self.stored not in self.early

    def add(self, chunk: memoryview) -> int:
        """Add the next chunk. Return its number."""
        number = self.sent
        self.chunks[number] = chunk
        self.size += chunk.nbytes
        self.sent += 1
        return number

    def send(self, number: int) -> int:
        """Record that a chunk is being sent. Return its attempt."""
        self.unanswered.add(number)
        return self.attempts.get(number, 0)

    def restart(self) -> tuple[int, ...]:
        """Forget the replies to all chunks. Return their numbers, to be sent again."""
        self.early.clear()
        self.unanswered = set(self.chunks)
        return tuple(self.chunks)

    def refuse(self, number: int) -> None:
        """Record a reply that did not store the chunk."""
        self.unanswered.discard(number)

    def acknowledge(self, number: int, attempt: int, seq: int) -> int:
        """Record that a chunk is stored at a sequence. Return how many bytes are released."""
        if number not in self.chunks or attempt != self.attempts.get(number, 0):
            return 0
        self.unanswered.discard(number)
        self.early[number] = seq
        released = 0
        while (seq := self.early.get(self.stored, 0)) > self.last_seq:
            del self.early[self.stored]
            self.last_seq = seq
            released += self._release(self.stored)
        return released

    def take_misplaced(self) -> dict[int, int]:
        """Return the sequences of chunks stored before their predecessor, by number.

        They count as unanswered again, with a new attempt.
        """
        if self.stored not in self.early:
            return {}
        misplaced = {number: seq for number, seq in self.early.items() if seq <= self.last_seq}
        for number in misplaced:
            del self.early[number]
            self.attempts[number] = self.attempts.get(number, 0) + 1
            self.unanswered.add(number)
        return dict(sorted(misplaced.items()))

    def _release(self, number: int) -> int:
        chunk = self.chunks.pop(number)
        self.unanswered.discard(number)
        self.attempts.pop(number, None)
        self.stored = number + 1
        self.size -= chunk.nbytes
        return chunk.nbytes
