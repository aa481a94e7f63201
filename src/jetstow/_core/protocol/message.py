"""A message as it arrives, and the status that some carry instead of data."""

from __future__ import annotations

from typing import Protocol


class Message(Protocol):
    """What arrives: a `Frame`, or nats-py's `Msg` where the connection has no lane."""

    @property
    def subject(self) -> str: ...
    @property
    def reply(self) -> str: ...
    @property
    def data(self) -> bytes: ...
    @property
    def headers(self) -> dict[str, str] | None: ...


def status(message: Message) -> int | None:
    """The status of a message that carries one instead of data.

    A stored message, which anybody may have sent, is none, whatever is in its headers.
    """
    headers = {} if message.data else message.headers or {}
    stored = "Nats-Sequence" in headers or message.reply.startswith("$JS.ACK.")
    value = "" if stored else headers.get("Status", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None
