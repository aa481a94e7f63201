"""Chunks on their way to the stream: many in flight, every one acknowledged, in order."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from jetstow._core.jetstream import refusal, status
from jetstow._core.mailbox import Mailbox, Message
from jetstow._core.replies import Replies
from jetstow._core.stream import Stream
from jetstow._core.target import Target
from jetstow.errors import JetstowError, ServerError

# Bytes of one upload that may wait for their acknowledgement: enough for 300 MiB/s over a
# round trip of 50 ms.
_WINDOW: Final = 16 * 1024 * 1024

# And chunks, however small they are: a stream refuses what comes while 10,000 messages wait.
_MOST_CHUNKS: Final = 1024


class _Ack(msgspec.Struct):
    seq: int = 0
    error: dict[str, Any] | None = None


_decode = msgspec.json.Decoder(_Ack).decode


class Publisher(Mailbox):
    """Publishes to one subject, a window of bytes ahead of the acknowledgements.

    Chunk `i` is answered at `address.i`. A refusal of one chunk is raised by the next call.
    """

    def __init__(self, replies: Replies, token: str, target: Target, patience: float) -> None:
        super().__init__(replies, token, target, patience)
        self.sent = 0
        self._published = 0
        self._stored = 0
        self._last_seq = 0
        self._waiting: dict[int, int] = {}
        self._bytes_waiting = 0
        self._refusal: JetstowError | None = None
        self._nobody_there = False

    async def write(self, stream: Stream, subject: str, chunk: memoryview) -> None:
        """Send the next chunk, once the window has room for it."""
        size = chunk.nbytes
        while not self._has_room(size):
            await self.check(stream)
            await self.wait()
        await self.check(stream)
        await self.replies.outbound.take(size)
        index = self._published
        self._waiting[index] = size
        self._bytes_waiting += size
        self._published += 1
        self.sent += 1
        await self.send(subject, chunk, suffix=f".{index}")

    def _has_room(self, size: int) -> bool:
        fits = self._bytes_waiting + size <= _WINDOW and len(self._waiting) < _MOST_CHUNKS
        return fits or not self._waiting

    async def finish(self, stream: Stream) -> None:
        """Wait until every chunk is stored."""
        while self._waiting:
            await self.check(stream)
            await self.wait()
        await self.check(stream)

    async def settle(self) -> None:
        """Wait until every chunk is answered, whatever the answers are."""
        while self._waiting:
            await self.wait()

    async def check(self, stream: Stream) -> None:
        """Raise what the server said against a chunk."""
        if self._nobody_there:
            raise await stream.absence(self.target)
        if self._refusal is not None:
            raise self._refusal

    def deliver(self, message: Message) -> None:
        index = int(message.subject.rpartition(".")[2])
        self._answered(index)
        if status(message) is not None:
            self._nobody_there = True
        elif self._refusal is None:
            self._refusal = self._judge(index, message)
        self.wake()

    def _judge(self, index: int, message: Message) -> JetstowError | None:
        try:
            ack = _decode(message.data)
        except msgspec.MsgspecError:
            return self.target.error(ServerError, f"an acknowledgement for {self.target} is broken")
        if ack.error is not None:
            return refusal(self.target, ack.error)
        if index != self._stored or ack.seq <= self._last_seq:
            return self._out_of_order()
        self._stored, self._last_seq = index + 1, ack.seq
        return None

    def _out_of_order(self) -> JetstowError:
        return self.target.error(
            ServerError, f"the server stored the chunks of {self.target} out of order"
        )

    def _answered(self, index: int) -> None:
        size = self._waiting.pop(index, 0)
        self._bytes_waiting -= size
        self.replies.outbound.give(size)

    def close(self) -> None:
        super().close()
        for index in list(self._waiting):
            self._answered(index)
