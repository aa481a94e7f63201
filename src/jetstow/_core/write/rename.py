"""Rename an object: give its chunks to a new name, then remove the old name.

1. The old name's metadata gets a claim: the new name, and the revision of the new name.
2. The object is published under the new name, if that is still at this revision. From then on the
   object is renamed. A client that dies before leaves one name, one that dies later leaves two
   names for the chunks, and never none.
3. The old name is deleted with compare-and-set: a delete marker stays there, as after a delete.

Another client that changes the old name in the meantime finds the claim, and first finishes the
rename (after 2) or stops it (before 2): see `settle` in `commit.py` and docs/decisions/0006, 0015.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from jetstow._core.bucket.encryption import check_moved_with_key, new_header, renamed_link
from jetstow._core.bucket.stream import Stream
from jetstow._core.bucket.write_check import check_writable
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.headers import joined_headers
from jetstow._core.protocol.metadata import encode_info
from jetstow._core.protocol.nuid import new_nuid
from jetstow._core.protocol.object_lock import check_removable
from jetstow._core.read.name_state import NameState, read_state, require_live
from jetstow._core.read.object_read import object_layout
from jetstow._core.write.commit import commit, commit_step, delete_renamed, settle
from jetstow._core.write.delete_marker import renamed_marker
from jetstow._core.write.history import check_kept_null, drop_outdated
from jetstow._core.write.purge import Committed, purge_name, purge_replaced
from jetstow._core.write.revision_check import check_free, check_revision, check_same_revision
from jetstow._core.write.shared_chunks import (
    Claim,
    claim_of,
    has_nuid,
    live_twin,
    with_claim,
    with_twin,
    without_twin,
)
from jetstow.errors import (
    BucketFullError,
    JetstowError,
    ObjectNotFoundError,
    RevisionMismatchError,
)
from jetstow.models import ObjectInfo

_log = logging.getLogger("jetstow.write")


async def rename(
    stream: Stream,
    context: ErrorContext,
    new_name: str,
    update: Callable[[NameState], ObjectInfo] | None = None,
    missing: type[ObjectNotFoundError] = ObjectNotFoundError,
    expected_revision: int | None = None,
) -> ObjectInfo:
    """Give the object in `context` a new name, and the metadata that `update` returns.

    If another client renames it at the same time, or a rename of it was interrupted, the name from
    that rename is renamed; not with an `expected_revision`, which that name does not have.

    Raises: `ObjectNotFoundError`, `ObjectAlreadyExists` (the new name has an object),
    `RevisionMismatchError` (with `expected_revision`), and what `with_name` and `update` raise.
    """
    update = update or partial(require_live, context)
    start = context
    # The state at the expected revision. A claim of this rename changes the revision.
    expected: NameState | None = None
    await check_writable(stream, context)
    while True:
        state = await read_state(stream, context)
        if expected is None or not _has_only_new_claim(expected, state):
            check_revision(context, state, expected_revision)
        info = require_live(start, state, missing)
        check_removable(start, info, bypass_governance=False)  # the old name loses its version
        if new_name == context.name:
            return info
        named = await with_name(stream, context, info, new_name)
        renamed = replace(update(state.with_info(named)), name=new_name)
        settled = await settle(stream, context, state)
        if expected_revision is not None:
            check_same_revision(context, settled, state.revision)
            expected = state
        claim = claim_of(state.live) if state.live is not None else None
        if settled.live is None and claim is not None:
            context = stream.error_context(claim.name)
            if not has_nuid(await read_state(stream, context), info.nuid):
                context = start  # it was renamed, and replaced there
                continue
            if new_name == claim.name:
                return (await commit(stream, context, update, dated=True)).info
            continue
        if settled.revision != state.revision:
            continue
        try:
            return await _rename_settled(stream, context, settled, renamed)
        except RevisionMismatchError:
            continue


def _has_only_new_claim(before: NameState, state: NameState) -> bool:
    """Return whether an object has the same metadata as before, except for a claim."""
    if before.live is None or state.live is None:
        return False
    return encode_info(without_twin(before.live)) == encode_info(without_twin(state.live))


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


async def _rename_settled(
    stream: Stream, context: ErrorContext, old: NameState, renamed: ObjectInfo
) -> ObjectInfo:
    """Publish `renamed` and remove the old name in `context`, which is at the state `old`.

    Raises: `ObjectAlreadyExists` (the new name has an object), `RevisionMismatchError` (one of
    the names changed at the same time).
    """
    assert old.live is not None, "only a live object is renamed"
    new_context = stream.error_context(renamed.name)
    await _remove_older_name(stream, old.live)
    new = await settle(stream, new_context, await read_state(stream, new_context))
    check_free(new_context, new, f"{context} cannot be renamed: {new_context} exists")
    if stream.versioning is not None and not stream.versioning.is_enabled:
        # Before the claim: a rename that was begun can be finished or stopped.
        await check_kept_null(stream, old.live.name, old)
        await check_kept_null(stream, renamed.name, new)
    # Links of other clients may have no NUID, which identifies the object here.
    nuid = old.live.nuid or new_nuid()
    claimed = with_claim(replace(old.live, nuid=nuid), Claim(renamed.name, new.revision))
    claim = await commit_step(stream, context, lambda _: claimed, old)
    if claim.info.version is not None:
        await drop_outdated(stream, claim)  # it is the same version, and moves to the new name
    taken = with_twin(replace(renamed, nuid=nuid), context.name or "")
    committed = await commit_step(stream, new_context, lambda _: taken, new, dated=True)
    await _remove_old_name(stream, context, claim.info, committed.info)
    return committed.info


async def _remove_old_name(
    stream: Stream, context: ErrorContext, old: ObjectInfo, new: ObjectInfo
) -> None:
    """Delete the old name unless it was written again.

    Raises: `RevisionMismatchError` (the old name has the object, and a claim for another name).
    """
    state = NameState(old.revision, old)
    while True:
        try:
            await _delete_old_name(stream, context, state)
            return
        except RevisionMismatchError:
            state = await read_state(stream, context)
            if not has_nuid(state, new.nuid):
                return  # another client finished the rename, or has written the name since
            new_context = stream.error_context(new.name)
            if (await read_state(stream, new_context)).revision != new.revision:
                return  # the object has been renamed again, back to this name
            claim = claim_of(state.live) if state.live is not None else None
            if claim is not None and claim.name != new.name:
                # The rename was stopped, and the new name was purged since: it is at revision 0.
                await purge_name(stream, new_context, new.revision)
                raise


async def _delete_old_name(stream: Stream, context: ErrorContext, state: NameState) -> None:
    """Delete the old name at a state; in a full bucket, purge it before the delete marker.

    Raises: `RevisionMismatchError`.
    """
    try:
        await delete_renamed(stream, context, state)
        return
    except BucketFullError:
        purged = await purge_name(stream, context, state.revision)
        if not purged:
            check_same_revision(context, await read_state(stream, context), state.revision)
            raise
    marker = renamed_marker(context, state)
    committed = Committed(marker, state, is_shared=True)
    await purge_replaced(stream, context, committed, wait=True)
    try:
        await commit_step(stream, context, lambda _: marker, NameState())
    except JetstowError as error:
        _log.warning("%s was renamed without a delete marker: %s", context, error)


async def _remove_older_name(stream: Stream, info: ObjectInfo) -> None:
    """Finish the rename that gave the object its current name: two names are the most."""
    twin = await live_twin(stream, info)
    if twin is None or twin.live is None:
        return
    claim = claim_of(twin.live)
    if claim is not None and claim.name == info.name:
        await settle(stream, stream.error_context(twin.live.name), twin)


async def remove_old_name(stream: Stream, context: ErrorContext, state: NameState) -> bool:
    """Delete a name that an interrupted rename left, without its chunks.

    Return False if the name was changed since it was at `state`.
    """
    try:
        await commit_step(stream, context, partial(renamed_marker, context), state)
    except RevisionMismatchError:
        return False
    return True
