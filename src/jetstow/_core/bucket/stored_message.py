"""A message that the stream leader returns (STREAM.MSG.GET)."""

from __future__ import annotations

from typing import Any

import msgspec

from jetstow._core.protocol.api_errors import NO_MESSAGE, api_error, unreadable_response
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.message import Message


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
