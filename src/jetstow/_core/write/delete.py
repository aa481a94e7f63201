"""Delete an object: publish a delete marker, purge the chunks.

A full bucket may refuse the marker: the server counts it before the rollup removes the metadata
that it replaces (measured on 2.9.10 and 2.15.1). The metadata is then purged up to the revision
that is deleted. Like the marker's compare-and-set, this does not remove a later revision. The
chunks follow, and the marker is published last, into the space of both.
"""

from __future__ import annotations

import logging

from jetstow._core.bucket.stream import Stream
from jetstow._core.bucket.write_check import check_writable
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.read.name_state import NameState, read_state, require_live
from jetstow._core.write.commit import commit, is_renamed, settle
from jetstow._core.write.delete_marker import delete_marker
from jetstow._core.write.purge import Committed, purge_name, purge_replaced
from jetstow._core.write.revision_check import check_revision
from jetstow._core.write.shared_chunks import claim_of, has_nuid, live_twin
from jetstow.errors import (
    BucketFullError,
    JetstowError,
    ObjectNotFoundError,
    PermissionDeniedError,
    RevisionMismatchError,
    ServerError,
)
from jetstow.models import ObjectInfo

_log = logging.getLogger("jetstow.write")


async def delete_if_exists(
    stream: Stream,
    context: ErrorContext,
    expected_revision: int | None = None,
    state: NameState | None = None,
    *,
    keep_chunks: bool = False,
) -> NameState | None:
    """Delete the object in `context`. Return None if there is none, at any revision.

    Raises: `RevisionMismatchError`.
    """
    try:
        return await delete(stream, context, expected_revision, state, keep_chunks=keep_chunks)
    except ObjectNotFoundError:
        return None
    except RevisionMismatchError:
        if not (await read_state(stream, context)).is_free:
            raise
        return None


async def delete(
    stream: Stream,
    context: ErrorContext,
    expected_revision: int | None = None,
    state: NameState | None = None,
    *,
    keep_chunks: bool = False,
) -> NameState:
    """Publish a delete marker for the name in `context`, and purge its chunks.

    Return the state that was deleted, without an object if another client has renamed it. `state`
    is the name's state if the caller has read it.

    Raises: `ObjectNotFoundError`, `RevisionMismatchError`.
    """
    await check_writable(stream, context)
    current = NameState()

    def marker(state: NameState) -> ObjectInfo:
        nonlocal current
        current = state
        if not state.revision or state.info is not None:
            require_live(context, state)
        # An object whose metadata cannot be decoded can still be deleted.
        return delete_marker(context, state)

    while True:
        try:
            current = state or await read_state(stream, context)
            check_revision(context, current, expected_revision)
            if await _finish_rename(stream, context, current):
                return NameState()
            committed = await commit(
                stream, context, marker, state=current, expected_revision=expected_revision
            )
        except BucketFullError as error:
            if stream.versioning is not None:
                raise  # the chunks are those of a version
            if await _delete_from_full_bucket(
                stream, context, current, marker(current), error, keep_chunks=keep_chunks
            ):
                return current
            state = None
        else:
            if not keep_chunks:
                await purge_replaced(stream, context, committed, wait=True)
            return committed.replaced


async def _finish_rename(stream: Stream, context: ErrorContext, state: NameState) -> bool:
    """Delete the name if another client has renamed the object; return whether it has."""
    if state.live is None or claim_of(state.live) is None:
        return False
    return (await settle(stream, context, state)).live is None


async def _delete_from_full_bucket(
    stream: Stream,
    context: ErrorContext,
    state: NameState,
    marker: ObjectInfo,
    refused: BucketFullError,
    *,
    keep_chunks: bool,
) -> bool:
    """Purge the metadata at `state`, then the chunks, then publish the marker if it fits.

    Return False if another client changed the name since it was at `state`.

    Raises: `refused` (the metadata cannot be purged).
    """
    is_shared = state.live is not None and await live_twin(stream, state.live) is not None
    try:
        purged = await purge_name(stream, context, state.revision)
    except (PermissionDeniedError, ServerError):
        raise refused from None
    current = await read_state(stream, context)
    # Without a rollup, a later message leaves earlier ones, and may refer to the same chunks.
    if not purged or (state.info is not None and has_nuid(current, state.info.nuid)):
        return False
    try:
        claim = None if state.live is None else claim_of(state.live)
        is_unused = claim is None or not await is_renamed(stream, marker, claim)
        if is_unused and not keep_chunks:
            replaced = Committed(marker, state, is_shared)
            await purge_replaced(stream, context, replaced, wait=True)
    except JetstowError as error:
        _log.warning("chunks of %s were not purged: %s", context, error)
    if current.revision:
        return True  # another client has put an object under the name
    try:
        await commit(stream, context, lambda _: marker, state=current, expected_revision=0)
    except JetstowError as error:
        _log.warning("%s was deleted without a delete marker: %s", context, error)
    return True
