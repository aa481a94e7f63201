"""Checks before a change of a bucket: its stream accepts it, and no other stream receives it."""

from __future__ import annotations

from contextlib import suppress

from jetstow._core.bucket.publish import wrong_stream_error
from jetstow._core.bucket.stream import Stream
from jetstow._core.bucket.stream_config import read_only_reason
from jetstow._core.protocol import subjects
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.transport.jetstream_api import DEFAULT_PREFIX, JetStreamAPI
from jetstow.errors import (
    BucketSealedError,
    JetStreamUnavailableError,
    PermissionDeniedError,
    ServerError,
)


async def check_writable(stream: Stream, context: ErrorContext) -> None:
    """Check that the bucket can be changed.

    Raises: `BucketSealedError` (it is sealed, a mirror, or a stream that refuses changes),
    `WrongStreamError` (another stream would store the messages, too).
    """
    if read_only_reason(stream.bucket, stream.subject_bucket, stream.config) is not None:
        await stream.info()  # the configuration may have changed since the bucket was opened
        reason = read_only_reason(stream.bucket, stream.subject_bucket, stream.config)
        if reason is not None:
            raise context.error(BucketSealedError, f"{context} cannot change: {reason}")
    if stream.needs_subject_check:
        await _check_subjects(stream, context)


async def _check_subjects(stream: Stream, context: ErrorContext) -> None:
    """Check that no other stream of the local account stores what is published.

    A leaf node delivers published messages to its own streams and to those of its hub,
    whatever domain the API requests are for. An account that imports another one's API may
    have streams of its own. Without access to the local API, skip the check.

    Raises: `WrongStreamError`.
    """
    own = await stream.info()
    stream.set_domain(own)
    local = JetStreamAPI(stream.api.nc, DEFAULT_PREFIX, stream.api.timeout)
    subject = stream.publish_subject(subjects.all_chunks_subject(stream.bucket))
    others: list[tuple[object, object]] = []
    with suppress(JetStreamUnavailableError, PermissionDeniedError, ServerError):
        response = await local.request(context, "STREAM.NAMES", {"subject": subject})
        for name in response.get("streams") or []:
            info = await local.request(context, f"STREAM.INFO.{name}")
            # A stream of another account may have the same name and domain.
            if info["created"] != own["created"]:
                others.append((name, info.get("domain")))
    if others:
        raise wrong_stream_error(stream, context, *others[0])
    stream.needs_subject_check = False
