"""A request whose reply goes to a callback, because its sender does not wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.message import Message
from jetstow._core.transport.inbox import Inbox
from jetstow._core.transport.silence import Progress, Silence
from jetstow.errors import JetstowError

# Called once, with the reply or the error, and whether the request was passed to the socket.
OnEnd: TypeAlias = Callable[[Message | JetstowError, bool], None]


class UnawaitedRequest:
    """One request. It costs neither a task nor a future."""

    subscription: None = None

    def __init__(
        self,
        inbox: Inbox,
        context: ErrorContext,
        subject: str,
        payload: bytes,
        timeout: float,
        on_end: OnEnd,
    ) -> None:
        """Publish the request. `inbox.is_ready` must be true."""
        self.context = context
        self.subjects = {subject.lower(): subject}
        self._inbox = inbox
        self._timeout = timeout
        self._on_end: OnEnd | None = on_end
        self._silence = Silence(timeout, asyncio.get_running_loop().time())
        self._publishing: asyncio.Task[None] | None = None
        self.address = ""
        self._token = inbox.register(self)
        publishing = inbox.publish(subject, payload, self.address, None, context)
        inbox.flush_soon()
        inbox.timeouts.check_at(self._silence.first_check())
        if publishing is not None:
            # The socket is full, or nats-py sends.
            self._publishing = asyncio.ensure_future(self._publish(publishing))

    def deliver_all(self, messages: Sequence[Message]) -> None:
        """Receive the reply."""
        self._end(messages[0])

    def fail(self, error: JetstowError) -> None:
        """End the wait with an error."""
        self._end(error)

    def check_timeout(
        self, now: float, progress: Progress, *, is_arriving: bool, late: float
    ) -> float | None:
        """End a wait that has timed out. Return when to check a wait that has not."""
        when = self._silence.check(now, progress, is_arriving=is_arriving, late=late)
        if when is None:
            self._end(self._inbox.timeout_error(self._timeout, self.context))
        return when

    def _end(self, outcome: Message | JetstowError) -> None:
        on_end, self._on_end = self._on_end, None
        self._inbox.remove(self._token)
        if on_end is not None:
            on_end(outcome, self._publishing is None or self._publishing.done())
        if self._publishing is not None and self._publishing is not asyncio.current_task():
            self._publishing.cancel()

    async def _publish(self, publishing: Any) -> None:
        try:
            await publishing
        except JetstowError as error:
            self._end(error)
