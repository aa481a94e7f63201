"""The inbox of a connection: a wildcard subscription that receives the replies to all requests.

Each request has a token below the inbox, under which a `PendingReply` or a `Mailbox` receives. The
server reports a permissions violation to the connection: `permissions` fails the requests concerned
(docs/decisions/0002). Only this module and `jetstream_api` subscribe and publish through nats-py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import nats.errors

from jetstow._core.aio.congestion_window import CongestionWindow
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.message import Message
from jetstow._core.transport.client import FastPathClient, publish_with_nats_py, unsubscribe
from jetstow._core.transport.connection_state import (
    ConnectionState,
    connection_lost,
    translate_errors,
)
from jetstow._core.transport.event_loop import ConnectionLoop
from jetstow._core.transport.fast_path import message_size
from jetstow._core.transport.mailbox import Mailbox
from jetstow._core.transport.pending_reply import R
from jetstow._core.transport.permissions import Denials
from jetstow._core.transport.receiver import Receiver
from jetstow._core.transport.socket_counters import SocketCounters
from jetstow._core.transport.timeouts import Timeouts
from jetstow.errors import InvalidOptionError, JetstowError, TimeoutError

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

# The server closes a connection with more than 64 MiB of pending bytes, and a stream rejects
# messages when 128 MB of them are pending. A connection's transfers together stay below that.
_MAX_BYTES_EACH_WAY: Final = 32 * 1024 * 1024

# A get sends two requests together, and waits for them.
_MAX_IDLE_REQUESTS: Final = 2

M = TypeVar("M", bound=Mailbox)


class Inbox:
    """The mailboxes of one connection, and the byte limits that its transfers share."""

    def __init__(self, nc: Client) -> None:
        self.nc = nc
        self.loop = ConnectionLoop(nc)
        # nats-py's `connect` replaces the queue, and drops all subscriptions and callbacks.
        self.flush_queue = nc._flush_queue
        self.prefix = nc.new_inbox()
        self._prefix_size = len(self.prefix) + 1
        self.inbound = CongestionWindow(_MAX_BYTES_EACH_WAY)
        self.outbound = CongestionWindow(_MAX_BYTES_EACH_WAY)
        self._socket = SocketCounters(nc)
        self._receivers: dict[str, Receiver] = {}
        self.timeouts = Timeouts(self._check_timeouts)
        self._subscribe_lock = asyncio.Lock()
        self._is_subscribed = False
        self._token_count = 0
        # The time of the fastest request on the current connection, in seconds.
        self.round_trip = float("inf")
        self.state = ConnectionState(nc, self._fail_all)
        self._denials = Denials(f"{self.prefix}.>", self._receivers)
        self._denials.wrap_error_callback(nc)

    @classmethod
    def for_client(cls, nc: Client) -> Inbox:
        """Return the inbox of a connection; create it on first use and after `connect`."""
        inbox = getattr(nc, "_jetstow_inbox", None)
        if not isinstance(inbox, cls) or inbox.flush_queue is not nc._flush_queue:
            inbox = cls(nc)
            nc._jetstow_inbox = inbox  # type: ignore[attr-defined]
        return inbox

    @property
    def is_ready(self) -> bool:
        """Whether `send` can be called: if not, await `prepare`."""
        nc = self.nc
        is_connected = nc._status == nc.CONNECTED or nc.is_connected
        return self._is_subscribed and is_connected and not self._denials.is_inbox_denied

    @property
    def request_count(self) -> int:
        """The number of requests and transfers that wait for the server."""
        return len(self._receivers)

    def send(
        self,
        kind: type[R],
        context: ErrorContext,
        subject: str,
        payload: bytes | memoryview,
        headers: dict[str, str] | None,
        timeout: float,
    ) -> R:
        """Publish a message. Return its pending reply, of that class.

        Call `flush` before waiting for it.

        Raises: what `publish` raises.
        """
        reply = kind(self, subject, context, timeout)
        reply.token = self.register(reply)
        try:
            publishing = self.publish(subject, payload, reply.address, headers, context)
        except BaseException:
            reply.close()
            raise
        if publishing is not None:
            reply.publishing = asyncio.ensure_future(publishing)
            reply.publishing.add_done_callback(reply.on_published)
        return reply

    def flush(self) -> None:
        """Send what was published: at once, or `flush_soon` if other requests are under way."""
        if isinstance(self.nc, FastPathClient):
            self.nc.flush_fast(at_once=len(self._receivers) <= _MAX_IDLE_REQUESTS)

    def flush_soon(self) -> None:
        """Send what was published in this iteration of the event loop together."""
        if isinstance(self.nc, FastPathClient):
            self.nc.flush_fast(at_once=False)

    def observe_round_trip(self, seconds: float) -> None:
        """Learn how long a small request takes."""
        self.round_trip = seconds
        self.inbound.observe_round_trip(seconds)
        self.outbound.observe_round_trip(seconds)

    def register(self, receiver: Receiver) -> str:
        """Let a receiver have the replies to an address, which it gets. Return the token."""
        self._token_count += 1
        token = str(self._token_count)
        receiver.address = f"{self.prefix}.{token}"
        self._receivers[token] = receiver
        return token

    async def open_mailbox(self, kind: type[M], context: ErrorContext, timeout: float) -> M:
        """Open a mailbox of that class.

        Raises: `ConnectionLostError`, `PermissionDeniedError` (the user may not subscribe to the
        inbox), `TimeoutError`.
        """
        await self.prepare(context, timeout)
        return self._create_mailbox(kind, context, timeout)

    async def open_subscription(self, kind: type[M], context: ErrorContext, timeout: float) -> M:
        """Open a mailbox that has its own subscription, for the messages of a consumer.

        These keep the subject under which they were stored, so only the subscription identifies
        their mailbox.

        Raises: what `open_mailbox` raises.
        """
        await self.prepare(context, timeout)
        mailbox = self._create_mailbox(kind, context, timeout)
        mailbox.address = self.nc.new_inbox()
        try:
            await mailbox.with_timeout(self._subscribe_mailbox(mailbox, context))
        except BaseException:
            mailbox.close()
            raise
        return mailbox

    async def prepare(self, context: ErrorContext, timeout: float) -> None:
        """Wait until the connection is established, and subscribe if that was not done yet.

        Raises: what `open_mailbox` raises.
        """
        self.loop.check(context)
        if not self.nc.is_connected:
            await self.state.wait_connected(context)
        if not self._is_subscribed:
            async with self._subscribe_lock:
                if not self._is_subscribed:
                    with self._create_mailbox(Mailbox, context, timeout) as mailbox:
                        await mailbox.with_timeout(self._subscribe_all(context))
        if self._denials.is_inbox_denied:
            raise self._denials.inbox_error(context)

    # nats-py can swallow a cancellation, which `with_timeout` then raises instead of the result. So
    # the coroutine itself enters the subscription: it would be lost, or made twice.

    async def _subscribe_mailbox(self, mailbox: Mailbox, context: ErrorContext) -> None:
        mailbox.subscription = await self._subscribe(mailbox.address, mailbox, context)

    async def _subscribe_all(self, context: ErrorContext) -> None:
        await self._subscribe(f"{self.prefix}.>", self, context)
        self._is_subscribed = True

    def _create_mailbox(self, kind: type[M], context: ErrorContext, timeout: float) -> M:
        self._token_count += 1
        token = str(self._token_count)
        self._receivers[token] = mailbox = kind(self, token, context, timeout)
        return mailbox

    def _check_timeouts(self, now: float, late: float) -> None:
        progress, arriving = self._socket.progress(self.inbound, self.outbound), self._arriving()
        for receiver in list(self._receivers.values()):
            at = receiver.check_timeout(now, progress, is_arriving=receiver is arriving, late=late)
            if at is not None:
                self.timeouts.check_at(at)

    def _arriving(self) -> Receiver | None:
        """Return the receiver of a message of which a part has arrived."""
        if not isinstance(self.nc, FastPathClient) or (arriving := self.nc._arriving) is None:
            return None
        sid, subject = arriving
        for receiver in self._receivers.values():
            if receiver.subscription is not None and receiver.subscription._id == sid:
                return receiver
        return self._receiver(subject)

    def remove(self, token: str) -> None:
        """Remove a mailbox. Its own subscription is ended in the background."""
        mailbox = self._receivers.pop(token, None)
        if isinstance(mailbox, Mailbox) and mailbox.subscription is not None:
            # Break the reference cycle, so that no garbage collection is needed.
            subscription, mailbox.subscription = mailbox.subscription, None
            self.state.run_in_background(unsubscribe(subscription))

    def publish(
        self,
        subject: str,
        payload: bytes | memoryview,
        reply: str,
        headers: dict[str, str] | None,
        context: ErrorContext,
    ) -> Coroutine[Any, Any, None] | None:
        """Publish, with the next flush. Return a coroutine to await if the socket is full.

        Raises: `InvalidOptionError` (larger than the server's `max_payload`),
        `WrongEventLoopError`. The coroutine raises `ConnectionLostError`.
        """
        self.loop.check(context)
        try:
            if isinstance(self.nc, FastPathClient):
                publishing = self.nc.publish_fast(subject, payload, reply, headers)
            else:
                publishing = publish_with_nats_py(self.nc, subject, payload, reply, headers)
        except nats.errors.MaxPayloadError:
            raise context.error(
                InvalidOptionError,
                f"{message_size(payload, headers)} bytes for {context} are more than the "
                f"server's max_payload of {self.nc.max_payload}",
            ) from None
        return None if publishing is None else translate_errors(publishing, context)

    def timeout_error(self, timeout: float, context: ErrorContext) -> JetstowError:
        """Return the error for a missing reply."""
        if not self.nc.is_connected:
            return connection_lost(context, "it is not connected")
        self.outbound.give_up_first_answer()  # the clean-up of a put does not wait for it again
        return context.error(
            TimeoutError,
            f"the server did not reply to a request for {context} within {timeout:g} seconds",
        )

    async def _subscribe(
        self, subject: str, receiver: Inbox | Mailbox, context: ErrorContext
    ) -> Subscription:
        async def on_message(message: Msg) -> None:  # nats-py requires a coroutine function
            receiver.deliver_all([message])

        if isinstance(self.nc, FastPathClient):
            subscribing = self.nc.subscribe_fast(subject, receiver, on_message)
        else:
            # The transfers' windows limit the pending bytes. nats-py would drop messages.
            subscribing = self.nc.subscribe(subject, cb=on_message, pending_bytes_limit=0)
        return await translate_errors(subscribing, context)

    def deliver_all(self, messages: Sequence[Message]) -> None:
        """Pass messages to one subject to their receiver; called by the fast path or nats-py."""
        if (receiver := self._receiver(messages[0].subject)) is not None:
            receiver.deliver_all(messages)

    def take(self, message: Message) -> bool:
        """Offer a large message to its mailbox; called by the fast path."""
        mailbox = self._receiver(message.subject)
        return isinstance(mailbox, Mailbox) and mailbox.take(message)

    def _receiver(self, subject: str) -> Receiver | None:
        token = subject[self._prefix_size :]
        return self._receivers.get(token) or self._receivers.get(token.partition(".")[0])

    def _fail_all(self, reason: str) -> None:
        for receiver in list(self._receivers.values()):
            receiver.fail(connection_lost(receiver.context, reason))
        self.round_trip = float("inf")
        self.inbound.restart()
        self.outbound.restart()
