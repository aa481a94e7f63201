"""A message that the stream leader returns (STREAM.MSG.GET), or any replica (DIRECT.GET)."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

import msgspec

from jetstow._core.protocol.api_errors import NO_MESSAGE, api_error, unreadable_response
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.message import Message
from jetstow._core.protocol.parser import ParsedMessage

# The headers that the server adds to a message, after those that it was stored with.
_ADDED_HEADERS: Final = re.compile(
    rb"Nats-Stream: \S+\r\nNats-Subject: (\S+)\r\nNats-Sequence: (\d+)\r\n"
    rb"Nats-Time-Stamp: ([\x21-\x7e]+)\r\n"
)


class StoredTime(NamedTuple):
    """The sequence and the time of the last message of a subject."""

    seq: int
    time: str


class StoredMessage(msgspec.Struct, frozen=True):
    """A message in the stream; `time` is RFC 3339 in UTC."""

    subject: str
    seq: int
    time: str
    data: bytes = b""


class _GetResponse(msgspec.Struct):
    message: StoredMessage | None = None
    error: dict[str, Any] | None = None


_decode_get_response = msgspec.json.Decoder(_GetResponse).decode


def decode_stored_message(context: ErrorContext, reply: Message) -> StoredMessage | None:
    """Decode the response to STREAM.MSG.GET."""
    try:
        response = _decode_get_response(reply.data)
    except (ValueError, RecursionError):
        raise unreadable_response(context, reply.data) from None
    if response.error is None:
        return response.message
    if response.error.get("err_code") == NO_MESSAGE:
        return None
    raise api_error(context, response.error)


def parse_stored_time(message: Message) -> tuple[str, StoredTime | None]:
    """Return the subject and the time of a message from Direct Get, if its headers have them."""
    if isinstance(message, ParsedMessage):
        head = message.raw_headers
        match = _ADDED_HEADERS.match(head, max(0, head.rfind(b"Nats-Stream: ")))
        if match is not None:
            subject, seq, time = match.groups()
            return subject.decode("utf-8", "replace"), StoredTime(int(seq), time.decode())
    headers = message.headers or {}
    try:
        found = StoredTime(int(headers["Nats-Sequence"]), headers["Nats-Time-Stamp"])
    except (KeyError, ValueError):
        found = None
    return headers.get("Nats-Subject", ""), found
