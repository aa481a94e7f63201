"""Publish messages to the stream of a bucket, and check their acknowledgements."""

from __future__ import annotations

from typing import TypeVar

from jetstow._core.bucket.publish_reply import PublishReply
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol import subjects
from jetstow._core.protocol.api_errors import api_error, no_responders, unreadable_response
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.message import NO_RESPONDERS, status
from jetstow._core.transport.jetstream_api import DEFAULT_PREFIX
from jetstow.errors import BucketNotFoundError, JetStreamUnavailableError, WrongStreamError

R = TypeVar("R", bound=PublishReply)


async def send_message(
    stream: Stream,
    kind: type[R],
    context: ErrorContext,
    subject: str,
    payload: bytes | memoryview,
    headers: dict[str, str],
) -> R:
    """Send one message, to be stored under a subject; `wait_stored` waits for the reply.

    Raises: `ConnectionLostError`, `PermissionDeniedError`, `TimeoutError` (there is no
    connection), and what `Inbox.publish` raises.
    """
    api = stream.api
    inbox, timeout = api.inbox, api.timeout
    if not inbox.is_ready:
        await inbox.prepare(context, timeout)
    target = stream.publish_subject(subject) if api.subject_prefix else subject
    reply = inbox.send(kind, context, target, payload, headers, timeout)
    inbox.flush()
    reply.on_silence = stream.disk_probe
    return reply


async def wait_stored(stream: Stream, reply: PublishReply, subject: str) -> int:
    """Return the sequence at which a message is stored. See `PendingReply.wait`.

    It is not sent again after an error: the caller must find out whether it was stored.

    Raises: `WrongStreamError`, the errors of `api_error`, and what `PendingReply.wait` raises.
    """
    message, context, ack = await reply.wait(), reply.context, reply.ack
    if ack is None or (ack.error is None and ack.seq <= 0):
        if not message.data and status(message) == NO_RESPONDERS:
            raise await no_responders_error(stream, context, subject)
        raise unreadable_response(context, message.data)
    if ack.error is not None:
        raise api_error(context, ack.error)
    if (ack.stream, ack.domain) != stream.ack_origin:
        check_ack(stream, context, ack.stream, ack.domain)
    return ack.seq


def check_ack(stream: Stream, context: ErrorContext, name: object, domain: object) -> None:
    """Check that an acknowledgement, by a stream in a domain, is from the bucket's own stream.

    Raises: `WrongStreamError`.
    """
    if stream.ack_origin is None:
        stream.ack_origin = stream.name, domain
    if (name, domain) != stream.ack_origin:
        raise wrong_stream_error(stream, context, name, domain)


def wrong_stream_error(
    stream: Stream, context: ErrorContext, name: object, domain: object
) -> WrongStreamError:
    """Return the error for messages that another stream stores."""
    own, other = (
        f"stream {each!r}" + (f" in domain {where!r}" if where else "")
        for each, where in (stream.ack_origin or (stream.name, None), (name, domain))
    )
    subject = stream.publish_subject(subjects.all_subject(stream.bucket))
    return context.error(
        WrongStreamError,
        f"messages for {context} to {subject!r} are stored by {other}, not only by {own}: "
        "connect to a server of the bucket's own domain, or set subject_prefix if the account "
        "imports the subjects with a prefix",
    )


async def no_responders_error(
    stream: Stream, context: ErrorContext, subject: str
) -> BucketNotFoundError | JetStreamUnavailableError:
    """Return the reason for "no responders" to a message: no stream receives it."""
    try:
        await stream.info()
    except (BucketNotFoundError, JetStreamUnavailableError) as error:
        return error
    if stream.api.prefix == DEFAULT_PREFIX and not stream.api.subject_prefix:
        return no_responders(context)
    return context.error(
        JetStreamUnavailableError,
        f"no stream receives messages to {stream.publish_subject(subject)!r}, which {context} "
        "needs: if the account imports the subjects with a prefix, set subject_prefix",
    )
