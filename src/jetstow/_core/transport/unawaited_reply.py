"""The reply to a request whose sender does not wait for it: it goes to a callback."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from jetstow._core.protocol.message import Message
from jetstow._core.transport.pending_reply import PendingReply
from jetstow.errors import JetstowError

# Called once, with the reply or the error, and whether the request was passed to the socket.
OnEnd: TypeAlias = Callable[[Message | JetstowError, bool], None]


class UnawaitedReply(PendingReply):
    """The reply to one request. It costs neither a task nor a future."""

    on_end: OnEnd

    def _time_out(self) -> None:
        self.fail(self._inbox.timeout_error(self._timeout, self.context))

    def _end(self) -> None:
        if self.has_ended:
            return
        sending = self.publishing
        was_sent = sending is None or (
            sending.done() and not sending.cancelled() and sending.exception() is None
        )
        super()._end()
        if (outcome := self.message or self.error) is not None:
            self.on_end(outcome, was_sent)
