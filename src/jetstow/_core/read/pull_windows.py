"""Windows by pulling from an ephemeral consumer, where there is no batched Direct Get."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetstow._core.bucket.consumer import create_consumer, delete_consumer, start_at
from jetstow._core.protocol.message import status
from jetstow._core.protocol.metadata import json_encode
from jetstow._core.protocol.msg_metadata import MsgMetadata
from jetstow._core.read.windows import MESSAGE_OVERHEAD, Window, WindowMessage, WindowSource
from jetstow.errors import TimeoutError

if TYPE_CHECKING:
    pass


class _PullWindow(Window):
    expected = 0

    async def next_message(self) -> WindowMessage | None:
        if not self.expected:
            return None
        try:
            message = await self.next()
        except TimeoutError:
            # Older servers say nothing more where the stream was purged or deleted meanwhile.
            return None
        if status(message) is not None:
            return None  # nothing is left, or the consumer is gone
        self.expected -= 1
        place = MsgMetadata.parse(message.reply)
        return WindowMessage(
            place.stream_seq, place.pending, message.data, message.subject, place.timestamp
        )


class PullWindows(WindowSource):
    """Windows by pulling from an ephemeral consumer, which the first one makes.

    The consumer goes on where the last window ended: `seq` counts for the first one alone.
    """

    # The server shares a consumer's messages out among the pulls that wait.
    overlap = False

    _consumer: str | None = None

    async def _open(self) -> Window:
        return await self._stream.api.inbox.open_subscription(
            _PullWindow, self._context, self._stream.timeout
        )

    async def _send_request(self, window: _PullWindow, seq: int, count: int) -> None:
        if self._consumer is None:
            made = await create_consumer(
                self._stream, self._context, self._subject, **start_at(seq)
            )
            self._consumer = str(made["name"])
        window.expected = count
        js = self._stream.api
        api = f"{js.prefix}.CONSUMER.MSG.NEXT.{self._stream.name}.{self._consumer}"
        # What is larger than its metadata says waits for the next pull. One message always comes.
        most = max(window.remaining_bytes, js.nc.max_payload + MESSAGE_OVERHEAD)
        body = {"batch": count, "no_wait": True, "max_bytes": most}
        await window.send(api, json_encode(body))

    async def close(self) -> None:
        if self._consumer is not None:
            consumer, self._consumer = self._consumer, None
            await delete_consumer(self._stream, self._context, consumer)
