"""Publish the chunks of one object: a window of them in flight, each one acknowledged, in order.

Each chunk carries a message id (`Nats-Msg-Id`). After a lost connection every unacknowledged chunk
is sent again; the server acknowledges those it has and drops duplicates (docs/decisions/0014).
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final

from jetstow._core.aio.congestion_window import Departure
from jetstow._core.bucket.publish import check_ack, no_responders_error
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.api_errors import api_error
from jetstow._core.protocol.chunk_id import MSG_ID, chunk_id
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.message import Message, status
from jetstow._core.protocol.pub_ack import decode_ack
from jetstow._core.protocol.subjects import chunk_subject
from jetstow._core.transport.mailbox import Mailbox
from jetstow._core.transport.retry import RETRIED_ERRORS, RetryPolicy
from jetstow._core.write.full_bucket import FullBucket
from jetstow._core.write.unacked import UnackedChunks
from jetstow.errors import JetstowError, ServerError, TimeoutError, WrongStreamError

# Unacknowledged bytes of one upload: enough for 300 MiB/s over a round trip of 50 ms.
MAX_UNACKED_BYTES: Final = 16 * 1024 * 1024

# Unacknowledged chunks of one upload: a stream refuses messages while 10,000 wait for it.
MAX_UNACKED_CHUNKS: Final = 1024

# The bytes that the message id adds to a chunk, whatever the chunk's number.
MSG_ID_SIZE: Final = 64

# The server has received a duplicate of a chunk that it has not stored yet: its own reply follows.
_DUPLICATE_IN_PROGRESS: Final = 10158

# How often one upload may find chunks missing or out of order before it fails.
_MAX_REORDERS: Final = 32

# An upload that took longer, in seconds, counts its chunks before the commit: a `collect_garbage`
# with a short grace period may have removed some.
_COUNT_AFTER: Final = 1.0


class OutOfOrderError(ServerError):
    """The server stored chunks out of order, or it is not known which it stored."""


class _AckMailbox(Mailbox):
    on_ack: Callable[[Message], None]

    def deliver(self, message: Message) -> None:
        self.on_ack(message)
        self.wake()


class ChunkPublisher:
    """Publishes chunks to one subject, ahead of their acknowledgements by a window of bytes.

    The reply subject of chunk `i` is `<mailbox>.<i>.<attempt>`. `stored` chunks are in the stream
    already; they are counted at the end. If the server refuses a chunk, the next call raises it.
    """

    def __init__(
        self,
        stream: Stream,
        context: ErrorContext,
        nuid: str,
        headers: dict[str, str] | None = None,
        stored: int = 0,
    ) -> None:
        self.unacked = UnackedChunks(stored)
        self._stream = stream
        self._context = context
        self._nuid = nuid
        self._subject = chunk_subject(stream.subject_bucket, nuid)
        self._headers = headers
        self._inbox = stream.api.inbox
        self._mailbox: _AckMailbox
        # The chunks in the connection's window, by number.
        self._in_flight: dict[int, Departure] = {}
        self._policy: RetryPolicy | None = None
        self._started_at = monotonic()
        self._must_count = stored > 0
        self._reorders = 0
        self._resent_below = 0
        self._held_below = 0
        self._no_responders = False
        self._refusal: JetstowError | None = None
        self._full_bucket = FullBucket(stream.purges)

    async def start(self) -> None:
        """Open the mailbox for acknowledgements.

        Raises: `ConnectionLostError`, `PermissionDeniedError`.
        """
        api = self._stream.api
        self._mailbox = await self._inbox.open_mailbox(_AckMailbox, self._context, api.timeout)
        self._mailbox.on_ack = self._on_ack
        self._mailbox.on_silence = self._stream.disk_probe

    async def write(self, chunk: memoryview) -> None:
        """Send the next chunk once the window has space for it."""
        size = chunk.nbytes
        if self._has_problem() or not self._has_space(size):
            await self._wait_until(lambda: self._has_space(size))
        number = self.unacked.add(chunk)
        try:
            await self._send(number)
        except (*RETRIED_ERRORS, OutOfOrderError) as error:
            await self._recover(error)

    async def resend(self, chunk: memoryview, policy: RetryPolicy) -> None:
        """Send the first chunk again: it was sent without this publisher, and got no answer."""
        self.unacked.add(chunk)
        self._policy = policy
        try:
            await self._resend_all()
        except (*RETRIED_ERRORS, OutOfOrderError) as error:
            await self._recover(error)

    async def finish(self) -> None:
        """Wait until every chunk is stored."""
        await self._wait_until(lambda: not self.unacked.chunks)
        if self._must_count or monotonic() - self._started_at > _COUNT_AFTER:
            await self._check_count()

    async def wait_for_replies(self) -> None:
        """Wait until the server has answered every chunk, whatever the answers are."""
        while not self.unacked.unanswered.isdisjoint(self._in_flight):
            await self._mailbox.wait()

    def close(self) -> None:
        """Close the mailbox and release the memory."""
        self._mailbox.close()
        self._release_in_flight()

    # -- sending -----------------------------------------------------------------------------

    async def _send(self, number: int) -> None:
        """Send a chunk once the connection's window has space for it."""
        chunk = self.unacked.chunks[number]
        departure = self._inbox.outbound.try_acquire(chunk.nbytes)
        self._in_flight[number] = departure or await self._reserve(chunk.nbytes)
        attempt = self.unacked.send(number)
        self._full_bucket.record_send(number)
        headers = {MSG_ID: chunk_id(self._nuid, number, attempt)}
        if self._headers:
            headers |= self._headers
        subject = self._stream.publish_subject(self._subject)
        await self._mailbox.send(subject, chunk, headers=headers, suffix=f".{number}.{attempt}")

    async def _reserve(self, size: int) -> Departure:
        window = self._inbox.outbound
        try:
            return await self._mailbox.reserve(window, size, self._handle_problem)
        except TimeoutError:
            if self._in_flight:
                raise
            # The bytes in flight are not answered, as a leader was lost.
            window.clear()
            return window.take(size)

    async def _recover(self, error: JetstowError) -> None:
        """Send all unacknowledged chunks again, once that makes sense. Raise `error` if not."""
        while True:
            if isinstance(error, OutOfOrderError):
                self._count_reorder(error)
            else:
                if self._policy is None:
                    self._policy = self._stream.api.retry_policy(self._context)
                await self._policy.wait_or_raise(error)
            try:
                return await self._resend_all()
            except (*RETRIED_ERRORS, OutOfOrderError) as again:
                error = again

    async def _resend_all(self) -> None:
        self._mailbox.close()
        self._release_in_flight()
        await self.start()
        self._no_responders = False
        self._must_count = True
        self._resent_below = self.unacked.sent
        if self._stream.api.retry_timeout:
            await self._stream.info()  # only a leader answers: wait until there is one
        for number in self.unacked.restart():
            await self._send(number)

    # -- replies -----------------------------------------------------------------------------

    def _on_ack(self, message: Message) -> None:
        _, number_token, attempt_token = message.subject.rsplit(".", 2)
        number = int(number_token)
        if (departure := self._in_flight.pop(number, None)) is not None:
            self._inbox.outbound.answer(departure)
        if not message.data and status(message) is not None:
            self._no_responders = True
            self.unacked.refuse(number)
            return
        ack = decode_ack(message.data)
        if self._policy is not None:
            self._policy.succeeded()
        if ack.error is None and ack.seq > 0:
            if number not in self.unacked.chunks:
                return  # a duplicate, or a copy in another domain
            if (ack.stream, ack.domain) != self._stream.ack_origin:
                try:
                    check_ack(self._stream, self._context, ack.stream, ack.domain)
                except WrongStreamError as error:
                    self._refuse(error)
                    return
            self.unacked.acknowledge(number, int(attempt_token), ack.seq)
            return
        self.unacked.refuse(number)
        if ack.error is None:
            text = f"the acknowledgement of a chunk of {self._context} cannot be parsed: "
            self._refuse(self._context.error(ServerError, f"{text}{message.data[:80]!r}"))
        elif ack.error.get("err_code") != _DUPLICATE_IN_PROGRESS:
            refusal = api_error(self._context, ack.error)
            if not self._full_bucket.record_refusal(number, refusal):
                self._refuse(refusal)

    def _refuse(self, error: JetstowError) -> None:
        self._refusal = self._refusal or error

    async def _wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait for replies until the condition holds, over lost connections. Raise a refusal."""
        while True:
            try:
                await self._handle_problem()
                while not condition():
                    await self._mailbox.wait()
                    await self._handle_problem()
                return
            except (*RETRIED_ERRORS, OutOfOrderError) as error:
                await self._recover(error)

    def _has_problem(self) -> bool:
        is_refused = self._refusal is not None or self._full_bucket.has_refused
        return bool(self._no_responders or is_refused or self.unacked.early)

    async def _handle_problem(self) -> None:
        """Raise what the server answered; send chunks again that it stored out of order."""
        if not self._has_problem():
            return
        if self._no_responders:
            raise await no_responders_error(self._stream, self._context, self._subject)
        if self._refusal is not None:
            raise self._refusal
        if self._full_bucket.has_refused:
            await self._full_bucket.wait_for_space()
            raise self._out_of_order()  # later chunks may have been stored
        if self.unacked.has_gap and self.unacked.stored >= self._resent_below:
            # A leader that steps down drops chunks, and the next leader stores later ones.
            raise self._out_of_order()
        if misplaced := self.unacked.take_misplaced():
            self._must_count = True
            self._count_reorder(self._out_of_order())
            for seq in misplaced.values():
                await self._stream.delete_message(self._context, seq)
            # Chunks in flight are then misplaced, too: send no new one until these are stored.
            self._held_below = self.unacked.sent
            for number in misplaced:
                await self._send(number)

    def _count_reorder(self, error: OutOfOrderError) -> None:
        self._reorders += 1
        if self._reorders > _MAX_REORDERS:
            raise error

    def _out_of_order(self) -> OutOfOrderError:
        text = f"the server dropped or reordered chunks of {self._context}"
        return self._context.error(OutOfOrderError, text)

    def _release_in_flight(self) -> None:
        """Return the window's space of chunks that will not be answered."""
        while self._in_flight:
            self._inbox.outbound.release(self._in_flight.popitem()[1])

    def _has_space(self, size: int) -> bool:
        unacked, buffered = self.unacked, len(self.unacked.chunks)
        fits = unacked.size + size <= MAX_UNACKED_BYTES and buffered < MAX_UNACKED_CHUNKS
        return (fits and unacked.stored >= self._held_below) or not buffered

    async def _check_count(self) -> None:
        count = await self._stream.count_messages(self._context, self._subject)
        if count != self.unacked.sent:
            raise self._context.error(
                ServerError,
                f"of {self.unacked.sent} chunks of {self._context}, {count} are in the stream: "
                "another client changed them, or the connection was lost for too long",
            )
