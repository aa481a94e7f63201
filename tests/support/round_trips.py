"""Count the round trips between a client and the server."""

from __future__ import annotations

from typing import Any

import pytest

from jetstow._core.transport.inbox import Inbox


class RoundTripCounter:
    """Counts requests and round trips, from its creation or the last `reset`.

    A round trip begins with the first request after a reply was received. Requests that are sent
    without a reply between them count as one round trip.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.requests = 0
        self._awaiting_request = True
        publish, deliver = Inbox.publish, Inbox.deliver_all

        def counted_publish(
            inbox: Inbox, subject: str, payload: Any, reply: str, *rest: Any
        ) -> Any:
            if reply:
                self.requests += 1
                self.count += self._awaiting_request
                self._awaiting_request = False
            return publish(inbox, subject, payload, reply, *rest)

        def counted_deliver(inbox: Inbox, messages: Any) -> None:
            self._awaiting_request = True
            deliver(inbox, messages)

        patch.setattr(Inbox, "publish", counted_publish)
        patch.setattr(Inbox, "deliver_all", counted_deliver)

    def reset(self) -> None:
        """Set the counters to zero."""
        self.count = self.requests = 0
        self._awaiting_request = True
