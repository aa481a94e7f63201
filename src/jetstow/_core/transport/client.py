"""A connection of nats-py's, with a lane through it where one can be had.

nats-py connects, authenticates, secures and reconnects; what it does not guard is guarded here
(docs/decisions/0013, 0014). The bytes of a connection that stands go through the `Lane`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

import nats.aio.client
import nats.errors
from nats.aio.transport import TcpTransport

from jetstow._core.protocol.parser import ParsedMessage
from jetstow._core.transport.fast_path import FastPath, Receivers, encode_message

if TYPE_CHECKING:
    from nats.aio.subscription import Subscription

_log = logging.getLogger("jetstow.client")

# Connecting takes as many round trips, each of which may last as long as one connects.
_HANDSHAKE_ROUND_TRIPS: Final = 3


class FastPathClient(nats.aio.client.Client):
    """A nats-py client with a lane of its own, where one can be had."""

    def __init__(self) -> None:
        super().__init__()
        self._fast_path: FastPath | None = None
        self._receivers: Receivers = {}

    async def subscribe_fast(
        self,
        subject: str,
        deliver: Callable[[Any], None],
        otherwise: Callable[[Any], Awaitable[None]],
    ) -> Subscription:
        """Subscribe; what comes by the lane goes to `deliver`, what does not to `otherwise`."""
        # What waits here is bounded by the windows of the transfers, not by nats-py.
        subscription = await self.subscribe(subject, cb=otherwise, pending_bytes_limit=0)
        self._receivers[subscription._id] = deliver
        return subscription

    def publish_fast(
        self, subject: str, payload: bytes | memoryview, reply: str, headers: dict[str, str] | None
    ) -> Coroutine[Any, Any, None] | None:
        """Publish. What it returns is to be awaited; None, if there is nothing to wait for."""
        lane = self._fast_path
        if lane is None or not self.is_connected:
            # nats-py keeps a little for after a reconnect, and knows what else is wrong.
            return self.publish(subject, payload, reply, headers)  # type: ignore[arg-type]
        if self._pending:
            lane.writer.writelines(self._pending)
            self._pending, self._pending_data_size = [], 0
        self.stats["out_msgs"] += 1
        self.stats["out_bytes"] += len(payload)
        return lane.write(encode_message(subject, payload, reply, headers))

    async def _attempt_reconnect(self) -> None:
        # nats-py closes the old socket first, and waits until all is sent that a server which
        # has fallen silent will never take.
        self._abort()
        await super()._attempt_reconnect()

    async def _process_connect_init(self) -> None:
        # A connection that breaks before it stands leaves tasks behind, which nobody ends.
        for task in (self._reading_task, self._ping_interval_task, self._flusher_task):
            if task is not None:
                task.cancel()
        # nats-py waits for the server's first word with a limit, and for its second without.
        try:
            async with asyncio.timeout(_HANDSHAKE_ROUND_TRIPS * self.options["connect_timeout"]):
                await super()._process_connect_init()
        except BaseException:
            # Otherwise it is forgotten and stays open. And after a TLS handshake that failed,
            # nats-py would wait without end for a stream to close whose socket the handshake
            # took over, and closed.
            if self._abort():
                self._transport = None
            raise

    def _abort(self) -> bool:
        """Close the socket at once, whatever it has yet to send; whether there was one."""
        transport = self._transport
        if not isinstance(transport, TcpTransport) or transport._io_writer is None:
            return False
        transport._io_writer.transport.abort()
        return True

    async def _close(self, status: int, do_cbs: bool = True) -> None:
        await super()._close(status, do_cbs)
        if status == self.CLOSED:
            self._receivers.clear()  # a connection made anew counts its subscriptions anew

    def _remove_sub(self, sid: int, max_msgs: int = 0) -> None:
        super()._remove_sub(sid, max_msgs)
        self._receivers.pop(sid, None)

    async def _read_loop(self) -> None:
        """What nats-py's own does, from the lane where there is one."""
        try:
            lane = await FastPath.attach(self._transport, self._receivers, self.stats)
        except OSError as error:  # it has broken already
            await self._process_op_err(error)
            return
        if lane is None:
            await super()._read_loop()
            return
        self._fast_path = lane
        try:
            await self._serve(lane)
        finally:
            lane.close()
            if self._fast_path is lane:
                self._fast_path = None

    async def _serve(self, lane: FastPath) -> None:
        try:
            while (item := await lane.next()) is not None:
                if isinstance(item, bytes):
                    await self._ps.parse(item)
                else:
                    await self._pass_to_nats_py(item)
                if self.is_closed or self.is_reconnecting:
                    return
        except nats.errors.ProtocolError:
            await self._process_op_err(nats.errors.ProtocolError())
            return
        except OSError as error:
            await self._process_op_err(error)
            return
        eof = nats.errors.UnexpectedEOF()
        await self._error_cb(eof)
        await self._process_op_err(eof)

    async def _pass_to_nats_py(self, frame: ParsedMessage) -> None:
        """A message for nats-py. What it cannot read is lost, and not the connection with it."""
        subject, reply = frame.subject.encode(), frame.reply.encode()
        try:
            await self._process_msg(frame.sid, subject, reply, frame.data, frame.head)
        except (OSError, nats.errors.Error):
            raise
        except Exception:  # noqa: BLE001 - anybody may have sent it, with any headers
            _log.exception("a message to %s was not understood", frame.subject)
