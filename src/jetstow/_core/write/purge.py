"""Purge chunks that no name refers to."""

from __future__ import annotations

import logging

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.subjects import chunk_subject
from jetstow._core.read.name_state import read_state
from jetstow._core.write.commit import Committed
from jetstow._core.write.shared_chunks import live_twins
from jetstow.errors import JetstowError
from jetstow.models import ObjectInfo

_log = logging.getLogger("jetstow.write")


async def purge_chunks(stream: Stream, context: ErrorContext, nuid: str) -> None:
    """Purge the chunks of a NUID.

    A failure is logged, not raised: the caller's operation is complete, and chunks without a name
    are invisible until `collect_garbage` removes them.
    """
    try:
        await stream.purge(context, chunk_subject(stream.bucket, nuid))
    except JetstowError as error:
        _log.warning("unused chunks of %s (NUID %s) were not purged: %s", context, nuid, error)


async def purge_abandoned(stream: Stream, context: ErrorContext, nuid: str) -> None:
    """Purge the chunks of a put that ended while there was no connection."""
    await purge_chunks(stream, context, nuid)
    # The purge may have overtaken chunks that were in the server's queue.
    if await stream.count_messages(context, chunk_subject(stream.bucket, nuid)):
        await purge_chunks(stream, context, nuid)


async def purge_replaced(stream: Stream, context: ErrorContext, committed: Committed) -> None:
    """Purge the chunks of the object that a commit replaced or deleted, unless another name or
    the new metadata refers to them.
    """
    replaced = committed.replaced.live
    if replaced is None or not replaced.chunks or replaced.is_link():
        return
    if replaced.nuid == committed.info.nuid and not committed.info.deleted:
        return
    try:
        if await live_twins(stream, replaced):
            return
    except JetstowError as error:
        nuid = replaced.nuid
        _log.warning("replaced chunks of %s (NUID %s) were not purged: %s", context, nuid, error)
        return
    await purge_chunks(stream, context, replaced.nuid)


async def purge_if_renamed_away(
    stream: Stream, context: ErrorContext, info: ObjectInfo, revision: int
) -> None:
    """Purge an object's chunks if the name in `context` had them at a revision, and was
    replaced since.

    A state older than the revision, as a former leader may return it, purges nothing.
    """
    if info.chunks:
        state = await read_state(stream, context)
        replaced = state.live is None or state.live.nuid != info.nuid
        if state.revision > revision and replaced:
            await purge_chunks(stream, context, info.nuid)
