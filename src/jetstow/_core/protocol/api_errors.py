"""Answers of the JetStream API, and the server's refusals as errors of ours."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from jetstow._core.protocol.context import Target
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
_FULL: Final = frozenset({10002, 10023, 10028, 10047, 10077})
_NO_JETSTREAM: Final = frozenset({10008, 10035, 10039, 10076})

_PURPOSE: Final = {
    _STREAM_NOT_FOUND: (BucketNotFoundError, "{target} is not there: its bucket does not exist"),
    _STREAM_EXISTS: (BucketExistsError, "{target} exists already with another configuration"),
    _SEALED: (BucketSealedError, "{target} cannot change: the bucket is sealed"),
}

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def answer(target: Target, message: Message) -> dict[str, Any]:
    """The JSON of an answer. Raises what it says is wrong."""
    try:
        body = _decode(message.data)
    except (ValueError, RecursionError):
        raise unreadable(target, message.data) from None
    if error := body.get("error"):
        raise refusal(target, error if isinstance(error, dict) else {"description": str(error)})
    return body


def unreadable(target: Target, data: bytes) -> ServerError:
    """The server has said something, and nobody knows what."""
    return target.error(
        ServerError, f"the server's answer for {target} cannot be read: {data[:80]!r}"
    )


def unavailable(target: Target) -> JetStreamUnavailableError:
    """Nobody listens where JetStream should."""
    return target.error(
        JetStreamUnavailableError,
        f"nothing answers for {target}: JetStream is off, the account has none, or the stream "
        "has no leader",
    )


def refusal(target: Target, error: dict[str, Any]) -> JetstowError:
    """The server's refusal as an error of ours, with the server's code and sentence in it."""
    err_code, code = _number(error.get("err_code")), _number(error.get("code"))
    said = error.get("description", "no reason given")
    raised: JetstowError
    if err_code in _PURPOSE:
        kind, sentence = _PURPOSE[err_code]
        raised = target.error(kind, sentence.format(target=target))
    elif err_code in _FULL:
        raised = target.error(BucketFullError, f"there is no room for {target}: {said}")
    elif err_code in _NO_JETSTREAM:
        raised = target.error(JetStreamUnavailableError, f"no JetStream for {target}: {said}")
    else:
        raised = target.error(ServerError, f"the server refused a request for {target}: {said}")
    raised.code, raised.err_code = code, err_code
    return raised


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def invalid_config(error: ServerError, target: Target) -> JetstowError:
    """A configuration that the server does not take is the caller's to mend."""
    if error.code != 400 and error.err_code not in _BAD_CONFIG:
        return error
    raised = target.error(InvalidOptionError, error.message)
    raised.code, raised.err_code = error.code, error.err_code
    return raised
