"""A nats-py client whose messages take the fast path where the transport allows it.

nats-py connects, authenticates, encrypts and reconnects. `HandshakeClient` bounds the steps of a
connection, and `TLSClient` requires TLS. Once connected, `FastPath` reads and writes the socket
(docs/decisions/0013, 0014).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

import nats.aio.client
import nats.errors
from nats.aio.transport import TcpTransport

from jetstow._core.protocol.parser import ParsedMessage
from jetstow._core.transport.fast_path import FastPath, Subscriber, encode_head, message_size
from jetstow._core.transport.tls import TLSClient

if TYPE_CHECKING:
    from nats.aio.subscription import Subscription

_log = logging.getLogger("jetstow.client")


class FastPathClient(TLSClient):
    """A nats-py client with a fast path, if its transport is a plain or TLS socket."""

    def __init__(self) -> None:
        super().__init__()
        self._fast_path: FastPath | None = None
        self._subscribers: dict[int, Subscriber] = {}

    @property
    def _arriving(self) -> tuple[int, str] | None:
        """The subscription and subject of a message of which only a part has arrived."""
        return None if self._fast_path is None else self._fast_path.arriving

    async def subscribe_fast(
        self,
        subject: str,
        subscriber: Subscriber,
        fallback: Callable[[Any], Awaitable[None]],
    ) -> Subscription:
        """Subscribe. Messages go to `subscriber` from the fast path, to `fallback` from nats-py."""
        # The transfers' windows limit the pending bytes. nats-py would drop messages.
        subscription = await self.subscribe(subject, cb=fallback, pending_bytes_limit=0)
        self._subscribers[subscription._id] = subscriber
        return subscription

    def publish_fast(
        self, subject: str, payload: bytes | memoryview, reply: str, headers: dict[str, str] | None
    ) -> Coroutine[Any, Any, None] | None:
        """Publish, at the next flush. Return a coroutine to await if the socket is full."""
        fast_path = self._fast_path
        if fast_path is None or self._status != self.CONNECTED:
            # nats-py buffers for a reconnect, or raises the right error.
            return publish_with_nats_py(self, subject, payload, reply, headers)
        if self._pending:
            fast_path.writer.writelines(self._pending)
            self._pending, self._pending_data_size = [], 0
        size = len(payload)
        head = encode_head(subject, size, reply, headers, self._max_payload)
        self.stats["out_msgs"] += 1
        self.stats["out_bytes"] += size
        return fast_path.write(head, payload)

    def flush_fast(self, *, at_once: bool) -> None:
        """Pass to the socket what was published, at once or in the next iteration of the loop."""
        if self._fast_path is None:
            return
        if at_once:
            self._fast_path.flush()
        else:
            self._fast_path.flush_soon()

    async def _attempt_reconnect(self) -> None:
        # nats-py would wait until the old socket has sent its buffer, which an unresponsive server
        # never reads.
        self._abort()
        await super()._attempt_reconnect()

    async def _process_connect_init(self) -> None:
        # nats-py leaves these tasks running if a connection breaks during the handshake.
        for task in (self._reading_task, self._ping_interval_task, self._flusher_task):
            if task is not None:
                task.cancel()
        try:
            await super()._process_connect_init()
        except BaseException:
            # nats-py would not close the socket. After a failed TLS handshake it would wait forever
            # for a stream whose socket the handshake has taken over and closed.
            if self._abort():
                self._transport = None
            raise

    def _abort(self) -> bool:
        """Close the socket and discard its send buffer; return whether there was a socket."""
        transport = self._transport
        if not isinstance(transport, TcpTransport) or transport._io_writer is None:
            return False
        transport._io_writer.transport.abort()
        return True

    async def _close(self, status: int, do_cbs: bool = True) -> None:
        await super()._close(status, do_cbs)
        if status == self.CLOSED:
            self._subscribers.clear()  # `connect` restarts the numbers of subscriptions

    def _remove_sub(self, sid: int, max_msgs: int = 0) -> None:
        super()._remove_sub(sid, max_msgs)
        self._subscribers.pop(sid, None)

    async def _read_loop(self) -> None:
        """Replace nats-py's read loop if there is a fast path."""
        try:
            fast_path = await FastPath.attach(self._transport, self._subscribers, self.stats)
        except OSError as error:  # the connection broke in the meantime
            await self._process_op_err(error)
            return
        if fast_path is None:
            await super()._read_loop()
            return
        self._fast_path = fast_path
        keeps_reading = False
        try:
            await self._read_fast_path(fast_path)
        except asyncio.CancelledError:
            # `asyncio.run` cancels all tasks at its end. Those that clean up still need replies,
            # and the fast path delivers them without this task.
            keeps_reading = self.is_connected
            raise
        finally:
            if not keeps_reading:
                fast_path.close()
                if self._fast_path is fast_path:
                    self._fast_path = None

    async def _read_fast_path(self, fast_path: FastPath) -> None:
        """Pass to nats-py what the fast path does not deliver, until the connection ends."""
        try:
            while (item := await fast_path.next()) is not None:
                if isinstance(item, bytes):
                    await self._ps.parse(item)
                else:
                    await self._deliver_to_nats_py(item)
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

    async def _deliver_to_nats_py(self, message: ParsedMessage) -> None:
        """Pass a message to nats-py; drop it if nats-py fails, and keep the connection."""
        subject, reply = message.subject.encode(), message.reply.encode()
        try:
            await self._process_msg(message.sid, subject, reply, message.data, message.raw_headers)
        except (OSError, nats.errors.Error):
            raise
        except Exception:  # noqa: BLE001 - any client can send headers that nats-py cannot parse
            _log.exception("dropped a message to %s that nats-py cannot process", message.subject)


def publish_with_nats_py(
    nc: nats.aio.client.Client,
    subject: str,
    payload: bytes | memoryview,
    reply: str,
    headers: dict[str, str] | None,
) -> Coroutine[Any, Any, None]:
    """Publish without the fast path. Return a coroutine to await.

    Raises: nats-py's `MaxPayloadError` (headers and payload together).
    """
    # nats-py does not count the headers, as the server does. It concatenates `bytes + payload`,
    # which accepts any buffer.
    if message_size(payload, headers) > nc.max_payload:
        raise nats.errors.MaxPayloadError
    return nc.publish(subject, payload, reply, headers)  # type: ignore[arg-type]


async def unsubscribe(subscription: Subscription) -> None:
    """End a subscription. Ignore that it, or its connection, has ended before."""
    with contextlib.suppress(nats.errors.Error):
        await subscription.unsubscribe()
