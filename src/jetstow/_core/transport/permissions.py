"""Permissions violations, which the server reports to the connection and not to the request."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.transport.receiver import Receiver
from jetstow.errors import PermissionDeniedError

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
