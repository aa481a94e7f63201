"""Windows by pulling from an ephemeral consumer, where there is no batched Direct Get."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetstow._core.bucket.consumer import begin_at, drop_consumer, make_consumer
from jetstow._core.protocol.message import status
from jetstow._core.protocol.metadata import json_encode
from jetstow._core.protocol.msg_metadata import Delivery
from jetstow._core.read.windows import OVERHEAD, Piece, Window, Windows
from jetstow.errors import TimeoutError

if TYPE_CHECKING:
    pass


class _PulledWindow(Window):
    to_come = 0

    async def next_piece(self) -> Piece | None:
        if not self.to_come:
            return None
        try:
            message = await self.next()
        except TimeoutError:
            # Older servers say nothing more where the stream was purged or deleted meanwhile.
            return None
        if status(message) is not None:
            return None  # nothing is left, or the consumer is gone
        self.to_come -= 1
        place = Delivery.of(message.reply)
        return Piece(place.stream_seq, place.pending, message.data, message.subject, place.stamp)


class PulledWindows(Windows):
    """Windows by pulling from an ephemeral consumer, which the first one makes.

    The consumer goes on where the last window ended: `seq` counts for the first one alone.
    """

    # The server shares a consumer's messages out among the pulls that wait.
    overlap = False

    _consumer: str | None = None

    async def _open(self) -> Window:
        return await self._stream.js.replies.open_private(
            _PulledWindow, self._target, self._stream.timeout
        )

    async def _request(self, window: _PulledWindow, seq: int, count: int) -> None:
        if self._consumer is None:
            made = await make_consumer(self._stream, self._target, self._subject, **begin_at(seq))
            self._consumer = str(made["name"])
        window.to_come = count
        js = self._stream.js
        api = f"{js.prefix}.CONSUMER.MSG.NEXT.{self._stream.name}.{self._consumer}"
        # What is larger than its metadata says waits for the next pull. One message always comes.
        most = max(window.cost, js.nc.max_payload + OVERHEAD)
        body = {"batch": count, "no_wait": True, "max_bytes": most}
        await window.send(api, json_encode(body))

    async def close(self) -> None:
        if self._consumer is not None:
            consumer, self._consumer = self._consumer, None
            await drop_consumer(self._stream, self._target, consumer)
