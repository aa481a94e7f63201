"""The names of a bucket: reading one object's metadata, and everybody's.

Metadata is read from the stream's leader, so that one reads what one wrote. Nothing here
makes a consumer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from jetstow._core import names
from jetstow._core.stream import Stored, Stream
from jetstow._core.windows import DirectWindows, NoDirectGetError, pieces
from jetstow._core.wire import decode_info
from jetstow.errors import BadObjectMetaError, ObjectDeletedError, ObjectNotFoundError
from jetstow.models import ObjectInfo

_log = logging.getLogger("jetstow.catalog")

# A batch of metadata messages, and the bytes that one is taken for: the batch ends at
# 4 MiB, with fewer messages where they are larger.
_BATCH: Final = 2_048
_META_BYTES: Final = 1_536

# Requests to the leader under way at once, where a listing asks for each name.
_AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True)
class Slot:
    """What stands under a name: nothing (revision 0), or metadata, readable or not."""

    revision: int = 0
    info: ObjectInfo | None = None
    data: bytes = b""

    @property
    def live(self) -> ObjectInfo | None:
        """The object, unless it is deleted."""
        return None if self.info is None or self.info.deleted else self.info


async def read_slot(stream: Stream, name: str) -> Slot:
    """What stands under a name, for one who is about to write it."""
    stored = await _read(stream, name)
    if stored is None:
        return Slot()
    try:
        info = _info(stream.bucket, name, stored)
    except BadObjectMetaError:
        # What nobody can read must still be possible to replace.
        info = None
    return Slot(stored.seq, info, stored.data)


async def find(stream: Stream, name: str, *, show_deleted: bool = False) -> ObjectInfo:
    """An object's metadata.

    Raises `ObjectNotFoundError`, `ObjectDeletedError` (one of those) or `BadObjectMetaError`.
    """
    target = stream.target(name)
    stored = await _read(stream, name)
    if stored is None:
        raise target.error(ObjectNotFoundError, f"there is no {target}")
    info = _info(stream.bucket, name, stored)
    if info.deleted and not show_deleted:
        raise target.error(ObjectDeletedError, f"{target} was deleted")
    return info


async def everything(stream: Stream) -> AsyncGenerator[ObjectInfo, None]:
    """The metadata of every object, deleted ones too, the one longest unchanged first.

    What cannot be read is logged and passed over: one bad entry hides no other.
    """
    async for stored in _all_metadata(stream):
        name = names.name_of(stream.bucket, stored.subject)
        if name is None:
            continue
        try:
            info = _info(stream.bucket, name, stored)
        except BadObjectMetaError as error:
            _log.warning("passed over: %s", error)
        else:
            yield info


async def _read(stream: Stream, name: str) -> Stored | None:
    subject = names.meta_subject(stream.bucket, name)
    return await stream.last(stream.target(name), subject)


def _info(bucket: str, name: str, stored: Stored) -> ObjectInfo:
    return decode_info(bucket, name, stored.data, revision=stored.seq, mtime=stored.time)


async def _all_metadata(stream: Stream) -> AsyncGenerator[Stored, None]:
    # Replicas answer a batch as far as they are; where there are several, the leader is asked.
    if stream.has_batched_get and stream.replicas == 1:
        try:
            async for stored in _by_batches(stream):
                yield stored
            return
        except NoDirectGetError:
            stream.avoid_direct_get()
    async for stored in _by_names(stream):
        yield stored


async def _by_batches(stream: Stream) -> AsyncGenerator[Stored, None]:
    """A run over all metadata subjects, of which the last message of each one counts.

    Metadata is rolled up, one message a name. But some clients change it without, and a
    name that is written meanwhile comes by once more.
    """
    source = DirectWindows(stream, stream.target(), names.all_meta(stream.bucket))
    found: dict[str, Stored] = {}
    seq, more = 1, True
    while more:
        window = await source.ask(seq, _BATCH, _META_BYTES)
        more = False
        async for piece in pieces(window):
            seq, more = piece.seq + 1, piece.pending > 0
            found.pop(piece.subject, None)
            found[piece.subject] = Stored(piece.subject, piece.seq, piece.time, piece.data)
    for stored in found.values():
        yield stored


async def _by_names(stream: Stream) -> AsyncGenerator[Stored, None]:
    """The leader names the subjects, and is asked for each."""
    found: list[Stored] = []
    for subjects in _spread([s async for s in stream.subjects(names.all_meta(stream.bucket))]):
        # Not a task group: its caller would have to catch groups of errors.
        answers = await asyncio.gather(*(stream.last(stream.target(), s) for s in subjects))
        found += [stored for stored in answers if stored is not None]
    for stored in sorted(found, key=lambda stored: stored.seq):
        yield stored


def _spread(subjects: list[str]) -> list[list[str]]:
    return [subjects[i : i + _AT_ONCE] for i in range(0, len(subjects), _AT_ONCE)]
