"""Windows by pulling from an ephemeral consumer, where there is no batched Direct Get."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

from jetstow._core.delivery import Delivery
from jetstow._core.jetstream import status
from jetstow._core.target import Target
from jetstow._core.windows import OVERHEAD, Piece, Window, Windows
from jetstow._core.wire import json_encode
from jetstow.errors import JetstowError, TimeoutError

if TYPE_CHECKING:
    from jetstow._core.stream import Stream

# The server forgets a consumer that nobody has pulled from for so long, in nanoseconds.
_INACTIVE: Final = 30 * 10**9


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


def begin_at(seq: int) -> dict[str, Any]:
    """The part of a consumer's configuration that lets it begin at a sequence."""
    return {"deliver_policy": "by_start_sequence", "opt_start_seq": max(1, seq)}


async def make_consumer(
    stream: Stream, target: Target, subject: str, **config: object
) -> dict[str, Any]:
    """An ephemeral consumer of a subject's messages, to be pulled from; the server's answer."""
    config |= {
        "ack_policy": "none",
        "filter_subject": subject,
        "inactive_threshold": _INACTIVE,
        "mem_storage": True,
        "num_replicas": 1,
    }
    body = {"stream_name": stream.name, "config": config}
    return await stream.js.request(target, f"CONSUMER.CREATE.{stream.name}", body)


async def drop_consumer(stream: Stream, target: Target, name: str) -> None:
    """Leave it not behind. It ends by itself as well: a failure here is nobody's trouble."""
    with contextlib.suppress(JetstowError):
        await stream.js.request(target, f"CONSUMER.DELETE.{stream.name}.{name}")
