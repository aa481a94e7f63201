"""Where the answers to one request arrive, and where waiting for them ends.

Waiting always ends: with a message, with silence for longer than the mailbox is patient,
with the loss of the connection, or with the server's word that the user may not.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from jetstow._core.aio.byte_semaphore import ByteSemaphore
from jetstow._core.protocol.context import ErrorContext
from jetstow._core.protocol.message import Message
from jetstow.errors import JetstowError

if TYPE_CHECKING:
    from nats.aio.subscription import Subscription

T = TypeVar("T")


class Owner(Protocol):
    """The inbox that a mailbox belongs to, as far as the mailbox uses it."""

    prefix: str
    inbound: ByteSemaphore

    def publish(
        self,
        subject: str,
        payload: bytes | memoryview,
        reply: str,
        headers: dict[str, str] | None,
        context: ErrorContext,
    ) -> Coroutine[Any, Any, None] | None: ...

    def forget(self, token: str) -> None: ...

    def check_at(self, when: float) -> None: ...

    def silence_error(self, timeout: float, context: ErrorContext) -> JetstowError: ...


class Mailbox:
    """The answers to one request, or to many that share it; a context manager.

    `address` is the reply subject; what is sent to `address.<anything>` arrives as well.
    `patience` is the longest silence that is waited through, in seconds.
    """

    def __init__(self, inbox: Owner, token: str, context: ErrorContext, timeout: float) -> None:
        self.inbox = inbox
        self.context = context
        self.timeout = timeout
        self.address = f"{inbox.prefix}.{token}"
        self.subscription: Subscription | None = None
        self.subjects: dict[str, str] = {}
        self._token = token
        self._messages: deque[Message] = deque()
        self._failure: JetstowError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._deadline: asyncio.Timeout | None = None
        self._timed_out = False
        self._wait_until = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take no more messages, and keep none."""
        self.inbox.forget(self._token)
        self._messages.clear()

    async def send(
        self,
        subject: str,
        payload: bytes | memoryview = b"",
        *,
        headers: dict[str, str] | None = None,
        suffix: str = "",
    ) -> None:
        """Publish with this mailbox as the reply subject.

        Raises `ConnectionLostError`, `PermissionDeniedError` or `TimeoutError` (the server
        takes nothing more).
        """
        self._raise_failure()
        # nats-py hands the server's errors on in lower case.
        self.subjects[subject.lower()] = subject
        reply = self.address + suffix
        step = self.inbox.publish(subject, payload, reply, headers, self.context)
        if step is not None:
            await self.with_timeout(step)

    async def respond(self, subject: str) -> None:
        """Publish an empty message that wants no answer. Raises as `send` does."""
        if (step := self.inbox.publish(subject, b"", "", None, self.context)) is not None:
            await self.with_timeout(step)

    def deliver(self, message: Message) -> None:
        """Take a message. The inbox calls this."""
        self._messages.append(message)
        self.wake()

    def fail(self, error: JetstowError) -> None:
        """Nothing more will come, for this reason. The inbox calls this."""
        self._failure = error
        deadline, self._deadline = self._deadline, None
        if deadline is not None:
            deadline.reschedule(0)
        self.wake()

    @property
    def is_empty(self) -> bool:
        """Whether nothing has arrived that was not taken yet."""
        return not self._messages

    async def next(self) -> Message:
        """The next message.

        Raises `TimeoutError`, `ConnectionLostError` or `PermissionDeniedError`.
        """
        while not self._messages:
            await self.wait()
        return self._messages.popleft()

    async def wait(self) -> None:
        """Wait until something happens here. Raises what `next` raises."""
        self._raise_failure()
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        self._wait_until = loop.time() + self.timeout
        self.inbox.check_at(self._wait_until)
        try:
            await self._waiter
        finally:
            self._waiter = None
        if self._timed_out:
            self._timed_out = False
            raise self.inbox.silence_error(self.timeout, self.context)
        if not self._messages:
            self._raise_failure()

    def check_timeout(self, now: float) -> float | None:
        """End a wait that has lasted too long; when to look again, if one goes on."""
        if self._waiter is None or self._waiter.done():
            return None
        if now < self._wait_until:
            return self._wait_until
        self._timed_out = True
        self.wake()
        return None

    def wake(self) -> None:
        """Let whoever waits look again."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def with_timeout(self, step: Coroutine[Any, Any, T]) -> T:
        """Run a step of nats-py's that may wait for the socket, for as long as is patient.

        nats-py waits without end for a flush whose flusher has died, and swallows a
        cancellation meanwhile. So the end of the wait, and the cancellation, are seen to here.
        """
        task = asyncio.current_task()
        cancelled = task.cancelling() if task is not None else 0
        try:
            async with asyncio.timeout(self.timeout) as deadline:
                self._deadline = deadline
                result = await step
        except TimeoutError as error:
            if isinstance(error, JetstowError):
                raise
            self._raise_failure()
            raise self.inbox.silence_error(self.timeout, self.context) from None
        finally:
            self._deadline = None
        if deadline.expired():
            self._raise_failure()
            raise self.inbox.silence_error(self.timeout, self.context)
        if task is not None and task.cancelling() > cancelled:
            raise asyncio.CancelledError
        return result

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
