"""Windows by pull from an ephemeral consumer, for servers without batched Direct Get."""

from __future__ import annotations

from jetstow._core.bucket.consumer import create_consumer, delete_consumer, start_at
from jetstow._core.protocol.message import status
from jetstow._core.protocol.metadata import json_encode
from jetstow._core.protocol.msg_metadata import MsgMetadata
from jetstow._core.read.windows import MESSAGE_OVERHEAD, Window, WindowMessage, WindowSource
from jetstow.errors import TimeoutError


class _PullWindow(Window):
    remaining_messages = 0

    async def next_message(self) -> WindowMessage | None:
        if not self.remaining_messages:
            return None
        try:
            message = await self.next()
        except TimeoutError:
            self.raise_if_cut_off()
            # Older servers do not end a pull if the stream was purged or deleted in the meantime.
            return None
        if status(message) is not None:
            return None  # the consumer has no more messages, or was deleted
        self.remaining_messages -= 1
        metadata = MsgMetadata.parse(message.reply)
        return WindowMessage(
            metadata.stream_seq,
            metadata.pending,
            message.data,
            message.subject,
            metadata.timestamp,
            message,
        )


class PullWindows(WindowSource):
    """Windows by pull from an ephemeral consumer, which the first request creates.

    Each window continues where the last one ended: `seq` has an effect on the first one only.
    """

    # The server distributes a consumer's messages among the pulls that wait for them.
    overlap = False

    _consumer: str | None = None

    async def _open(self) -> Window:
        return await self._inbox.open_subscription(_PullWindow, self._context, self._stream.timeout)

    async def _send_request(self, window: _PullWindow, seq: int, count: int) -> None:
        api = self._stream.api
        if self._consumer is None:
            reply = await create_consumer(
                self._stream, self._context, self._subject, **start_at(seq)
            )
            self._consumer = str(reply["name"])
        window.remaining_messages = count
        subject = f"{api.prefix}.CONSUMER.MSG.NEXT.{self._stream.name}.{self._consumer}"
        # Messages larger than their metadata states wait for the next pull. With this limit, a pull
        # returns at least one message.
        max_bytes = max(window.remaining_bytes, api.nc.max_payload + MESSAGE_OVERHEAD)
        body = {"batch": count, "no_wait": True, "max_bytes": max_bytes}
        await window.send(subject, json_encode(body))

    async def close(self) -> None:
        """Delete the consumer."""
        if self._consumer is not None:
            consumer, self._consumer = self._consumer, None
            await delete_consumer(self._stream, self._context, consumer)
