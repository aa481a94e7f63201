"""A message that the stream leader returns (STREAM.MSG.GET), or any replica (DIRECT.GET)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from jetstow._core.protocol.api_errors import NO_MESSAGE, api_error, unreadable_response
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.message import Message
from jetstow._core.protocol.parser import ParsedMessage

# The headers that the server adds to a message, after those that it was stored with. They end the
# block, so that other headers that look the same do not match.
_ADDED_HEADERS: Final = re.compile(
    rb"Nats-Stream: \S+\r\nNats-Subject: (\S+)\r\nNats-Sequence: (\d+)\r\n"
    rb"Nats-Time-Stamp: ([\x21-\x7e]+)\r\n"
    rb"(?:Nats-Num-Pending: \d+\r\nNats-Last-Sequence: \d+\r\n)?\r\n"
)


class StoredTime(msgspec.Struct, frozen=True, gc=False):
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


def parse_stored_times(messages: Sequence[Message]) -> Iterator[tuple[str, StoredTime | None]]:
    """Yield the subjects and the times of messages from Direct Get that have data.

    The time is None if the headers do not have it.
    """
    stored = [message for message in messages if message.data]
    heads = [message.raw_headers for message in stored if isinstance(message, ParsedMessage)]
    matches = _ADDED_HEADERS.findall(b"".join(heads))
    if len(matches) == len(heads) == len(stored):
        for subject, seq, time in matches:
            yield subject.decode("utf-8", "replace"), StoredTime(int(seq), time.decode())
        return
    for message in stored:
        headers = message.headers or {}
        try:
            found = StoredTime(int(headers["Nats-Sequence"]), headers["Nats-Time-Stamp"])
        except (KeyError, ValueError):
            found = None
        yield headers.get("Nats-Subject", ""), found
