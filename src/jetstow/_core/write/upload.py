"""Store the chunks of one object: a single one by one message, several by a `ChunkPublisher`."""

from __future__ import annotations

from jetstow._core.aio.congestion_window import Departure
from jetstow._core.bucket.publish import send_message, wait_stored
from jetstow._core.bucket.publish_reply import PublishReply
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.chunk_id import MSG_ID, chunk_id
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.subjects import chunk_subject
from jetstow._core.transport.retry import RETRIED_ERRORS
from jetstow._core.write.chunk_publisher import ChunkPublisher
from jetstow._core.write.full_bucket import FullBucket
from jetstow.errors import BucketFullError


class _ChunkReply(PublishReply):
    """The acknowledgement of a chunk that takes space in the connection's window."""

    departure: Departure | None = None

    def _end(self) -> None:
        super()._end()
        if self.departure is None:
            return
        if self.message is None:
            self._inbox.outbound.release(self.departure)
        else:
            self._inbox.outbound.answer(self.departure)


class Upload:
    """The chunks of one object. `stored` of them are in the stream already; `count` is of all.

    The first chunk is held back until there is a second one. If it remains the only one, it needs
    no window and no mailbox. What goes wrong with it is left to a `ChunkPublisher`, which waits for
    space, or sends the same chunk again.
    """

    def __init__(
        self,
        stream: Stream,
        context: ErrorContext,
        nuid: str,
        headers: dict[str, str] | None,
        stored: int = 0,
    ) -> None:
        self.count = stored
        self._stream = stream
        self._context = context
        self._nuid = nuid
        self._headers = headers
        self._stored = stored
        self._only: memoryview | None = None
        self._reply: _ChunkReply | None = None
        self._full_bucket: FullBucket | None = None
        self._publisher: ChunkPublisher | None = None

    async def write(self, chunk: memoryview) -> None:
        """Send the next chunk once the window has space for it."""
        if self.count:
            publisher = self._publisher or await self._start_publisher()
            await publisher.write(chunk)
        else:
            self._only = chunk
        self.count += 1

    async def flush(self) -> None:
        """Send the chunk that is held back, if there is one. `finish` comes next."""
        if self._only is not None:
            await self._send_only(self._only)

    async def finish(self) -> None:
        """Wait until every chunk is stored.

        Raises: what `wait_stored` and `ChunkPublisher.finish` raise.
        """
        if self._only is not None:
            await self._store_only(self._only)
            self._only = None
            if self._publisher is None:
                self._stored = self.count  # for the chunks that follow a checkpoint
        elif self._publisher is None and self._stored:
            await self._start_publisher()  # it counts them
        if self._publisher is not None:
            await self._publisher.finish()

    @property
    def may_have_stored(self) -> bool:
        """Whether a chunk is in the stream or on its way there."""
        if self._publisher is not None:
            return self._publisher.unacked.may_have_stored
        return self._stored > 0 if self._reply is None else self._reply.may_be_stored

    async def wait_for_replies(self) -> None:
        """Wait until the server has answered every chunk, whatever the answers are."""
        if self._publisher is not None:
            await self._publisher.wait_for_replies()
        elif self._reply is not None:
            await self._reply.wait()

    def close(self) -> None:
        """Wait for no more replies, and release the memory."""
        if self._publisher is not None:
            self._publisher.close()
        if self._reply is not None and not self._reply.has_ended:
            self._reply.close()

    # -- several chunks ----------------------------------------------------------------------

    async def _start_publisher(self) -> ChunkPublisher:
        publisher = ChunkPublisher(
            self._stream, self._context, self._nuid, self._headers, self._stored
        )
        await publisher.start()
        self._publisher = publisher
        if self._only is not None:
            only, self._only = self._only, None
            await publisher.write(only)
        return publisher

    # -- a single chunk ----------------------------------------------------------------------

    async def _send_only(self, chunk: memoryview) -> None:
        """Send the chunk, unless the window has no space for it."""
        stream, window = self._stream, self._stream.api.inbox.outbound
        departure = window.try_acquire(chunk.nbytes)
        if departure is None:
            return
        headers = {MSG_ID: chunk_id(self._nuid, 0)}
        if self._headers:
            headers |= self._headers
        if stream.purges:
            self._full_bucket = FullBucket(stream.purges)
            self._full_bucket.record_send(0)
        subject = chunk_subject(stream.subject_bucket, self._nuid)
        try:
            reply = await send_message(stream, _ChunkReply, self._context, subject, chunk, headers)
        except BaseException:
            window.release(departure)
            raise
        reply.departure, self._reply = departure, reply

    async def _store_only(self, chunk: memoryview) -> None:
        """Wait until the chunk is stored. Leave it to a `ChunkPublisher` if that fails."""
        stream, context, reply = self._stream, self._context, self._reply
        if reply is None:
            await self._start_publisher()
            return
        try:
            await wait_stored(stream, reply, chunk_subject(stream.subject_bucket, self._nuid))
        except RETRIED_ERRORS as error:
            policy = stream.api.retry_policy(context)
            await policy.wait_or_raise(error)
            self._only = None
            publisher = await self._start_publisher()
            await publisher.resend(chunk, policy)
        except BucketFullError as error:
            full_bucket = self._full_bucket
            if full_bucket is None or not full_bucket.record_refusal(0, error):
                raise
            await full_bucket.wait_for_space()
            await self._start_publisher()
