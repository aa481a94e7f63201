"""Chunks on their way to the stream: many in flight, every one acknowledged, in order.

Each chunk has an identity (`Nats-Msg-Id`), by which the server knows it again. So after an
outage all that is not known to be stored is simply sent again: what was stored already is
acknowledged as it was, and what is late from a broken connection is dropped
(docs/decisions/0014).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.api_errors import api_error
from jetstow._core.protocol.context import ErrorContext
from jetstow._core.protocol.message import Message, status
from jetstow._core.transport.mailbox import Mailbox
from jetstow._core.transport.retry import RETRIED_ERRORS
from jetstow._core.write.unacked import UnackedChunks
from jetstow.errors import JetstowError, ServerError

# Bytes of one upload that may wait for their acknowledgement: enough for 300 MiB/s over a
# round trip of 50 ms.
_WINDOW: Final = 16 * 1024 * 1024

# And chunks, however small they are: a stream refuses what comes while 10,000 messages wait.
_MOST_CHUNKS: Final = 1024

# What the identity adds to a chunk, in bytes, whatever its number.
ROOM_FOR_ID: Final = 64

# The server has seen the chunk, but not yet stored it: ask again.
_STILL_ON_ITS_WAY: Final = 10158

# So often chunks may turn out to be missing or misplaced in one upload.
_MOST_DOUBTS: Final = 32

# An upload that took longer, in seconds, counts its chunks before they get a name: somebody
# who collects garbage may have taken them for nobody's.
_LONG: Final = 1.0


class _Ack(msgspec.Struct):
    seq: int = 0
    error: dict[str, Any] | None = None


_decode = msgspec.json.Decoder(_Ack).decode


class InDoubtError(ServerError):
    """It is not known what is stored, or it is not where it should be."""


class _Answers(Mailbox):
    hear: Callable[[Message], None]

    def deliver(self, message: Message) -> None:
        self.hear(message)
        self.wake()


class Publisher:
    """Publishes to one subject, a window of bytes ahead of the acknowledgements.

    Chunk `i` is answered at `address.i.life`. A refusal of one chunk is raised by the next call.
    """

    def __init__(
        self,
        stream: Stream,
        context: ErrorContext,
        subject: str,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.stream = stream
        self.context = context
        self.subject = subject
        self.ledger = UnackedChunks()
        self.nobody_there = False
        self.refusal: JetstowError | None = None
        self._headers = headers or {}
        self._identity = subject.rpartition(".")[2]
        self._outage = stream.api.retry_policy(context)
        self._began = asyncio.get_running_loop().time()
        self._doubts = 0
        self._was_in_doubt = False
        self._sent_again = 0
        self._box: _Answers | None = None

    def adopt(self, chunks: int) -> None:
        """So many chunks are stored already; they are counted again at the end."""
        self.ledger.sent = self.ledger.stored = chunks
        self._was_in_doubt = chunks > 0

    async def start(self) -> None:
        """Make ready to send. Raises `ConnectionLostError` or `PermissionDeniedError`."""
        self._box = await self.stream.api.open(_Answers, self.context)
        self._box.hear = self.hear

    async def write(self, chunk: memoryview) -> None:
        """Send the next chunk, once the window has room for it."""
        size = chunk.nbytes
        await self.until(lambda: self._has_room(size))
        await self.stream.api.inbox.outbound.acquire(size)
        number = self.ledger.add(chunk)
        await self.or_go_on(self.send_chunk(number))

    async def finish(self) -> None:
        """Wait until every chunk is stored."""
        await self.until(lambda: not self.ledger.buffered)
        if self._was_in_doubt or asyncio.get_running_loop().time() - self._began > _LONG:
            await self._count()

    async def settle(self) -> None:
        """Wait until every chunk is answered, whatever the answers are."""
        while not self.ledger.is_answered:
            await self.box.wait()

    def close(self) -> None:
        """Hold nothing any more."""
        if self._box is not None:
            self._box.close()
        self.give(self.ledger.buffered_bytes)

    # -- for the batches, too --------------------------------------------------------------

    @property
    def box(self) -> Mailbox:
        """Where the answers arrive."""
        assert self._box is not None, "a publisher is started first"
        return self._box

    def give(self, size: int) -> None:
        """So many bytes are not on their way any more."""
        self.stream.api.inbox.outbound.release(size)

    def identity(self, number: int) -> dict[str, str]:
        """A chunk's headers, by which the server knows it again."""
        life = self.ledger.attempt(number)
        own = {"Nats-Msg-Id": f"{self._identity}.{number}" + (f".{life}" if life else "")}
        return own | self._headers if self._headers else own

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for answers until it is so, outages or not. Raises what speaks against it."""
        while True:
            try:
                await self.check()
                while not is_so():
                    await self.box.wait()
                    await self.check()
                return
            except (*RETRIED_ERRORS, InDoubtError) as error:
                await self._go_on(error)

    async def or_go_on(self, step: Awaitable[None]) -> None:
        """Send something; after an outage, all that is held."""
        try:
            await step
        except RETRIED_ERRORS as error:
            await self._go_on(error)

    async def send_chunk(self, number: int) -> None:
        """Send a chunk that is held, by itself."""
        suffix = f".{number}.{self.ledger.attempt(number)}"
        chunk, headers = self.ledger.chunk(number), self.identity(number)
        await self.box.send(self.subject, chunk, headers=headers, suffix=suffix)

    async def send_again(self) -> None:
        """Send all that is not known to be stored."""
        self.box.close()
        await self.start()
        self.nobody_there = False
        self._was_in_doubt = True
        self._sent_again = self.ledger.sent
        if self.stream.api.retry_timeout:
            await self.stream.info()  # answered by a leader, once there is one
        for number in self.ledger.unacked():
            await self.send_chunk(number)

    async def check(self) -> None:
        """Raise what the server said against a chunk; mend what it has misplaced."""
        if self.nobody_there:
            raise await self.stream.no_responders_error(self.context)
        if self.refusal is not None:
            raise self.refusal
        if self.ledger.has_gap and self.ledger.stored >= self._sent_again:
            # A leader that steps down drops chunks, and the next one stores those behind.
            raise self.doubt("the server left out chunks of {}")
        if wrong := self.ledger.take_misplaced():
            await self._put_right(wrong)

    def doubt(self, sentence: str) -> InDoubtError:
        """The error for what is not as it should be."""
        return self.context.error(InDoubtError, sentence.format(self.context))

    def hear(self, message: Message) -> None:
        """Take an answer."""
        number, life = (int(part) for part in message.subject.rsplit(".", 2)[1:])
        if status(message) is not None:
            self.nobody_there = True
            self.ledger.refuse(number)
            return
        try:
            ack = _decode(message.data)
        except (ValueError, RecursionError):
            ack = _Ack()
        self._outage.succeeded()
        if ack.error is None and ack.seq > 0:
            self.give(self.ledger.store(number, life, ack.seq))
            return
        self.ledger.refuse(number)
        if ack.error is None:
            broken = self.context.error(
                ServerError, f"an acknowledgement for {self.context} is broken"
            )
            self.refusal = self.refusal or broken
        elif ack.error.get("err_code") != _STILL_ON_ITS_WAY:
            self.refusal = self.refusal or api_error(self.context, ack.error)

    # -- inside ----------------------------------------------------------------------------

    def _has_room(self, size: int) -> bool:
        ledger = self.ledger
        fits = ledger.buffered_bytes + size <= _WINDOW and ledger.buffered < _MOST_CHUNKS
        return fits or not ledger.buffered

    async def _go_on(self, error: JetstowError) -> None:
        while True:
            if isinstance(error, InDoubtError):
                self._doubts += 1
                if self._doubts > _MOST_DOUBTS:
                    raise error
            else:
                await self._outage.wait_or_raise(error)
            try:
                return await self.send_again()
            except RETRIED_ERRORS as again:
                error = again

    async def _put_right(self, wrong: dict[int, int]) -> None:
        """Take chunks out that lie before those they should follow, and send them again."""
        self._doubts += 1
        self._was_in_doubt = True
        if self._doubts > _MOST_DOUBTS:
            raise self.doubt("the server stores the chunks of {} out of order")
        for seq in wrong.values():
            await self.stream.delete_message(self.context, seq)
        for number in wrong:
            await self.send_chunk(number)

    async def _count(self) -> None:
        stored = await self.stream.count(self.context, self.subject)
        if stored != self.ledger.sent:
            raise self.context.error(
                ServerError,
                f"of {self.ledger.sent} chunks of {self.context}, {stored} are in the stream: "
                "somebody else has changed them, or the connection was lost for too long",
            )
