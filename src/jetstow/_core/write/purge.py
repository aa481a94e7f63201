"""Purge chunks that no name refers to, and the metadata of names."""

from __future__ import annotations

import asyncio
import builtins
import logging
from dataclasses import dataclass, replace

from jetstow._core.aio.cancellation import CLEANUP_GRACE
from jetstow._core.bucket.encryption import plain_info
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.subjects import chunk_subject, meta_subject
from jetstow._core.read.name_state import NameState, read_state
from jetstow._core.write.metadata_publish import MetadataPublish
from jetstow._core.write.shared_chunks import is_named
from jetstow.errors import JetstowError
from jetstow.models import ObjectInfo

_log = logging.getLogger("jetstow.write")


@dataclass(frozen=True, slots=True)
class Committed:
    """The published metadata, and the state of the name that it replaced.

    `is_shared` is whether another name may have had the chunks of the replaced object.
    """

    info: ObjectInfo
    replaced: NameState
    is_shared: bool = False
    publish: MetadataPublish | None = None

    async def dated_info(self) -> ObjectInfo:
        """Return the metadata with the server's time (None if it cannot be read)."""
        if self.publish is None:
            return self.info
        return replace(self.info, mtime=await self.publish.time(self.info.revision))


async def purge_chunks(stream: Stream, context: ErrorContext, nuid: str) -> None:
    """Purge the chunks of a NUID.

    A failure is logged, not raised: the caller's operation is complete, and chunks without a name
    are invisible until `collect_garbage` removes them.
    """
    try:
        await stream.purge(context, chunk_subject(stream.subject_bucket, nuid))
    except JetstowError as error:
        _log.warning("unused chunks of %s (NUID %s) were not purged: %s", context, nuid, error)


async def send_purge(stream: Stream, context: ErrorContext, nuid: str) -> None:
    """Purge the chunks of a put whose event loop is ending, so that no reply will arrive."""
    try:
        async with asyncio.timeout(CLEANUP_GRACE):
            await stream.purge(context, chunk_subject(stream.subject_bucket, nuid))
    except (builtins.TimeoutError, JetstowError):
        _log.warning(
            "unused chunks of %s (NUID %s) may be left: the event loop ended", context, nuid
        )


async def purge_abandoned(stream: Stream, context: ErrorContext, nuid: str) -> None:
    """Purge the chunks of a put that ended while there was no connection."""
    await purge_chunks(stream, context, nuid)
    # The purge may have overtaken chunks that were in the server's queue.
    if await stream.count_messages(context, chunk_subject(stream.subject_bucket, nuid)):
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
        if committed.is_shared and await is_named(stream, replaced):
            return
    except JetstowError as error:
        nuid = replaced.nuid
        _log.warning("replaced chunks of %s (NUID %s) were not purged: %s", context, nuid, error)
        return
    await purge_chunks(stream, context, replaced.nuid)


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
