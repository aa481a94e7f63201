"""The message ids of chunks: the NUID of the object, and the number of the chunk."""

from __future__ import annotations

from typing import Final

MSG_ID: Final = "Nats-Msg-Id"


def chunk_id(nuid: str, number: int, attempt: int = 0) -> str:
    """Return the message id of a chunk, which differs for each attempt to store it."""
    return f"{nuid}.{number}.{attempt}" if attempt else f"{nuid}.{number}"


def chunk_number(nuid: str, message_id: str) -> int | None:
    """Return the number of a chunk; None if its message id is that of another client."""
    prefix, _, rest = message_id.partition(".")
    number = rest.partition(".")[0]
    return int(number) if prefix == nuid and number.isascii() and number.isdecimal() else None
