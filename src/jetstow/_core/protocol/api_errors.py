"""Replies of the JetStream API: decoding, and mapping of its errors to exceptions."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.message import Message
from jetstow.errors import (
    BucketExistsError,
    BucketFullError,
    BucketNotFoundError,
    BucketSealedError,
    InvalidOptionError,
    JetstowError,
    JetStreamUnavailableError,
    PermissionDeniedError,
    ServerError,
)

# The server's error codes: `err_code`, not the HTTP-like `code`.
NO_MESSAGE: Final = 10037
MESSAGE_TTL_DISABLED: Final = 10166
NO_LEADER: Final = 10008  # of the cluster, or of the stream: sent some seconds after it was lost
WRONG_LAST_SEQUENCE: Final = frozenset({10071, 10164})
_STREAM_NOT_FOUND: Final = 10059
_STREAM_EXISTS: Final = 10058
_SEALED: Final = 10109
_MESSAGE_TOO_LARGE: Final = 10054
_BAD_CONFIG: Final = frozenset({10052, 10074})  # their `code` is 500, like a server's fault
_STORE_FAILED: Final = 10077  # the limits of the stream, and failures of the disk
# What is full, as the descriptions do not say it or what to do.
_FULL: Final = {
    10002: "the account's limit is reached: delete objects, or raise it",
    10023: "the disk of the server is full, or its max_file_store or max_memory_store is reached: "
    "delete objects, or give it more",
    10028: "the max_bytes of all memory buckets would exceed what the account or server has",
    10047: "the max_bytes of all file buckets would exceed what the account or server has",
    _STORE_FAILED: "the server could not store it: its log has the reason",
}
_LIMIT_REACHED: Final = "a limit of the bucket is reached: delete objects, or raise it"
# The texts of the operating systems, with the error codes of purges, of creations, and of 10077.
_DISK_FULL_TEXTS: Final = (
    "no space left on device",
    "disk quota exceeded",
    "not enough space on the disk",
)
_NO_JETSTREAM_CODES: Final = frozenset({NO_LEADER, 10035, 10039, 10076})

_BY_CODE: Final = {
    _STREAM_NOT_FOUND: (BucketNotFoundError, "cannot access {context}: the bucket does not exist"),
    _STREAM_EXISTS: (BucketExistsError, "{context} exists already with another configuration"),
    _SEALED: (BucketSealedError, "{context} cannot change: the bucket is sealed"),
    _MESSAGE_TOO_LARGE: (
        InvalidOptionError,
        "a message for {context} is larger than the max_msg_size of its stream",
    ),
}

# Errors of the connection or the whole bucket: every other object would fail in the same way.
FATAL_ERRORS: Final = (
    ConnectionError,
    TimeoutError,
    BucketNotFoundError,
    BucketSealedError,
    BucketFullError,
    PermissionDeniedError,
)

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def decode_response(context: ErrorContext, message: Message) -> dict[str, Any]:
    """Decode a JSON reply.

    Raises: `ServerError` (it is not JSON), and the errors of `api_error`.
    """
    try:
        body = _decode(message.data)
    except (ValueError, RecursionError):
        raise unreadable_response(context, message.data) from None
    if error := body.get("error"):
        raise api_error(context, error if isinstance(error, dict) else {"description": str(error)})
    return body


def decode_stream_info(context: ErrorContext, message: Message) -> dict[str, Any]:
    """Decode the response to STREAM.INFO, from the stream's leader.

    A server that has just lost the leadership, or the leader, may reply with what it has itself.

    Raises: what `decode_response` raises, and `JetStreamUnavailableError`.
    """
    info = decode_response(context, message)
    cluster = info.get("cluster")
    if isinstance(cluster, dict) and not cluster.get("leader"):
        raise api_error(context, {"err_code": NO_LEADER, "description": "the stream has no leader"})
    return info


def unreadable_response(context: ErrorContext, data: bytes) -> ServerError:
    """Return the error for a reply that is not valid JSON."""
    return context.error(
        ServerError, f"the server's reply for {context} cannot be read: {data[:80]!r}"
    )


def no_responders(context: ErrorContext) -> JetStreamUnavailableError:
    """Return the error for status 503: no JetStream server is subscribed to the subject."""
    if context.bucket is None:
        text = "no responders: JetStream is disabled on the server or for the account"
    else:
        text = (
            f"no responders for {context}: JetStream is disabled on the server or for the account, "
            "or the stream has no leader"
        )
    return context.error(JetStreamUnavailableError, text)


def api_error(context: ErrorContext, error: dict[str, Any]) -> JetstowError:
    """Return the exception for the `error` of a reply, with the server's codes and description."""
    err_code, code = _number(error.get("err_code")), _number(error.get("code"))
    description = error.get("description", "no description")
    result: JetstowError
    if err_code in _BY_CODE:
        kind, template = _BY_CODE[err_code]
        result = context.error(kind, template.format(context=context))
    elif any(text in str(description).lower() for text in _DISK_FULL_TEXTS):
        result = context.error(
            BucketFullError,
            f"no space for {context}, the server's disk is full: {description}; free space on it, "
            "then restart the server: since 2.14, it refuses all changes of the bucket until then",
        )
    elif err_code in _FULL:
        is_limit = err_code == _STORE_FAILED and str(description).startswith("maximum ")
        reason = _LIMIT_REACHED if is_limit else _FULL[err_code]
        result = context.error(BucketFullError, f"no space for {context}: {description}; {reason}")
    elif err_code in _NO_JETSTREAM_CODES:
        of = "" if context.bucket is None else f" for {context}"
        result = context.error(JetStreamUnavailableError, f"no JetStream{of}: {description}")
    else:
        result = context.error(
            ServerError, f"the server refused a request for {context}: {description}"
        )
    result.code, result.err_code = code, err_code
    return result


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def invalid_config(error: ServerError, context: ErrorContext) -> JetstowError:
    """Return `InvalidOptionError` if the server rejected a configuration, else the error itself."""
    if error.code != 400 and error.err_code not in _BAD_CONFIG:
        return error
    result = context.error(InvalidOptionError, error.message)
    result.code, result.err_code = error.code, error.err_code
    return result
