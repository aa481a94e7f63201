"""Permissions violations, which the server reports to the connection and not to the request."""

from __future__ import annotations

import asyncio
import builtins
import re
from collections import deque
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar

from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.message import Message
from jetstow._core.transport.receiver import Receiver
from jetstow._core.transport.silence import Progress
from jetstow.errors import JetstowError, PermissionDeniedError

T = TypeVar("T")

# nats-py converts the server's errors to lower case.
_VIOLATION: Final = re.compile(r'permissions violation for (publish|subscription) to "([^"]+)"')

_MAX_DENIED_SUBJECTS: Final = 256


class Denials:
    """Fails the requests of one inbox that a permissions violation concerns."""

    def __init__(self, inbox_subject: str, receivers: Mapping[str, Receiver]) -> None:
        self.is_inbox_denied = False
        self._inbox_subject = inbox_subject
        self._receivers = receivers
        # Subjects denied before: their late errors may arrive after the mailbox was closed.
        self._subjects: deque[str] = deque(maxlen=_MAX_DENIED_SUBJECTS)

    def wrap_error_callback(self, nc: Any) -> None:
        """Handle the violations that concern a request; pass all other errors to the user."""
        user_callback = nc._error_cb

        async def on_error(error: Exception) -> None:
            if not self._handle(str(error)):
                await user_callback(error)

        nc._error_cb = on_error

    def inbox_error(self, context: ErrorContext) -> PermissionDeniedError:
        """Return the error for a user who may not subscribe to the inbox."""
        return _denied(context, "subscribe to", self._inbox_subject)

    def _handle(self, text: str) -> bool:
        """Fail the requests that an error concerns; return whether it concerns the inbox."""
        match = _VIOLATION.search(text)
        if match is None:
            return False
        verb, subject = match.groups()
        is_inbox = verb == "subscription" and subject == self._inbox_subject.lower()
        receivers = list(self._receivers.values())
        if verb == "publish":
            receivers = [receiver for receiver in receivers if subject in receiver.subjects]
            if receivers and subject not in self._subjects:
                self._subjects.append(subject)
        elif is_inbox:
            self.is_inbox_denied = True
        else:
            receivers = [each for each in receivers if subject == each.address.lower()]
        action = "publish to" if verb == "publish" else "subscribe to"
        for receiver in receivers:
            spelling = {self._inbox_subject.lower(): self._inbox_subject} | receiver.subjects
            spelling[receiver.address.lower()] = receiver.address
            receiver.fail(_denied(receiver.context, action, spelling.get(subject, subject)))
        return bool(receivers) or is_inbox or subject in self._subjects


def _denied(context: ErrorContext, action: str, subject: str) -> PermissionDeniedError:
    error = context.error(
        PermissionDeniedError, f"the user may not {action} {subject!r}, which {context} needs"
    )
    error.subject = subject
    return error


class _Receivers(Protocol):
    """The parts of an inbox that a request of nats-py needs."""

    def register(self, receiver: Receiver) -> str: ...

    def remove(self, token: str) -> None: ...


class _NatsRequest:
    """A request that nats-py sends, and whose reply nats-py receives."""

    address = ""
    subscription: None = None

    def __init__(self, subject: str, limit: asyncio.Timeout) -> None:
        self.context = ErrorContext()
        self.subjects = {subject.lower(): subject}
        self.is_denied = False
        self._limit = limit

    def deliver_all(self, messages: Sequence[Message]) -> None:
        """Do nothing: its address is not in the request."""

    def fail(self, error: JetstowError) -> None:
        """End the request if the server has refused it. nats-py ends it for other reasons."""
        if isinstance(error, PermissionDeniedError) and not self.is_denied:
            self.is_denied = True
            self._limit.reschedule(asyncio.get_running_loop().time())

    def check_timeout(
        self, now: float, progress: Progress, *, is_arriving: bool, late: float
    ) -> float | None:
        """Do nothing: nats-py has a timeout of its own."""


async def until_denied(inbox: _Receivers, subject: str, request: Awaitable[T]) -> T:
    """Await a request of nats-py's, which waits for a reply also if the server has refused it.

    Raises: `PermissionDeniedError`, and what the request raises.
    """
    limit = asyncio.timeout(None)
    watched = _NatsRequest(subject, limit)
    token = inbox.register(watched)
    try:
        async with limit:
            return await request
    except builtins.TimeoutError:
        if not watched.is_denied:
            raise
    finally:
        inbox.remove(token)
    error = PermissionDeniedError(f"the user may not publish to {subject!r}")
    error.subject = subject
    raise error
