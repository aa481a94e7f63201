"""Publish metadata, and read the time at which the server stored it."""

from __future__ import annotations

from jetstow._core.bucket.publish import send_message, wait_stored
from jetstow._core.bucket.publish_reply import PublishReply
from jetstow._core.bucket.stored_times import DatedReply
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.write.full_bucket import FullBucket
from jetstow.errors import JetstowError


class MetadataPublish:
    """One publish of metadata on a subject. With `dated`, its `time` is read, too."""

    _reply: PublishReply | None = None
    _full_bucket: FullBucket | None = None

    def __init__(
        self,
        stream: Stream,
        context: ErrorContext,
        subject: str,
        payload: bytes,
        headers: dict[str, str],
        *,
        dated: bool,
    ) -> None:
        self._stream = stream
        self._context = context
        self._subject = subject
        self.payload = payload
        self._headers = headers
        self._dated = dated

    @property
    def is_sent(self) -> bool:
        """Whether the server may store the metadata."""
        return self._reply is not None

    @property
    def time(self) -> str | None:
        """The time of the message; None if it was replaced since or cannot be read."""
        return self._reply.time if isinstance(self._reply, DatedReply) else None

    async def revision(self) -> int:
        """Publish the metadata and return its revision. Called again, wait for the same reply.

        To a bucket that is full, publish it again if replaced chunks were being purged.

        Raises: what `wait_stored` raises.
        """
        while True:
            reply = self._reply or await self._send()
            try:
                return await wait_stored(self._stream, reply, self._subject)
            except JetstowError as error:
                reply.close()
                if self._full_bucket is None or not self._full_bucket.record_refusal(0, error):
                    raise
                self._reply = None
            await self._full_bucket.wait_for_space()

    async def _send(self) -> PublishReply:
        stream = self._stream
        if stream.purges:
            self._full_bucket = self._full_bucket or FullBucket(stream.purges)
            self._full_bucket.record_send(0)
        message = self._context, self._subject, self.payload, self._headers
        if not self._dated:
            self._reply = await send_message(stream, PublishReply, *message)
            return self._reply
        reply = self._reply = await send_message(stream, DatedReply, *message)
        reply.request_early(stream.times, self._subject)
        return reply
