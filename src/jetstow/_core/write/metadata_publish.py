"""Publish metadata, and read the time at which the server stored it.

An acknowledgement has no timestamp, so reading it takes another request. It is sent shortly after
the message, while the acknowledgement is under way: it then costs no round trip of a slow network.
The client's own clock may be wrong, and `get_info` would return another time.
"""

from __future__ import annotations

import asyncio
from typing import Final

from jetstow._core.bucket.stored_message import StoredMessage
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.write.full_bucket import FullBucket
from jetstow.errors import BucketFullError, JetstowError

# How long after the message the request is sent, in seconds. Sent at once, servers from 2.10 on
# answer half of the requests before they store the message. Event loops round it up to 1 ms.
_STORE_TIME: Final = 0.001


class MetadataPublish:
    """One publish of metadata on a subject. With `dated`, `time` will be called."""

    def __init__(self, stream: Stream, context: ErrorContext, subject: str, *, dated: bool) -> None:
        self._stream = stream
        self._context = context
        self._subject = subject
        # With several replicas, storing takes longer than the delay of the request.
        self._reads_early = dated and stream.replicas == 1
        self._reading: asyncio.Task[StoredMessage | None] | None = None

    async def publish(self, payload: bytes, headers: dict[str, str]) -> int:
        """Publish the metadata, as `Stream.publish` does.

        To a bucket that is full, publish it again if replaced chunks were being purged.
        """
        full_bucket = FullBucket(self._stream.purges)
        while True:
            full_bucket.record_send(0)
            try:
                return await self._publish(payload, headers)
            except BucketFullError as error:
                if not full_bucket.record_refusal(0, error):
                    raise
            await full_bucket.wait_for_space()

    async def _publish(self, payload: bytes, headers: dict[str, str]) -> int:
        publish = self._stream.publish(self._context, self._subject, payload, headers)
        if not self._reads_early:
            return await publish
        timer = asyncio.get_running_loop().call_later(_STORE_TIME, self._start_reading)
        try:
            return await publish
        finally:
            timer.cancel()

    async def time(self, revision: int) -> str | None:
        """Return the time of the message; None if it was replaced since or cannot be read."""
        message = None if self._reading is None else await self._reading
        if message is None or message.seq < revision:
            message = await self._read()
        return message.time if message is not None and message.seq == revision else None

    async def _read(self) -> StoredMessage | None:
        try:
            # Once: the metadata is stored, and the caller does not wait for an outage to end.
            return await self._stream.last_message(self._context, self._subject, retry=False)
        except JetstowError:
            return None

    def _start_reading(self) -> None:
        self._reading = asyncio.create_task(self._read())
