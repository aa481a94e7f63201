"""Read a small object: its metadata from the leader, and all of its chunks by one Direct Get.

If this client has seen the name before, both are requested together, in one round trip. The chunks
count only if the metadata refers to them. If anything is unexpected, the object is downloaded as a
large one is, which finds out the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from jetstow._core.aio import telemetry
from jetstow._core.aio.congestion_window import Departure
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.digest import Digest
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.message import Message
from jetstow._core.protocol.metadata import json_encode
from jetstow._core.protocol.subjects import chunk_subject
from jetstow._core.read import links
from jetstow._core.read.direct_get import parse_message
from jetstow._core.read.links import Resolved
from jetstow._core.read.preconditions import NO_PRECONDITIONS, Preconditions
from jetstow._core.read.windows import MESSAGE_OVERHEAD, NoDirectGetError
from jetstow._core.transport.pending_reply import PendingReply
from jetstow._core.transport.retry import RETRIED_ERRORS
from jetstow.errors import PermissionDeniedError
from jetstow.models import ObjectInfo

# The chunks of a known name may be outdated: then so many bytes at most are transferred in vain.
_MAX_SIZE: Final = 128 * 1024
_MAX_CHUNKS: Final = 16


class Chunks(msgspec.Struct, frozen=True, gc=False):
    """All chunks of one small object: their NUID, their number, and their size in bytes."""

    nuid: str
    total: int
    size: int


class _ChunksReply(PendingReply):
    """The chunks of one object. They take space in the connection's window until all arrived."""

    departure: Departure | None = None
    expected: Chunks

    messages: list[Message]

    def deliver_all(self, messages: Sequence[Message]) -> None:
        self.message = last = messages[-1]
        self.messages += [message for message in messages if message.data]
        if not last.data or len(self.messages) >= self.expected.total:
            self._end()

    def _end(self) -> None:
        super()._end()
        if self.departure is None:
            return
        if self.message is None:
            self._inbox.inbound.release(self.departure)
        else:
            self._inbox.inbound.answer(self.departure)


async def find_object(
    stream: Stream,
    context: ErrorContext,
    *,
    show_deleted: bool = False,
    preconditions: Preconditions = NO_PRECONDITIONS,
) -> tuple[Resolved, list[bytes] | None]:
    """Return the object that a name leads to, and its chunks, verified, if it is small.

    Raises: what `links.follow` and `Preconditions.check` raise.
    """
    known, reply = None, None
    if context.version is None:
        known = stream.names.get(context.name or "")
    if known is not None:
        reply = await _request(stream, context, Chunks(known.nuid, known.chunks, known.size))
    try:
        found = await links.follow(stream, context, show_deleted=show_deleted)
        if preconditions is not NO_PRECONDITIONS:
            preconditions.check(found.context, found.info)
        info = found.info
        chunks = Chunks(info.nuid, info.chunks or 0, info.size or 0)
        if reply is None or reply.expected != chunks:
            if reply is not None:
                reply.close()
            reply = await _request(found.stream, found.context, chunks)
        return found, None if reply is None else await _receive(found, reply)
    finally:
        if reply is not None:
            reply.close()


async def _request(stream: Stream, context: ErrorContext, chunks: Chunks) -> _ChunksReply | None:
    """Request all chunks of an object; return None if it is not small, or they would wait."""
    if not 0 < chunks.total <= _MAX_CHUNKS or chunks.size > _MAX_SIZE:
        return None
    api, inbox = stream.api, stream.api.inbox
    if not stream.has_batched_get or api.is_imported or not inbox.is_ready:
        return None
    cost = chunks.size + chunks.total * MESSAGE_OVERHEAD
    departure = inbox.inbound.try_acquire(cost)
    if departure is None:
        return None
    body = {
        "seq": 1,
        "next_by_subj": chunk_subject(stream.subject_bucket, chunks.nuid),
        "batch": chunks.total,
        "max_bytes": cost,
    }
    target = f"{api.prefix}.DIRECT.GET.{stream.name}"
    try:
        reply = inbox.send(_ChunksReply, context, target, json_encode(body), None, api.timeout)
    except BaseException:
        inbox.inbound.release(departure)
        raise
    reply.departure, reply.expected, reply.messages = departure, chunks, []
    return reply


async def _receive(found: Resolved, reply: _ChunksReply) -> list[bytes] | None:
    """Wait for the chunks. Return None if they are not exactly those of the metadata."""
    found.stream.api.inbox.flush()
    try:
        await reply.wait()
    except PermissionDeniedError:
        found.stream.disable_direct_get()
        return None
    except RETRIED_ERRORS:
        return None
    if not _are_complete(found.stream, found.info, reply.messages):
        return None
    telemetry.count_chunk("read", found.stream.bucket, reply.expected.size, reply.expected.total)
    return [message.data for message in reply.messages]


def _are_complete(stream: Stream, info: ObjectInfo, messages: list[Message]) -> bool:
    """Return whether these are all chunks of an object, with its digest."""
    remaining, digest = info.chunks or 0, Digest()
    # Only server 2.11 includes a message in its own pending count (docs/decisions/0009).
    surplus = int(stream.api.server_version == (2, 11))
    try:
        for message in messages:
            remaining -= 1
            if parse_message(message, surplus).pending != remaining:
                return False
            digest.update(message.data)
    except NoDirectGetError:
        return False
    if remaining or sum(len(message.data) for message in messages) != info.size:
        return False
    return not info.digest or digest.matches(info.digest)
