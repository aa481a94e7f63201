"""How often a client has to wait for the server before it has what it asked for."""

from __future__ import annotations

from typing import Any

import pytest

from jetstow._core.transport.mailbox import Mailbox


class Rounds:
    """Counts the round trips of what is done while it is there.

    A round begins with the first request after an answer was taken: requests that are sent
    one after another, without an answer between them, travel together.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.requests = 0
        self._answered = True
        send, take = Mailbox.send, Mailbox.next

        async def counted_send(box: Mailbox, *args: Any, **options: Any) -> None:
            self.requests += 1
            self.count += self._answered
            self._answered = False
            await send(box, *args, **options)

        async def counted_take(box: Mailbox) -> Any:
            message = await take(box)
            self._answered = True
            return message

        patch.setattr(Mailbox, "send", counted_send)
        patch.setattr(Mailbox, "next", counted_take)

    def start(self) -> None:
        """From here on."""
        self.count = self.requests = 0
        self._answered = True
