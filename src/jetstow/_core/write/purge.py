"""Purge chunks that no name refers to, and the metadata of names."""

from __future__ import annotations

import asyncio
import builtins
import logging
from typing import Final

import msgspec

from jetstow._core.aio.cancellation import CLEANUP_GRACE, wait_unless_cancelled
from jetstow._core.aio.deadline import deadline
from jetstow._core.bucket.encryption import plain_info
from jetstow._core.bucket.purge import portion_size, purge_subject
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.api_errors import decode_response
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.message import Message
from jetstow._core.protocol.subjects import chunk_subject, meta_subject
from jetstow._core.read.name_state import NameState, read_state
from jetstow._core.transport.client import FastPathClient
from jetstow._core.transport.retry import RETRIED_ERRORS
from jetstow._core.write.shared_chunks import is_named
from jetstow.errors import BucketNotFoundError, JetstowError, WrongStreamError
from jetstow.models import ObjectInfo

# A server drops all of its API requests when 10,000 of them wait, of all clients.
_MAX_UNAWAITED_PURGES: Final = 1_024

# How often to look whether a purge has ended, in seconds, besides its callback.
_POLL_INTERVAL: Final = 60.0

_log = logging.getLogger("jetstow.write")


class Committed(msgspec.Struct, frozen=True):
    """The published metadata, and the state of the name that it replaced.

    `is_shared` is whether another name may have had the chunks of the replaced object, `is_kept`
    whether they stay as those of a version.
    """

    info: ObjectInfo
    replaced: NameState
    is_shared: bool = False
    is_kept: bool = False


async def purge_chunks(
    stream: Stream, context: ErrorContext, nuid: str, chunks: int, chunk_size: int
) -> None:
    """Purge the chunks of a NUID, of which there are about `chunks`.

    A failure is logged, not raised: the caller's operation is complete, and chunks without a name
    are invisible until `collect_garbage` removes them.

    If the caller of `uncancelled` is cancelled while many chunks are purged, the purge goes on.
    """
    if chunks <= portion_size(stream, chunk_size):
        await _purge_chunks(stream, context, nuid, chunks, chunk_size)
        return
    ended = asyncio.Event()
    task = stream.purges.run(_purge_in_task(stream, context, nuid, chunks, chunk_size))
    task.add_done_callback(lambda _: ended.set())
    while not ended.is_set():
        if not await wait_unless_cancelled(ended, _POLL_INTERVAL):
            return


async def _purge_chunks(
    stream: Stream, context: ErrorContext, nuid: str, chunks: int, chunk_size: int
) -> None:
    subject = chunk_subject(stream.subject_bucket, nuid)
    try:
        await purge_subject(stream, context, subject, chunks, chunk_size)
    except JetstowError as error:
        _warn(context, nuid, error)


def send_purge(
    stream: Stream, context: ErrorContext, nuid: str, chunks: int, chunk_size: int
) -> None:
    """Begin to purge the chunks of a NUID, as `purge_chunks` does, and do not wait for it.

    `stream.purges` has it until it has ended. A purge of few chunks is one request without a task.
    """
    inbox = stream.api.inbox
    if chunks > portion_size(stream, chunk_size) or not inbox.is_ready:
        stream.purges.run(_purge_in_task(stream, context, nuid, chunks, chunk_size))
        return
    number = stream.purges.begin()

    def on_end(outcome: Message | JetstowError, was_sent: bool) -> None:
        try:
            if isinstance(outcome, JetstowError):
                raise outcome
            decode_response(context, outcome)
        except RETRIED_ERRORS:
            # `close` has sent what was passed to the socket before.
            if not (stream.api.nc.is_closed and was_sent):
                again = _purge_in_task(stream, context, nuid, chunks, chunk_size)
                stream.purges.run(again, begun=number)
                return
        except JetstowError as error:
            _warn(context, nuid, error)
        stream.purges.end(number)

    body = {"filter": chunk_subject(stream.subject_bucket, nuid)}
    stream.api.send_unawaited(context, f"STREAM.PURGE.{stream.name}", body, on_end)


async def _purge_in_task(
    stream: Stream, context: ErrorContext, nuid: str, chunks: int, chunk_size: int
) -> None:
    try:
        await _purge_chunks(stream, context, nuid, chunks, chunk_size)
    except asyncio.CancelledError:
        # The event loop or the connection is ending: let one request purge what remains.
        await purge_at_end(stream, context, nuid)
        raise


async def purge_unfinished(
    stream: Stream, context: ErrorContext, nuid: str, chunks: int, chunk_size: int, error: object
) -> None:
    """Purge the chunks of a put that failed with an error, when their replies have arrived.

    If there is no connection, they are purged when there is one, and this does not wait for it. A
    cancelled put does not wait for a bucket without a leader, either.
    """
    if not stream.api.nc.is_connected:
        stream.purges.run(_purge_abandoned(stream, context, nuid, chunks, chunk_size))
    elif isinstance(error, WrongStreamError):
        # Another stream has answered: this one may store chunks after their purge.
        await _purge_abandoned(stream, context, nuid, chunks, chunk_size)
    elif isinstance(error, asyncio.CancelledError):
        purge = stream.purges.run(_purge_in_task(stream, context, nuid, chunks, chunk_size))
        await asyncio.wait([purge], timeout=CLEANUP_GRACE)
    else:
        await purge_chunks(stream, context, nuid, chunks, chunk_size)


async def _purge_abandoned(
    stream: Stream, context: ErrorContext, nuid: str, chunks: int, chunk_size: int
) -> None:
    """Purge the chunks of a put whose replies do not show that the stream has stored them all."""
    await _purge_in_task(stream, context, nuid, chunks, chunk_size)
    # The purge may have overtaken chunks that were in the server's queue.
    try:
        count = await stream.count_messages(context, chunk_subject(stream.subject_bucket, nuid))
    except JetstowError as error:
        _warn(context, nuid, error)
    else:
        if count:
            await _purge_in_task(stream, context, nuid, count, chunk_size)


async def purge_at_end(stream: Stream, context: ErrorContext, nuid: str) -> None:
    """Purge chunks while the event loop or the connection is ending, so no reply may arrive."""
    if stream.api.nc.is_connected:
        try:
            async with deadline(CLEANUP_GRACE):
                await stream.purge(context, chunk_subject(stream.subject_bucket, nuid))
            return
        except (builtins.TimeoutError, JetstowError):
            pass
    is_connected = stream.api.nc.is_connected
    reason = "the server has not replied" if is_connected else "the connection was closed"
    _log.warning("unused chunks of %s (NUID %s) may be left: %s", context, nuid, reason)


def _warn(context: ErrorContext, nuid: str, error: JetstowError) -> None:
    if not isinstance(error, BucketNotFoundError):  # it was deleted with its chunks
        _log.warning("unused chunks of %s (NUID %s) were not purged: %s", context, nuid, error)


async def purge_replaced(
    stream: Stream, context: ErrorContext, committed: Committed, *, wait: bool = False
) -> None:
    """Purge the chunks of the object that a commit replaced or deleted, unless another name, the
    new metadata or a version refers to them.

    Without `wait`, the purge is sent, and ends later (see `send_purge`).
    """
    replaced = committed.replaced.live
    if replaced is None or not replaced.chunks or replaced.is_link() or committed.is_kept:
        return
    if replaced.nuid == committed.info.nuid and not committed.info.deleted:
        return
    try:
        if committed.is_shared and await is_named(stream, replaced):
            return
    except JetstowError as error:
        _warn(context, replaced.nuid, error)
        return
    chunk_size = max(1, (replaced.size or 0) // replaced.chunks)
    if wait:
        await purge_chunks(stream, context, replaced.nuid, replaced.chunks, chunk_size)
        return
    if len(stream.purges) >= _MAX_UNAWAITED_PURGES:
        await stream.purges.wait()
    send_purge(stream, context, replaced.nuid, replaced.chunks, chunk_size)
    if not isinstance(stream.api.nc, FastPathClient):
        await asyncio.sleep(0)  # let nats-py send it before the caller can close the connection


def live_info(stream: Stream, replaced: NameState) -> ObjectInfo | None:
    """Return the info of the object at a state, to be returned to the caller; None if none."""
    return None if replaced.live is None else plain_info(stream, replaced.live)


async def purge_name(stream: Stream, context: ErrorContext, revision: int) -> bool:
    """Purge the metadata of the name in `context`, unless it was written after a revision.

    Return whether it was purged. If the request was sent again after a lost reply, and the name
    has no metadata, the first request has purged it.
    """
    subject = meta_subject(stream.subject_bucket, context.name or "")
    purged = await stream.purge(context, subject, below=revision + 1)
    if purged.count or not purged.was_resent:
        return purged.count > 0
    return (await read_state(stream, context)).revision == 0
