"""The chunks of an object as they arrive: checked, and taken at once or returned in lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

from jetstow._core.aio import telemetry
from jetstow._core.protocol.chunk_id import MSG_ID, chunk_number
from jetstow._core.read.windows import WindowMessage

TakeData: TypeAlias = Callable[[bytes], bool]
"""Takes the bytes of the next chunk, or returns False. They may be a view that is reused later."""


class Position(NamedTuple):
    """The number of a chunk, and a stream sequence at or before its own."""

    chunk: int = 0
    seq: int = 1


class Arrivals:
    """The arriving chunks of an object that has `total` chunks, from `start` up to chunk `end`.

    `next` is the position of the next chunk.
    """

    def __init__(self, bucket: str, total: int, start: Position, end: int) -> None:
        self.next = start
        self._bucket = bucket
        self._total = total
        self._end = end
        self._origin: Position | None = None
        self._take: TakeData | None = None
        self._uncounted_chunks = self._uncounted_bytes = 0

    def start_window_sequence(self, take: TakeData | None) -> None:
        """Start with new windows, whose chunks are offered to `take`."""
        self._origin, self._take = None, take

    def take(self, message: WindowMessage) -> bool:
        """Process a message that has just arrived. Return False if it must be accepted later."""
        if message.seq < self.next.seq:
            return True  # the window was requested ahead, and starts a little too early
        is_expected = self._is_next(message) and self.next.chunk < self._end
        if self._take is None or not is_expected or not self._take(message.data):
            return False
        self.accept_next(message.seq, message.data)
        return True

    def accept(self, messages: list[WindowMessage]) -> tuple[list[bytes], bool]:
        """Return the chunks before the first unexpected message, and whether there is none.

        The list is emptied, so that only the returned one refers to the chunks.
        """
        try:
            return self._accept(messages)
        finally:
            messages.clear()

    def _accept(self, messages: Iterable[WindowMessage]) -> tuple[list[bytes], bool]:
        batch: list[bytes] = []
        for message in messages:
            if message.seq < self.next.seq:
                continue
            if not self._is_next(message):
                return batch, False
            self.accept_next(message.seq, message.data)
            batch.append(message.data)
            if self.next.chunk == self._end:
                break
        return batch, True

    def count(self) -> None:
        """Count the chunks since the last call in the metrics."""
        if self._uncounted_chunks:
            telemetry.count_chunk(
                "read", self._bucket, self._uncounted_bytes, self._uncounted_chunks
            )
            self._uncounted_chunks = self._uncounted_bytes = 0

    def last_contiguous(self) -> Position | None:
        """Return the last chunk if all since the start of these windows are contiguous.

        The start of the next window is then known.
        """
        chunk, seq = self.next.chunk - 1, self.next.seq - 1
        origin = self._origin
        if origin is None or self.next.chunk >= self._end:
            return None
        return Position(chunk, seq) if seq - origin.seq == chunk - origin.chunk else None

    def accept_next(self, seq: int, data: bytes) -> None:
        """Count a message as the next chunk."""
        chunk = self.next.chunk
        if self._origin is None:
            self._origin = Position(chunk, seq)
        self.next = Position(chunk + 1, seq + 1)
        self._uncounted_chunks += 1
        self._uncounted_bytes += len(data)

    def _is_next(self, message: WindowMessage) -> bool:
        # The number of messages that follow identifies the chunk.
        if message.pending != self._total - self.next.chunk - 1:
            return False
        if self._origin is not None or not self.next.chunk:
            return True
        # A range begins here. A lagging replica may have counted wrongly, as the one that found the
        # position did. Then the message id shows it, if the writer was jetstow.
        message_id = (message.received.headers or {}).get(MSG_ID, "")
        number = chunk_number(message.subject.rpartition(".")[2], message_id)
        return number is None or number == self.next.chunk
