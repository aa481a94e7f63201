"""The names of a bucket: reading one object's metadata, and everybody's.

Metadata is read from the stream's leader, so that one reads what one wrote. Nothing here
makes a consumer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

from jetstow._core.bucket.stream import StoredMessage, Stream
from jetstow._core.protocol import subjects
from jetstow._core.protocol.metadata import decode_info
from jetstow._core.read.direct_get import DirectWindows
from jetstow._core.read.pending_counts import pending_counts_by_batch
from jetstow._core.read.windows import NoDirectGetError, Window, WindowMessage
from jetstow._core.transport.retry import RETRIED_ERRORS
from jetstow.errors import (
    BadObjectMetaError,
    ObjectDeletedError,
    ObjectNotFoundError,
    PermissionDeniedError,
)
from jetstow.models import ObjectInfo

_log = logging.getLogger("jetstow.catalog")

# A batch of metadata messages, and the bytes that one is taken for: the batch ends at
# 8 MiB, with fewer messages where they are larger. Where the next one begins is known when
# one has ended, so it is better to have few.
_BATCH_MESSAGES: Final = 8_192
_META_BYTES: Final = 512

# Further than any list of subjects: the server then tells how many there are, and none of them.
_OFFSET_PAST_END: Final = 10**12

# Requests to the leader under way at once, where a listing asks for each name.
_MAX_CONCURRENT_READS: Final = 64

# A metadata message, as the leader gave it or as it came in a batch.
_MetadataMessage: TypeAlias = StoredMessage | WindowMessage


@dataclass(frozen=True, slots=True)
class NameState:
    """What stands under a name: nothing (revision 0), or metadata, readable or not."""

    revision: int = 0
    info: ObjectInfo | None = None
    data: bytes = b""

    @property
    def live(self) -> ObjectInfo | None:
        """The object, unless it is deleted."""
        return None if self.info is None or self.info.deleted else self.info


async def read_state(stream: Stream, name: str) -> NameState:
    """What stands under a name, for one who is about to write it."""
    stored = await _read(stream, name)
    if stored is None:
        return NameState()
    try:
        info = _info(stream.bucket, name, stored)
    except BadObjectMetaError:
        # What nobody can read must still be possible to replace.
        info = None
    return NameState(stored.seq, info, stored.data)


async def get_info(stream: Stream, name: str, *, show_deleted: bool = False) -> ObjectInfo:
    """An object's metadata.

    Raises `ObjectNotFoundError`, `ObjectDeletedError` (one of those) or `BadObjectMetaError`.
    """
    context = stream.error_context(name)
    stored = await _read(stream, name)
    if stored is None:
        raise context.error(ObjectNotFoundError, f"there is no {context}")
    info = _info(stream.bucket, name, stored)
    if info.deleted and not show_deleted:
        raise context.error(ObjectDeletedError, f"{context} was deleted")
    return info


async def iter_infos(stream: Stream) -> AsyncGenerator[ObjectInfo, None]:
    """The metadata of every object, deleted ones too, the one longest unchanged first.

    It is told as it comes, and nothing is kept of it. An object that is changed meanwhile
    comes again, later and newer. What cannot be read is logged and passed over: one bad
    entry hides no other.
    """
    async for some in _all_metadata(stream, alone=True):
        for stored in some:
            name = subjects.object_name(stream.bucket, stored.subject)
            if name is not None and (info := _readable(stream.bucket, name, stored)) is not None:
                yield info


async def list_infos(stream: Stream) -> list[ObjectInfo]:
    """The same as a list, in which an object has one entry, the newest."""
    found: dict[str, ObjectInfo] = {}
    async for some in _all_metadata(stream, alone=False):
        for stored in some:
            name = subjects.object_name(stream.bucket, stored.subject)
            if name is None:
                continue
            found.pop(name, None)
            if (info := _readable(stream.bucket, name, stored)) is not None:
                found[name] = info
    return list(found.values())


def _readable(bucket: str, name: str, stored: _MetadataMessage) -> ObjectInfo | None:
    try:
        return _info(bucket, name, stored)
    except BadObjectMetaError as error:
        _log.warning("passed over: %s", error)
        return None


async def _read(stream: Stream, name: str) -> StoredMessage | None:
    subject = subjects.meta_subject(stream.bucket, name)
    return await stream.last(stream.error_context(name), subject)


def _info(bucket: str, name: str, stored: _MetadataMessage) -> ObjectInfo:
    return decode_info(bucket, name, stored.data, revision=stored.seq, mtime=stored.time)


async def _all_metadata(
    stream: Stream, *, alone: bool
) -> AsyncGenerator[Sequence[_MetadataMessage], None]:
    """All metadata, as many messages at a time as there are.

    With `alone`, a name has one message unless it changes meanwhile.
    """
    # Replicas answer a batch as far as they are; where there are several, the leader is asked.
    if stream.has_batched_get and stream.replicas == 1:
        try:
            async for some in _read_by_batch(stream, alone=alone):
                yield some
            return
        except NoDirectGetError:
            stream.disable_direct_get()
    yield await _read_by_name(stream)


async def _read_by_batch(
    stream: Stream, *, alone: bool
) -> AsyncGenerator[Sequence[WindowMessage], None]:
    """A run over all metadata subjects.

    Metadata is rolled up, one message a name, and told as it arrives. But some clients change
    it without: with `alone`, all is then held back until the last message of each is known.
    """
    source = DirectWindows(stream, stream.error_context(), subjects.all_meta_subject(stream.bucket))
    held: dict[str, WindowMessage] | None = None
    outage = stream.api.retry_policy(stream.error_context())
    insist = partial(stream.api.retry, stream.error_context())
    seq, left = 1, 0

    async def ask() -> Window:
        return await source.request(seq, _BATCH_MESSAGES, _META_BYTES)

    window: Window | None = await insist(ask)
    try:
        if alone and not await insist(partial(_has_one_message_each, stream)):
            held = {}
        while window is not None:
            try:
                found, over = await window.next_messages()
            except RETRIED_ERRORS as error:
                await outage.wait_or_raise(error)
                window.close()
                window = await insist(ask)
                continue
            if found:
                outage.succeeded()
                seq, left = found[-1].seq + 1, found[-1].pending
            if over:
                # Its end counts once more: what was written meanwhile has moved behind it.
                left = left if window.pending_after is None else window.pending_after
                window.close()
                # The server is at the next batch while this one is made use of.
                window = await insist(ask) if left else None
                left = 0
            if held is None:
                yield found
                continue
            for piece in found:
                held.pop(piece.subject, None)
                held[piece.subject] = piece
    finally:
        if window is not None:
            window.close()
    if held:
        yield list(held.values())


async def _has_one_message_each(stream: Stream) -> bool:
    """Whether there are as many metadata messages as names, as far as one may ask."""
    pattern = subjects.all_meta_subject(stream.bucket)
    try:
        told, messages = await asyncio.gather(
            stream.info(subjects_filter=pattern, offset=_OFFSET_PAST_END),
            pending_counts_by_batch(stream, stream.error_context(), pattern, [1]),
        )
    except PermissionDeniedError:
        return False
    return messages == [told.get("total", 0)]


async def _read_by_name(stream: Stream) -> list[StoredMessage]:
    """The leader names the subjects, and is asked for each."""
    found: list[StoredMessage] = []
    everyone = [s async for s, _ in stream.subjects(subjects.all_meta_subject(stream.bucket))]
    for start in range(0, len(everyone), _MAX_CONCURRENT_READS):
        # Not a task group: its caller would have to catch groups of errors.
        batch = everyone[start : start + _MAX_CONCURRENT_READS]
        answers = await asyncio.gather(*(stream.last(stream.error_context(), s) for s in batch))
        found += [stored for stored in answers if stored is not None]
    return sorted(found, key=lambda stored: stored.seq)
