"""Keep the versions of an object that are not the current one (docs/decisions/0043).

Before the metadata of a name is replaced, it is published under a hidden name. If the process is
killed between the two, the version is current and kept at the same time. It has the same id, so
readers take the current one, and the next change of the name, or `collect_garbage`, corrects it.
"""

from __future__ import annotations

import logging
from dataclasses import replace

import msgspec

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.nuid import new_nuid
from jetstow._core.protocol.object_lock import check_removable
from jetstow._core.protocol.subjects import check_object_name, chunk_subject
from jetstow._core.protocol.versions import (
    NULL_VERSION,
    hidden_name,
    kept_info,
    kept_revision,
    split_hidden_name,
)
from jetstow._core.read.name_state import NameState, read_state
from jetstow._core.write.compare_and_set import CompareAndSet
from jetstow._core.write.delete_marker import bare_marker
from jetstow._core.write.purge import Committed, purge_replaced
from jetstow._core.write.revision_check import check_same_revision
from jetstow._core.write.shared_chunks import has_nuid, has_twin
from jetstow.errors import JetstowError, RevisionMismatchError
from jetstow.models import ObjectInfo

_log = logging.getLogger("jetstow.write")


async def keep_version(stream: Stream, state: NameState) -> None:
    """Publish the metadata of the current version under its hidden name.

    If it is there already, it is published again: a `collect_garbage` that has found the earlier
    message, while the version was current, purges the hidden name up to that message only.

    Raises: `InvalidObjectNameError` (the hidden name is too long), and what `commit` raises.
    """
    assert state.info is not None, "only a version is kept"
    kept = kept_info(state.info)
    context = stream.error_context(check_object_name(stream.bucket, kept.name))

    def propose(current: NameState) -> ObjectInfo:
        found = current.live
        if found is None or kept_revision(found) < kept_revision(kept):
            return replace(kept)
        # As it is: if the version is no longer current, it may have been changed since, or be a
        # later write with the id `null`.
        return replace(found)

    await CompareAndSet(stream, context, propose, NameState(), is_repeatable=True).run()


async def forget_lost(stream: Stream, lost: ObjectInfo) -> None:
    """Remove a version that was kept for a change that another client was faster than.

    If that was a client without versions, or one that removed the version, its chunks are gone, or
    will be: those who remove a version purge its chunks before they look for its hidden name.
    """
    if not lost.chunks or lost.version is None:
        return
    context = stream.error_context(hidden_name(lost.name, lost.version))
    subject = chunk_subject(stream.subject_bucket, lost.nuid)
    if await stream.count_messages(context, subject) == 0:
        state = await read_state(stream, context)
        if has_nuid(state, lost.nuid):
            await drop_kept(stream, state)


async def check_kept_null(stream: Stream, name: str, state: NameState) -> None:
    """Check that a new version `null` of a name at a state does not replace a locked one.

    If `null` is the current version, it is not kept.

    Raises: `ObjectLockedError`.
    """
    if state.info is not None and state.info.version == NULL_VERSION:
        return
    kept = await read_state(stream, stream.error_context(hidden_name(name, NULL_VERSION)))
    if kept.live is not None:
        _check_kept(stream, kept.live)


def _check_kept(stream: Stream, kept: ObjectInfo) -> None:
    split = split_hidden_name(kept.name)
    assert split is not None, "only hidden names keep versions"
    name, version = split
    context = msgspec.structs.replace(stream.error_context(name), version=version)
    check_removable(context, kept, bypass_governance=False)


async def drop_outdated(stream: Stream, committed: Committed) -> None:
    """Remove the kept version with the id of the current one, and its chunks if they are others.

    If another client has replaced the current one since, that one is kept now, or a later one: it
    stays. So does one that was locked since the commit. A failure is logged: the change is
    complete, and readers ignore the outdated version.
    """
    current = committed.info
    assert current.version is not None, "only a version has a hidden name"
    context = stream.error_context(hidden_name(current.name, current.version))
    try:
        state = await read_state(stream, context)
        kept = state.live
        if kept is None or kept_revision(kept) >= current.revision:
            return
        # The write that is current, or was: its lock was checked, and may have been removed.
        if kept.nuid != current.nuid and not has_nuid(committed.replaced, kept.nuid):
            _check_kept(stream, kept)
        await drop_kept(stream, state)
    except JetstowError as error:
        _log.warning("the outdated version %s was not removed: %s", context, error)


async def drop_kept(stream: Stream, state: NameState) -> bool:
    """Delete the hidden name at a state, and the chunks unless the name itself has them.

    Return False if another client has changed it since.
    """
    kept = state.live
    assert kept is not None, "only a kept version is dropped"
    committed = await change_kept(stream, state, bare_marker(kept, new_nuid()))
    if committed is not None:
        await _purge_version(stream, kept, committed)
    return committed is not None


async def change_kept(stream: Stream, state: NameState, info: ObjectInfo) -> Committed | None:
    """Publish metadata under a hidden name, unless it was changed since it was at a state."""
    context = stream.error_context(info.name)

    def propose(current: NameState) -> ObjectInfo:
        check_same_revision(context, current, state.revision)
        return replace(info)

    try:
        return await CompareAndSet(stream, context, propose, state).run()
    except RevisionMismatchError:
        return None


async def _purge_version(stream: Stream, kept: ObjectInfo, committed: Committed) -> None:
    """Purge the chunks of a version that was removed, unless a name has them."""
    split = split_hidden_name(kept.name)
    name = kept.name if split is None else split[0]
    context, hidden = stream.error_context(name), stream.error_context(kept.name)
    revision = committed.info.revision
    while True:
        if has_nuid(await read_state(stream, context), kept.nuid):
            return
        # Another client may have kept it again before it changed the name.
        again = await read_state(stream, hidden)
        if has_nuid(again, kept.nuid):
            return
        if again.revision == revision:
            break
        revision = again.revision
    is_shared = await has_twin(stream, kept)
    replaced = msgspec.structs.replace(committed, is_shared=is_shared)
    await purge_replaced(stream, context, replaced, wait=True)
