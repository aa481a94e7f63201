"""The reply to one request: a mailbox for a single message, without the cost of one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol, TypeVar

from jetstow._core.aio.congestion_window import CongestionWindow
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.message import Message
from jetstow._core.transport.event_loop import ConnectionLoop
from jetstow._core.transport.receiver import OnSilence
from jetstow._core.transport.silence import CHECKS, Progress, Silence
from jetstow._core.transport.timeouts import Timeouts
from jetstow.errors import JetstowError


class PendingReplyOwner(Protocol):
    """The parts of an inbox that its pending replies need."""

    loop: ConnectionLoop
    inbound: CongestionWindow
    outbound: CongestionWindow
    round_trip: float
    timeouts: Timeouts

    def remove(self, token: str) -> None: ...

    def observe_round_trip(self, seconds: float) -> None: ...

    def timeout_error(self, timeout: float, context: ErrorContext) -> JetstowError: ...


class PendingReply:
    """The reply to a request that was sent to a subject.

    It ends with a message or an error. Its owner calls `close` if it may not have ended. A subclass
    may receive several messages: it overrides `deliver_all`, and calls `_end` after the last one.
    """

    subscription: None = None
    address = token = ""
    message: Message | None = None
    error: JetstowError | None = None
    has_ended = False

    publishing: asyncio.Task[None] | None = None
    """Sends the request, if the socket did not take all of it."""

    on_silence: OnSilence | None = None
    """Called when the server has been silent for a while."""

    _arrived: asyncio.Future[None] | None = None
    _silence: Silence | None = None
    _timed_out = False

    def __init__(
        self, inbox: PendingReplyOwner, subject: str, context: ErrorContext, timeout: float
    ) -> None:
        self.context = context
        self._inbox = inbox
        self._subject = subject
        self._timeout = timeout
        self._loop = inbox.loop.check(context)
        self._sent_at = self._since = self._loop.time()

    @property
    def subjects(self) -> dict[str, str]:
        """The subject of the request, by lower case."""
        return {self._subject.lower(): self._subject}

    @property
    def first_check(self) -> float:
        """When to check for the first time whether the server is silent for too long."""
        return self._since + self._timeout / CHECKS

    async def wait(self) -> Message:
        """Return the reply. After a cancellation or a timeout, this can be called again.

        Raises: `ConnectionLostError`, `PermissionDeniedError`, `TimeoutError`.
        """
        if not self.has_ended:
            if self._timed_out:
                self._timed_out, self._silence, self._since = False, None, self._loop.time()
            self._arrived = asyncio.Future(loop=self._loop)
            when = self.first_check
            if when < self._inbox.timeouts.next_check:
                self._inbox.timeouts.check_at(when)
            await self._arrived
        if self.message is None:
            raise self.error or self._inbox.timeout_error(self._timeout, self.context)
        round_trip = self._loop.time() - self._sent_at
        if round_trip < self._inbox.round_trip:
            self._inbox.observe_round_trip(round_trip)
        return self.message

    def close(self) -> None:
        """Receive nothing more."""
        if not self.has_ended:
            self._end()

    def deliver_all(self, messages: Sequence[Message]) -> None:
        """Receive the reply; called by the inbox."""
        self.message = messages[0]
        self._end()

    def fail(self, error: JetstowError) -> None:
        """End with an error."""
        self.error = error
        self._end()

    def check_timeout(
        self, now: float, progress: Progress, *, is_arriving: bool, late: float
    ) -> float | None:
        """End a wait that has timed out. Return when to check a wait that has not."""
        if self.has_ended:
            return None
        if self._silence is None:
            self._silence = Silence(self._timeout, self._since)
        when = self._silence.check(now, progress, is_arriving=is_arriving, late=late)
        if when is None:
            self._time_out()
        elif self.on_silence is not None and self._silence.becomes_noticeable(now):
            self.on_silence(self)
        return when

    def on_published(self, publishing: asyncio.Task[None]) -> None:
        """End with an error if the request could not be sent."""
        if not publishing.cancelled() and isinstance(error := publishing.exception(), JetstowError):
            self.fail(error)

    def _time_out(self) -> None:
        self._timed_out = True
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)

    def _end(self) -> None:
        self.has_ended = True
        self._inbox.remove(self.token)
        if self.publishing is not None and self.message is None:
            self.publishing.cancel()
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)


R = TypeVar("R", bound=PendingReply)
