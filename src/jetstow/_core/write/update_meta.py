"""What happens to a name: given to an upload, described anew, moved, deleted."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Final

from nats.js import api

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol import subjects
from jetstow._core.protocol.headers import store_headers, user_headers
from jetstow._core.protocol.metadata import checked_meta
from jetstow._core.protocol.nuid import new_nuid
from jetstow._core.read.catalog import NameState, read_state
from jetstow._core.transport.retry import RETRIED_ERRORS
from jetstow._core.write.commit import Committed, commit
from jetstow._core.write.upload import Upload, Written, drop_chunks
from jetstow.errors import (
    BadObjectMetaError,
    InvalidObjectNameError,
    JetstowError,
    ObjectAlreadyExists,
    ObjectDeletedError,
    ObjectNotFoundError,
    PermissionDeniedError,
    RevisionMismatchError,
)
from jetstow.models import ObjectInfo, ObjectMeta

_log = logging.getLogger("jetstow.objects")

# The field of an object's metadata for the other name that its chunks have, or once had.
TWIN: Final = "jetstow_twin"


async def give_name(
    stream: Stream,
    upload: Upload,
    written: Written,
    meta: ObjectMeta,
    slot: NameState,
    expected_revision: int | None,
) -> ObjectInfo:
    """Let an upload be the object of its name, and drop the chunks of what it replaces."""
    name = meta.name or ""
    info = ObjectInfo(
        name=name,
        bucket=stream.bucket,
        nuid=written.nuid,
        size=written.size,
        chunks=written.chunks,
        digest=written.digest,
        description=meta.description,
        headers=meta.headers,
        options=meta.options,
        metadata=meta.metadata,
    )
    try:
        committed = await commit(
            stream, name, lambda _: info, slot=slot, expected_revision=expected_revision
        )
    except RETRIED_ERRORS:
        # Nobody knows whether the name was given. Chunks without a name cost some room; a
        # name without chunks would cost the object.
        upload.keep()
        raise
    upload.keep()
    stream.locations.remember(committed.info)
    await _drop_replaced(stream, committed)
    return committed.info


async def describe(stream: Stream, name: str, meta: api.ObjectMeta) -> ObjectInfo:
    """Change what a user said about an object, and its name if `meta` has another."""
    new_name = name if meta.name is None else subjects.check_object_name(stream.bucket, meta.name)
    checked = checked_meta(stream.bucket, new_name, meta, ours=stream.shows_stored)

    def described(slot: NameState) -> ObjectInfo:
        # nats-py says "deleted" here for what never was, too.
        info = _live(stream, name, slot, missing=ObjectDeletedError)
        # nats-py's own ObjectMeta has no metadata: it leaves ours alone.
        metadata = checked.metadata if isinstance(meta, ObjectMeta) else info.metadata
        kept = {} if stream.shows_stored else store_headers(info.headers)
        return replace(
            info,
            name=new_name,
            description=checked.description,
            headers=((checked.headers or {}) | kept) or None,
            metadata=metadata,
        )

    if new_name == name:
        return (await commit(stream, name, described)).info
    while True:
        old = await read_state(stream, name)
        moved = described(old)
        if (info := await _move(stream, name, old, moved)) is not None:
            return info


async def _move(stream: Stream, name: str, old: NameState, moved: ObjectInfo) -> ObjectInfo | None:
    """Give an object's chunks to another name; None if the old name changed meanwhile.

    The new name comes first: whoever dies in between leaves two names for one object, and
    never none. Before that, each is told of the other, so that whoever deletes or replaces
    one of them leaves the chunks to the other. A delete marker then fences the old name, so
    that nobody replaces it any more, before it vanishes.
    """

    def take(slot: NameState) -> ObjectInfo:
        if slot.live is not None:
            context = stream.error_context(moved.name)
            raise context.error(
                ObjectAlreadyExists,
                f"{stream.error_context(name)} cannot be renamed: {context} exists",
            )
        return moved

    # A rename that died half-way is ended first: an object has two names at most.
    for twin in await _live_twins(stream, replace(moved, name=name)):
        await drop_old_name(stream, twin.name, NameState(twin.revision, twin))
    there = await read_state(stream, moved.name)
    take(there)
    try:
        if moved.chunks:
            old = await _tell_of_twin(stream, name, old, moved.name)
            moved = _with_twin(moved, name)
    except RevisionMismatchError:
        return None
    taken = await commit(stream, moved.name, take, slot=there)
    try:
        fence = await commit(stream, name, _deleted, slot=old, expected_revision=old.revision)
    except RevisionMismatchError:
        await _forget(stream, moved.name, taken)
        await _drop_unnamed(stream, moved, name, old.revision)
        return None
    try:
        await _forget(stream, name, fence)
    except PermissionDeniedError as error:
        # The object has moved; of its old name, a delete marker stays.
        _log.warning("%s keeps a delete marker: %s", stream.error_context(name), error)
    # Whoever has replaced the new name by now may have left the chunks to the old one.
    await _drop_unnamed(stream, moved, moved.name, taken.info.revision)
    return taken.info


async def _tell_of_twin(stream: Stream, name: str, slot: NameState, twin: str) -> NameState:
    """Write on an object's metadata which other name is about to have its chunks."""
    live = slot.live
    assert live is not None, "only a live object moves"
    told = _with_twin(live, twin)
    done = await commit(stream, name, lambda _: told, slot=slot, expected_revision=slot.revision)
    return NameState(done.info.revision, done.info)


async def drop_old_name(stream: Stream, name: str, slot: NameState) -> bool:
    """Take a name away that a rename has left, and no chunk; False if somebody wrote it since."""
    if slot.live is None:
        subject = subjects.meta_subject(stream.bucket, name)
        return bool(
            await stream.purge(stream.error_context(name), subject, below=slot.revision + 1)
        )
    try:
        fence = await commit(stream, name, _deleted, slot=slot, expected_revision=slot.revision)
    except RevisionMismatchError:
        return False
    await _forget(stream, name, fence)
    return True


async def _forget(stream: Stream, name: str, committed: Committed) -> None:
    """Take a name's metadata away, unless somebody has written it since."""
    subject = subjects.meta_subject(stream.bucket, name)
    await stream.purge(stream.error_context(name), subject, below=committed.info.revision + 1)


async def delete(stream: Stream, name: str, expected_revision: int | None = None) -> None:
    """Leave a delete marker under the name, and drop the chunks."""

    def propose(slot: NameState) -> ObjectInfo:
        if slot.revision and slot.info is None:
            # Metadata that nobody can read can still be deleted.
            return _deleted(
                NameState(info=ObjectInfo(name=name, bucket=stream.bucket, nuid=new_nuid()))
            )
        _live(stream, name, slot)
        return _deleted(slot)

    done = await commit(stream, name, propose, expected_revision=expected_revision)
    await _drop_replaced(stream, done)


def _live(
    stream: Stream,
    name: str,
    slot: NameState,
    missing: type[ObjectNotFoundError] = ObjectNotFoundError,
) -> ObjectInfo:
    context = stream.error_context(name)
    if slot.live is not None:
        return slot.live
    if slot.info is not None:
        raise context.error(ObjectDeletedError, f"{context} was deleted")
    if slot.revision:
        raise context.error(BadObjectMetaError, f"metadata of {context} cannot be read")
    raise context.error(missing, f"there is no {context}")


def _deleted(slot: NameState) -> ObjectInfo:
    assert slot.info is not None, "only what is there can be deleted"
    extra = {key: value for key, value in slot.info.extra.items() if key != TWIN}
    headers = user_headers(slot.info.headers)
    return replace(
        slot.info, deleted=True, size=0, chunks=0, digest="", headers=headers, extra=extra
    )


async def _drop_replaced(stream: Stream, committed: Committed) -> None:
    before = committed.before.live
    if before is None or before.is_link() or not before.chunks:
        return
    if before.nuid == committed.info.nuid and not committed.info.deleted:
        return  # the same chunks have their name again
    try:
        if await _live_twins(stream, before):
            return
    except JetstowError as error:
        context = stream.error_context(before.name)
        _log.warning("replaced chunks of %s (%s) stay behind: %s", context, before.nuid, error)
        return
    await drop_chunks(stream, before.name, before.nuid)


# -- names that have the same chunks ---------------------------------------------------------


def _with_twin(info: ObjectInfo, name: str) -> ObjectInfo:
    return replace(info, extra=info.extra | {TWIN: name})


async def _live_twins(stream: Stream, info: ObjectInfo) -> list[ObjectInfo]:
    """The other name that has this object's chunks, if a rename has left one."""
    twin = info.extra.get(TWIN)
    if not isinstance(twin, str) or twin == info.name:
        return []
    try:
        subjects.check_object_name(stream.bucket, twin)
    except InvalidObjectNameError:
        return []
    live = (await read_state(stream, twin)).live
    return [live] if live is not None and live.nuid == info.nuid else []


async def _drop_unnamed(stream: Stream, info: ObjectInfo, name: str, revision: int) -> None:
    """Drop an object's chunks if that name had them at a revision, and has others since.

    Who sees an older state, as of a leader that is none any more, drops nothing.
    """
    if info.chunks:
        slot = await read_state(stream, name)
        if slot.revision > revision and (slot.live is None or slot.live.nuid != info.nuid):
            await drop_chunks(stream, name, info.nuid)
