"""The reply to one request: a mailbox for a single message, without the cost of one."""

from __future__ import annotations

import asyncio

from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.message import Message
from jetstow._core.transport.receiver import OnSilence
from jetstow._core.transport.silence import Progress, Silence
from jetstow.errors import JetstowError


class PendingReply:
    """The reply to one request: its message or its error, once `arrived` is done."""

    subscription: None = None

    def __init__(
        self,
        subject: str,
        context: ErrorContext,
        silence: Silence,
        on_silence: OnSilence | None = None,
    ) -> None:
        self.address = ""
        self.context = context
        self.subjects = {subject.lower(): subject}
        self.arrived: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.message: Message | None = None
        self.error: JetstowError | None = None
        self._silence = silence
        self._on_silence = on_silence

    def deliver(self, message: Message) -> None:
        """Receive the reply. A second one is ignored."""
        self.message = self.message or message
        self._wake()

    def fail(self, error: JetstowError) -> None:
        """End the wait with an error."""
        self.error = error
        self._wake()

    def check_timeout(
        self, now: float, progress: Progress, *, is_arriving: bool, late: float
    ) -> float | None:
        """End a wait that has timed out. Return when to check a wait that has not."""
        if self.arrived.done():
            return None
        when = self._silence.check(now, progress, is_arriving=is_arriving, late=late)
        if when is None:
            self._wake()
        elif self._on_silence is not None and self._silence.becomes_noticeable(now):
            self._on_silence(self)
        return when

    def _wake(self) -> None:
        if not self.arrived.done():
            self.arrived.set_result(None)
