"""A mailbox: receives the replies to one request.

Every wait ends: with a message, after the timeout, when the connection is lost, or when the server
reports a permissions violation.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from jetstow._core.aio.congestion_window import CongestionWindow, Departure
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.message import Message
from jetstow._core.transport.event_loop import ConnectionLoop
from jetstow._core.transport.receiver import OnSilence
from jetstow._core.transport.silence import Progress, Silence
from jetstow._core.transport.timeouts import Timeouts
from jetstow.errors import JetstowError

if TYPE_CHECKING:
    from nats.aio.subscription import Subscription

T = TypeVar("T")


class MailboxOwner(Protocol):
    """The methods of an inbox that its mailboxes call."""

    prefix: str
    loop: ConnectionLoop
    inbound: CongestionWindow
    timeouts: Timeouts

    def publish(
        self,
        subject: str,
        payload: bytes | memoryview,
        reply: str,
        headers: dict[str, str] | None,
        context: ErrorContext,
    ) -> Coroutine[Any, Any, None] | None: ...

    def flush_soon(self) -> None: ...

    def remove(self, token: str) -> None: ...

    def timeout_error(self, timeout: float, context: ErrorContext) -> JetstowError: ...


class Mailbox:
    """The replies to one request, or to several that share it; a context manager.

    `address` is the reply subject. Messages to `address.<anything>` arrive as well. `timeout` is
    the longest silence of the server, in seconds.
    """

    def __init__(
        self, inbox: MailboxOwner, token: str, context: ErrorContext, timeout: float
    ) -> None:
        self.inbox = inbox
        self.context = context
        self.timeout = timeout
        self.address = f"{inbox.prefix}.{token}"
        self.subscription: Subscription | None = None
        self.subjects: dict[str, str] = {}
        self.on_silence: OnSilence | None = None
        self._token = token
        self._messages: deque[Message] = deque()
        self._error: JetstowError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._deadline: asyncio.Timeout | None = None
        self._timed_out = False
        self._silence: Silence | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop receiving, and drop all messages."""
        self.inbox.remove(self._token)
        self._messages.clear()

    async def send(
        self,
        subject: str,
        payload: bytes | memoryview = b"",
        *,
        headers: dict[str, str] | None = None,
        suffix: str = "",
    ) -> None:
        """Publish with `address` and `suffix` as the reply subject.

        Raises: `ConnectionLostError`, `PermissionDeniedError`, `TimeoutError` (the server does not
        read from the socket).
        """
        self._raise_error()
        # nats-py converts the server's errors to lower case, so look up subjects by that.
        self.subjects[subject.lower()] = subject
        reply = self.address + suffix
        publishing = self.inbox.publish(subject, payload, reply, headers, self.context)
        self.inbox.flush_soon()
        if publishing is not None:
            await self.with_timeout(publishing)

    async def respond(self, subject: str) -> None:
        """Publish an empty message without a reply subject.

        Raises: what `send` raises.
        """
        publishing = self.inbox.publish(subject, b"", "", None, self.context)
        self.inbox.flush_soon()
        if publishing is not None:
            await self.with_timeout(publishing)

    def deliver(self, message: Message) -> None:
        """Add a received message; called by the inbox."""
        self._messages.append(message)
        self.wake()

    def deliver_all(self, messages: Sequence[Message]) -> None:
        """Add received messages to one subject; called by the inbox."""
        for message in messages:
            self.deliver(message)

    def take(self, message: Message) -> bool:  # noqa: ARG002 - for subclasses
        """Process a large message at once, whose data is valid during the call only.

        Return False if it has to be delivered.
        """
        return False

    def fail(self, error: JetstowError) -> None:
        """Make all further calls raise an error; called by the inbox."""
        self._error = error
        self._end_deadline()
        self.wake()

    def _end_deadline(self) -> None:
        deadline, self._deadline = self._deadline, None
        if deadline is not None:
            deadline.reschedule(0)

    @property
    def is_empty(self) -> bool:
        """Whether all received messages were taken."""
        return not self._messages

    async def next(self) -> Message:
        """Wait for a message, and take it.

        Raises: `TimeoutError`, `ConnectionLostError`, `PermissionDeniedError`.
        """
        while not self._messages:
            await self.wait()
        return self._messages.popleft()

    async def wait(self) -> None:
        """Wait until a message arrives or `wake` is called.

        Raises: what `next` raises.
        """
        self._raise_error()
        self._waiter = self.inbox.loop.check(self.context).create_future()
        self._start_timeout()
        try:
            await self._waiter
        finally:
            self._waiter = self._silence = None
        if self._timed_out:
            raise self.inbox.timeout_error(self.timeout, self.context)
        if not self._messages:
            self._raise_error()

    async def reserve(
        self,
        window: CongestionWindow,
        size: int,
        on_wake: Callable[[], Awaitable[None]] | None = None,
    ) -> Departure:
        """Wait for space in a window of the connection, and take it.

        `on_wake` is called after each message and each call of `wake`.

        Raises: what `next` and `on_wake` raise.
        """
        if (departure := window.try_acquire(size)) is not None:
            return departure
        reservation = window.reserve(size)
        reservation.add_done_callback(lambda _: self.wake())
        try:
            while not reservation.done():
                await self.wait()
                if on_wake is not None:
                    await on_wake()
        except BaseException:
            window.cancel(reservation)
            raise
        return reservation.result()

    def _start_timeout(self) -> None:
        self._timed_out = False
        self._silence = Silence(self.timeout, asyncio.get_running_loop().time())
        self.inbox.timeouts.check_at(self._silence.first_check())

    def check_timeout(
        self, now: float, progress: Progress, *, is_arriving: bool, late: float
    ) -> float | None:
        """End a wait that has timed out. Return when to check a wait that has not."""
        is_woken = self._waiter is not None and self._waiter.done()
        if self._silence is None or is_woken:
            return None
        when = self._silence.check(now, progress, is_arriving=is_arriving, late=late)
        if when is None:
            self._timed_out, self._silence = True, None
            self._end_deadline()
            self.wake()
        elif self.on_silence is not None and self._silence.becomes_noticeable(now):
            self.on_silence(self)
        return when

    def wake(self) -> None:
        """End the current wait, so that the waiter checks its condition."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def with_timeout(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine of nats-py that may wait for the socket, while bytes leave it.

        nats-py waits forever for a flush whose flusher has died, and swallows a cancellation. So
        this method checks after the call for the timeout and for a cancellation.

        Raises: what `send` raises.
        """
        task = asyncio.current_task()
        cancelled = task.cancelling() if task is not None else 0
        try:
            async with asyncio.timeout(None) as deadline:
                self._deadline = deadline
                self._start_timeout()
                result = await coroutine
        except TimeoutError as error:
            if isinstance(error, JetstowError):
                raise
            self._raise_error()
            raise self.inbox.timeout_error(self.timeout, self.context) from None
        finally:
            self._deadline = self._silence = None
        if deadline.expired():
            self._raise_error()
            raise self.inbox.timeout_error(self.timeout, self.context)
        if task is not None and task.cancelling() > cancelled:
            raise asyncio.CancelledError
        return result

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error
