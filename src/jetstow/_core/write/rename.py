"""Rename an object: give its chunks to a new name, then remove the old name.

The new name is published first, so that a client that dies in between leaves two names for the
chunks and never none. Before that, each of the two names gets a reference to the other, so that
deleting or replacing one of them leaves the chunks to the other. A delete marker with
compare-and-set then ends the old name before it is purged (docs/decisions/0006, 0015).
"""

from __future__ import annotations

import logging
from dataclasses import replace

from jetstow._core.bucket.encryption import check_moved_with_key, new_header, renamed_link
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.headers import joined_headers
from jetstow._core.protocol.subjects import meta_subject
from jetstow._core.read.name_state import NameState, read_state, require_live
from jetstow._core.read.object_read import object_layout
from jetstow._core.write.commit import Committed, commit
from jetstow._core.write.delete import delete_marker
from jetstow._core.write.purge import purge_if_renamed_away
from jetstow._core.write.shared_chunks import live_twins, with_twin
from jetstow.errors import ObjectAlreadyExists, PermissionDeniedError, RevisionMismatchError
from jetstow.models import ObjectInfo

_log = logging.getLogger("jetstow.write")


async def rename(stream: Stream, context: ErrorContext, new_name: str) -> ObjectInfo:
    """Give the object in `context` a new name. Nothing else of its metadata changes.

    Raises: `ObjectNotFoundError`, `ObjectAlreadyExists` (the new name has a live object), and what
    `with_name` raises.
    """
    while True:
        state = await read_state(stream, context)
        info = require_live(context, state)
        if new_name == context.name:
            return info
        renamed = await with_name(stream, context, info, new_name)
        if (result := await try_rename(stream, context, state, renamed)) is not None:
            return result


async def with_name(
    stream: Stream, context: ErrorContext, info: ObjectInfo, new_name: str
) -> ObjectInfo:
    """Return metadata with a new name. An encrypted object gets the header for that name.

    Raises: `ObjectEncryptedError` (without its key), `TamperedError` (it does not belong to its
    present name).
    """
    check_moved_with_key(stream, context, info)
    if info.is_link():
        return renamed_link(stream, info, new_name)
    layout = await object_layout(stream, context, info)
    headers = joined_headers(info.headers, new_header(stream, new_name, layout))
    return replace(info, name=new_name, headers=headers)


async def try_rename(
    stream: Stream, context: ErrorContext, old: NameState, renamed: ObjectInfo
) -> ObjectInfo | None:
    """Publish `renamed` and remove the old name in `context`, which is at the state `old`.

    Return None if the old name changed at the same time: read its state and try again.

    Raises: `ObjectAlreadyExists` (the new name has a live object).
    """
    new_context = stream.error_context(renamed.name)

    def take_name(state: NameState) -> ObjectInfo:
        if state.live is not None:
            raise new_context.error(
                ObjectAlreadyExists, f"{context} cannot be renamed: {new_context} exists"
            )
        return renamed

    await _finish_interrupted(stream, context, renamed)
    new_state = await read_state(stream, new_context)
    take_name(new_state)
    try:
        if renamed.chunks:
            old = await _add_twin(stream, context, old, renamed.name)
            renamed = with_twin(renamed, context.name or "")
    except RevisionMismatchError:
        return None
    taken = await commit(stream, new_context, take_name, state=new_state, dated=True)
    try:
        deleted = await _delete_at(stream, context, old)
    except RevisionMismatchError:
        await _purge_name(stream, new_context, taken)
        await purge_if_renamed_away(stream, context, renamed, old.revision)
        return None
    try:
        await _purge_name(stream, context, deleted)
    except PermissionDeniedError as error:
        # The object has its new name; the old name keeps a delete marker.
        _log.warning("%s keeps a delete marker: %s", context, error)
    # A client that replaced the new name in the meantime may have left the chunks to the old one.
    await purge_if_renamed_away(stream, new_context, renamed, taken.info.revision)
    return await taken.dated_info()


async def remove_old_name(stream: Stream, context: ErrorContext, state: NameState) -> bool:
    """Remove a name that an interrupted rename left, without its chunks.

    Return False if the name was changed since it was at `state`.
    """
    if state.live is None:
        subject = meta_subject(stream.bucket, context.name or "")
        return bool(await stream.purge(context, subject, below=state.revision + 1))
    try:
        deleted = await _delete_at(stream, context, state)
    except RevisionMismatchError:
        return False
    await _purge_name(stream, context, deleted)
    return True


async def _finish_interrupted(stream: Stream, context: ErrorContext, renamed: ObjectInfo) -> None:
    """Remove the name that an earlier rename of the same object left: two names are the most."""
    for twin in await live_twins(stream, replace(renamed, name=context.name or "")):
        twin_context = stream.error_context(twin.name)
        await remove_old_name(stream, twin_context, NameState(twin.revision, twin))


async def _add_twin(
    stream: Stream, context: ErrorContext, state: NameState, twin: str
) -> NameState:
    """Publish metadata with a reference to the name that is about to share the chunks."""
    assert state.live is not None, "only a live object is renamed"
    info = with_twin(state.live, twin)
    committed = await commit(
        stream, context, lambda _: info, state=state, expected_revision=state.revision
    )
    return NameState(committed.info.revision, committed.info)


async def _delete_at(stream: Stream, context: ErrorContext, state: NameState) -> Committed:
    return await commit(
        stream, context, delete_marker, state=state, expected_revision=state.revision
    )


async def _purge_name(stream: Stream, context: ErrorContext, committed: Committed) -> None:
    """Purge a name's metadata, unless it was written since the commit."""
    subject = meta_subject(stream.bucket, context.name or "")
    await stream.purge(context, subject, below=committed.info.revision + 1)
