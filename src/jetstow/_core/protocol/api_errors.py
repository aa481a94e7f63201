"""Answers of the JetStream API, and the server's refusals as errors of ours."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from jetstow._core.protocol.context import ErrorContext
from jetstow._core.protocol.message import Message
from jetstow.errors import (
    BucketExistsError,
    BucketFullError,
    BucketNotFoundError,
    BucketSealedError,
    InvalidOptionError,
    JetstowError,
    JetStreamUnavailableError,
    ServerError,
)

# The server's error codes that mean something to us (`err_code`, not the HTTP-like `code`).
NO_MESSAGE: Final = 10037
WRONG_LAST_SEQUENCE: Final = frozenset({10071, 10164})
_STREAM_NOT_FOUND: Final = 10059
_STREAM_EXISTS: Final = 10058
_SEALED: Final = 10109
_BAD_CONFIG: Final = frozenset({10052, 10074})  # with the code 500, as if it were the server's
_FULL_CODES: Final = frozenset({10002, 10023, 10028, 10047, 10077})
_NO_JETSTREAM_CODES: Final = frozenset({10008, 10035, 10039, 10076})

_BY_CODE: Final = {
    _STREAM_NOT_FOUND: (BucketNotFoundError, "{context} is not there: its bucket does not exist"),
    _STREAM_EXISTS: (BucketExistsError, "{context} exists already with another configuration"),
    _SEALED: (BucketSealedError, "{context} cannot change: the bucket is sealed"),
}

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def decode_response(context: ErrorContext, message: Message) -> dict[str, Any]:
    """The JSON of an answer. Raises what it says is wrong."""
    try:
        body = _decode(message.data)
    except (ValueError, RecursionError):
        raise unreadable_response(context, message.data) from None
    if error := body.get("error"):
        raise api_error(context, error if isinstance(error, dict) else {"description": str(error)})
    return body


def unreadable_response(context: ErrorContext, data: bytes) -> ServerError:
    """The server has said something, and nobody knows what."""
    return context.error(
        ServerError, f"the server's answer for {context} cannot be read: {data[:80]!r}"
    )


def no_responders(context: ErrorContext) -> JetStreamUnavailableError:
    """Nobody listens where JetStream should."""
    return context.error(
        JetStreamUnavailableError,
        f"nothing answers for {context}: JetStream is off, the account has none, or the stream "
        "has no leader",
    )


def api_error(context: ErrorContext, error: dict[str, Any]) -> JetstowError:
    """The server's refusal as an error of ours, with the server's code and sentence in it."""
    err_code, code = _number(error.get("err_code")), _number(error.get("code"))
    said = error.get("description", "no reason given")
    raised: JetstowError
    if err_code in _BY_CODE:
        kind, sentence = _BY_CODE[err_code]
        raised = context.error(kind, sentence.format(context=context))
    elif err_code in _FULL_CODES:
        raised = context.error(BucketFullError, f"there is no room for {context}: {said}")
    elif err_code in _NO_JETSTREAM_CODES:
        raised = context.error(JetStreamUnavailableError, f"no JetStream for {context}: {said}")
    else:
        raised = context.error(ServerError, f"the server refused a request for {context}: {said}")
    raised.code, raised.err_code = code, err_code
    return raised


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def invalid_config(error: ServerError, context: ErrorContext) -> JetstowError:
    """A configuration that the server does not take is the caller's to mend."""
    if error.code != 400 and error.err_code not in _BAD_CONFIG:
        return error
    raised = context.error(InvalidOptionError, error.message)
    raised.code, raised.err_code = error.code, error.err_code
    return raised
