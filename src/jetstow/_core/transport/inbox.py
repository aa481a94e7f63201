"""One inbox for everything that the server answers, and the bad news that concerns it.

A connection has one wildcard subscription, shared by requests, acknowledgements and batches.
Each of them opens a `Mailbox` on it. NATS tells the connection, and not the request, that
the user may not publish somewhere; a plain request would sit out its timeout and not say
why. So the inbox listens to what the connection is told, and fails the mailboxes concerned.

This file and `jetstream.py` are all that touches nats-py's subscriptions and publishing.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import nats.errors

from jetstow._core.aio.byte_semaphore import ByteSemaphore
from jetstow._core.protocol.context import ErrorContext
from jetstow._core.protocol.message import Message
from jetstow._core.transport.client import FastPathClient
from jetstow._core.transport.connection_state import ConnectionState, connection_lost
from jetstow._core.transport.fast_path import header_size
from jetstow._core.transport.mailbox import Mailbox
from jetstow.errors import (
    InvalidOptionError,
    JetstowError,
    PermissionDeniedError,
    TimeoutError,
)

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

_VIOLATION = re.compile(r'permissions violation for (publish|subscription) to "([^"]+)"')

# The server drops a connection for which more than 64 MiB wait, and a stream refuses
# messages when 128 MB of them wait for it. All transfers of a connection stay below.
MAX_INBOUND_BYTES = 32 * 1024 * 1024
MAX_OUTBOUND_BYTES = 32 * 1024 * 1024

# Subjects that were refused last.
_MAX_DENIED_SUBJECTS = 256

B = TypeVar("B", bound=Mailbox)
T = TypeVar("T")


class Inbox:
    """The inbox of one connection, and the limits that its transfers share."""

    def __init__(self, nc: Client) -> None:
        self.nc = nc
        # What nats-py makes anew in `connect`, which drops subscriptions and callbacks.
        self._flush_queue = nc._flush_queue
        self.prefix = nc.new_inbox()
        self._prefix_size = len(self.prefix) + 1
        self.inbound = ByteSemaphore(MAX_INBOUND_BYTES)
        self.outbound = ByteSemaphore(MAX_OUTBOUND_BYTES)
        self._boxes: dict[str, Mailbox] = {}
        self._opening = asyncio.Lock()
        self._subscribed = False
        self._denied: str | None = None
        # Whoever was refused once may have sent more, and is gone when that is refused.
        self._refused: deque[str] = deque(maxlen=_MAX_DENIED_SUBJECTS)
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None
        self.state = ConnectionState(nc, self._fail_all)
        self._wrap_error_callback()

    @classmethod
    def of(cls, nc: Client) -> Inbox:
        """The connection's inbox; made on first use, and living as long as the connection."""
        replies = getattr(nc, "_jetstow_inbox", None)
        if not isinstance(replies, cls) or replies._flush_queue is not nc._flush_queue:
            replies = cls(nc)
            nc._jetstow_inbox = replies  # type: ignore[attr-defined]
        return replies

    async def open_mailbox(self, kind: type[B], context: ErrorContext, timeout: float) -> B:
        """A new mailbox of that kind. Raises `ConnectionLostError`, `PermissionDeniedError`."""
        await self._ensure_subscribed(context, timeout)
        return self._add(kind, context, timeout)

    async def open_subscription(self, kind: type[B], context: ErrorContext, timeout: float) -> B:
        """A mailbox with a subscription of its own, for what a consumer sends.

        A consumer's messages keep the subject that they were stored under, so nothing but
        the subscription tells whose they are. Raises as `open` does.
        """
        await self._ensure_subscribed(context, timeout)
        box = self._add(kind, context, timeout)
        box.address = self.nc.new_inbox()
        try:
            box.subscription = await box.with_timeout(
                self._subscribe(box.address, box.deliver, context)
            )
        except BaseException:
            box.close()
            raise
        return box

    async def _ensure_subscribed(self, context: ErrorContext, timeout: float) -> None:
        if not self.nc.is_connected:
            await self.state.wait_connected(context)
        if not self._subscribed:
            async with self._opening:
                if not self._subscribed:
                    with self._add(Mailbox, context, timeout) as box:
                        subject = f"{self.prefix}.>"
                        await box.with_timeout(self._subscribe(subject, self._deliver, context))
                    self._subscribed = True
        if self._denied is not None:
            raise permission_denied(context, "subscribe to", f"{self.prefix}.>")

    def _add(self, kind: type[B], context: ErrorContext, timeout: float) -> B:
        self._count += 1
        token = str(self._count)
        box = self._boxes[token] = kind(self, token, context, timeout)
        return box

    def check_at(self, when: float) -> None:
        """See to it that no mailbox waits past that time of the loop.

        One timer serves all of them: nearly every wait is over long before its end.
        """
        if self._timer is None or when < self._timer.when():
            if self._timer is not None:
                self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_at(when, self._check_timeouts)

    def _check_timeouts(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        for when in [box.check_timeout(now) for box in self._boxes.values()]:
            if when is not None:
                self.check_at(when)

    def forget(self, token: str) -> None:
        """Let a mailbox go. The server hears of it when there is time."""
        box = self._boxes.pop(token, None)
        if box is not None and box.subscription is not None:
            # The two know each other, and would wait for the garbage collector together.
            subscription, box.subscription = box.subscription, None
            self.state.run_in_background(_unsubscribe(subscription))

    def publish(
        self,
        subject: str,
        payload: bytes | memoryview,
        reply: str,
        headers: dict[str, str] | None,
        context: ErrorContext,
    ) -> Coroutine[Any, Any, None] | None:
        """Send. What it returns is to be awaited; None, if there is nothing to wait for."""
        size = len(payload) + header_size(headers)
        if size > self.nc.max_payload:
            raise context.error(
                InvalidOptionError,
                f"{size} bytes for {context} are more than the server's max_payload "
                f"of {self.nc.max_payload}",
            )
        if isinstance(self.nc, FastPathClient):
            step = self.nc.publish_fast(subject, payload, reply, headers)
        else:
            # nats-py joins what it sends with `bytes + payload`, which takes any buffer.
            step = self.nc.publish(subject, payload, reply, headers)  # type: ignore[arg-type]
        return None if step is None else self._translate_errors(step, context)

    async def _translate_errors(self, step: Awaitable[T], context: ErrorContext) -> T:
        try:
            return await step
        except (nats.errors.Error, OSError) as error:
            raise connection_lost(context, str(error).removeprefix("nats: ")) from error

    def silence_error(self, timeout: float, context: ErrorContext) -> JetstowError:
        """The error for an answer that did not come."""
        if not self.nc.is_connected:
            return connection_lost(context, "it is not connected")
        return context.error(
            TimeoutError, f"the server did not answer for {context} within {timeout:g} seconds"
        )

    async def _subscribe(
        self, subject: str, deliver: Callable[[Message], None], context: ErrorContext
    ) -> Subscription:
        async def hear(message: Msg) -> None:  # nats-py wants to await it
            deliver(message)

        if isinstance(self.nc, FastPathClient):
            step = self.nc.subscribe_fast(subject, deliver, hear)
        else:
            # What waits here is bounded by the windows of the transfers, not by nats-py.
            step = self.nc.subscribe(subject, cb=hear, pending_bytes_limit=0)
        return await self._translate_errors(step, context)

    def _deliver(self, message: Message) -> None:
        token = message.subject[self._prefix_size :]
        box = self._boxes.get(token) or self._boxes.get(token.partition(".")[0])
        if box is not None:
            box.deliver(message)

    # -- bad news ------------------------------------------------------------------------

    def _wrap_error_callback(self) -> None:
        """Hear what nats-py tells its user, and pass on all but what becomes an exception."""
        nc: Any = self.nc
        tell_user = nc._error_cb

        async def on_error(error: Exception) -> None:
            if not self._handle_violation(str(error)):
                await tell_user(error)

        nc._error_cb = on_error

    def _fail_all(self, why: str) -> None:
        for box in list(self._boxes.values()):
            box.fail(connection_lost(box.context, why))

    def _handle_violation(self, text: str) -> bool:
        match = _VIOLATION.search(text)
        if match is None:
            return False
        verb, subject = match.groups()
        boxes = list(self._boxes.values())
        if verb == "publish":
            concerned = [box for box in boxes if subject in box.subjects]
            if concerned and subject not in self._refused:
                self._refused.append(subject)
        elif subject == f"{self.prefix}.>".lower():
            self._denied, concerned = subject, boxes
        else:
            concerned = [box for box in boxes if subject == box.address.lower()]
        for box in concerned:
            what = "publish to" if verb == "publish" else "subscribe to"
            # nats-py hands the server's errors on in lower case.
            spelled = {f"{self.prefix}.>".lower(): f"{self.prefix}.>"} | box.subjects
            spelled[box.address.lower()] = box.address
            box.fail(permission_denied(box.context, what, spelled.get(subject, subject)))
        return bool(concerned) or self._denied == subject or subject in self._refused


async def _unsubscribe(subscription: Subscription) -> None:
    with contextlib.suppress(nats.errors.Error):
        await subscription.unsubscribe()


def permission_denied(context: ErrorContext, what: str, subject: str) -> PermissionDeniedError:
    error = context.error(
        PermissionDeniedError,
        f"the user may not {what} {subject!r}, which {context} needs",
    )
    error.subject = subject
    return error
