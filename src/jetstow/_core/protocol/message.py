"""The interface of a received message, and the status that some messages carry."""

from __future__ import annotations

from typing import Final, Protocol

NO_RESPONDERS: Final = 503
"""The status of a reply if no service or stream is subscribed to the subject."""


class Message(Protocol):
    """A received message: a `ParsedMessage` of the fast path, or nats-py's `Msg`."""

    @property
    def subject(self) -> str: ...
    @property
    def reply(self) -> str: ...
    @property
    def data(self) -> bytes: ...
    @property
    def headers(self) -> dict[str, str] | None: ...


def status(message: Message) -> int | None:
    """Return the status of a message without data, such as 404; None if it has none.

    A message from the stream has no status, whatever headers its publisher gave it.
    """
    headers = {} if message.data else message.headers or {}
    is_stored = "Nats-Sequence" in headers or message.reply.startswith("$JS.ACK.")
    text = "" if is_stored else headers.get("Status", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
