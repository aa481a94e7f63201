"""Change the versions of an object: remove one, make one current again, add a delete marker."""

from __future__ import annotations

from contextlib import suppress

from msgspec.structs import replace

from jetstow._core.bucket.stream import Stream
from jetstow._core.bucket.write_check import check_writable
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.nuid import new_nuid
from jetstow._core.protocol.object_lock import check_removable
from jetstow._core.protocol.versions import (
    current_info,
    hidden_name,
    kept_revision,
    published_again,
    removed_version,
    split_hidden_name,
    without_version,
)
from jetstow._core.read.name_state import NameState, read_state
from jetstow._core.read.versions import newest_kept
from jetstow._core.write.commit import Commit, settle
from jetstow._core.write.delete_marker import bare_marker
from jetstow._core.write.history import drop_kept
from jetstow._core.write.purge import Committed, purge_replaced
from jetstow._core.write.revision_check import check_revision, check_same_revision
from jetstow.errors import InvalidOptionError, ObjectNotFoundError, RevisionMismatchError
from jetstow.models import ObjectInfo


async def delete_version(
    stream: Stream,
    context: ErrorContext,
    expected_revision: int | None = None,
    *,
    bypass_governance: bool = False,
) -> ObjectInfo:
    """Remove the version in `context` permanently, and return it.

    If it is the current one, the newest of the others is current then.

    Raises: `ObjectNotFoundError`, `RevisionMismatchError` (the version is not at the revision),
    `ObjectLockedError`.
    """
    await check_writable(stream, context)
    name, version = context.name or "", context.version or ""
    while True:
        state = await _settled(stream, name)
        if state.info is not None and state.info.version == version:
            check_revision(context, state, expected_revision)
            check_removable(context, state.info, bypass_governance=bypass_governance)
            if await _remove_current(stream, state.info, state):
                return state.info
            continue
        kept = await read_state(stream, stream.error_context(hidden_name(name, version)))
        if kept.live is None:
            if (await _settled(stream, name)).revision == state.revision:
                raise _missing(context)
            continue
        info = _current(kept)
        check_revision(context, NameState(info.revision, info), expected_revision)
        check_removable(context, info, bypass_governance=bypass_governance)
        if await drop_kept(stream, kept):
            return info


async def _settled(stream: Stream, name: str) -> NameState:
    """Return the state of a name after any rename that was begun."""
    context = stream.error_context(name)
    return await settle(stream, context, await read_state(stream, context))


async def _remove_current(stream: Stream, info: ObjectInfo, state: NameState) -> bool:
    """Make the newest kept version current, or leave none. Return False if the name changed."""
    context = stream.error_context(info.name)
    previous = await newest_kept(stream, info.name)
    if previous is not None and _current(previous).version == info.version:
        await drop_kept(stream, previous)  # it was kept for a change that did not follow
        return False
    if previous is None:
        replacement = without_version(bare_marker(info, new_nuid()), info.version or "")
    else:
        replacement = published_again(_current(previous), info.version or "")
    try:
        committed = await _publish(stream, state, replacement, drops=True)
    except RevisionMismatchError:
        return False
    await purge_replaced(stream, context, committed, wait=True)
    # Another client may have kept it, for a change that was slower than this one.
    if info.version is not None:
        hidden = stream.error_context(hidden_name(info.name, info.version))
        again = await read_state(stream, hidden)
        if again.live is not None and again.live.nuid == info.nuid:
            await drop_kept(stream, again)
    if previous is not None:
        await _take(stream, previous, committed.info)
    return True


async def _publish(stream: Stream, state: NameState, info: ObjectInfo, *, drops: bool) -> Committed:
    """Publish the metadata of a version under its name.

    Raises: `RevisionMismatchError` (the name is not at `state`).
    """
    context = stream.error_context(info.name)

    def propose(current: NameState) -> ObjectInfo:
        check_same_revision(context, current, state.revision)
        return info

    return await Commit(stream, context, propose, state, has_version=True, drops=drops).run()


async def _take(stream: Stream, kept: NameState, current: ObjectInfo) -> ObjectInfo | None:
    """Remove the hidden name of a version that is current now. Return it, None if it was removed.

    If another client has changed the version in the meantime, the change is published under the
    name. If it removed the version, it deleted the hidden name. The version is then removed under
    its name, too. Garbage collection purges hidden names instead.
    """
    assert kept.live is not None, "only a kept version becomes current"
    hidden = stream.error_context(kept.live.name)
    while not await drop_kept(stream, kept):
        kept = await read_state(stream, hidden)
        if kept.info is not None and kept.info.deleted:
            context = stream.error_context(current.name)
            with suppress(ObjectNotFoundError, RevisionMismatchError):
                removed = replace(context, version=current.version)
                await delete_version(stream, removed, expected_revision=current.revision)
            return None
        if kept.live is None or kept.live.nuid != current.nuid:
            break
        if kept_revision(kept.live) >= current.revision:
            break  # another client is replacing the version, and has kept it
        changed = published_again(_current(kept), removed_version(current) or "")
        try:
            state = NameState(current.revision, current)
            current = (await _publish(stream, state, changed, drops=True)).info
        except RevisionMismatchError:
            break
    return current


def _current(kept: NameState) -> ObjectInfo:
    """Return the version that a hidden name keeps, with its own name."""
    assert kept.live is not None, "a hidden name that is deleted keeps no version"
    split = split_hidden_name(kept.live.name)
    assert split is not None, "only hidden names keep versions"
    return current_info(*split, kept.live)


async def restore_version(stream: Stream, context: ErrorContext) -> ObjectInfo:
    """Make the version in `context` the current one again, and keep the one that is.

    Raises: `ObjectNotFoundError`, `InvalidOptionError` (it is a delete marker).
    """
    await check_writable(stream, context)
    name, version = context.name or "", context.version or ""
    while True:
        state = await _settled(stream, name)
        if state.info is not None and state.info.version == version:
            _check_not_marker(context, state.info)
            return state.info
        kept = await read_state(stream, stream.error_context(hidden_name(name, version)))
        if kept.live is None:
            if (await _settled(stream, name)).revision == state.revision:
                raise _missing(context)
            continue
        info = _current(kept)
        _check_not_marker(context, info)
        try:
            committed = await _publish(stream, state, published_again(info), drops=False)
        except RevisionMismatchError:
            continue
        await purge_replaced(stream, stream.error_context(name), committed, wait=True)
        if (restored := await _take(stream, kept, committed.info)) is not None:
            return restored
        raise _missing(context)


def _check_not_marker(context: ErrorContext, info: ObjectInfo) -> None:
    if info.deleted:
        raise context.error(
            InvalidOptionError, f"{context} is a delete marker: it has nothing to restore"
        )


def _missing(context: ErrorContext) -> ObjectNotFoundError:
    return context.error(ObjectNotFoundError, f"there is no {context}")


async def add_delete_marker(
    stream: Stream, context: ErrorContext, expected_revision: int | None
) -> ObjectInfo:
    """Publish a delete marker as the newest version, whether or not there is an object.

    Raises: `InvalidOptionError` (the bucket has no versions), `RevisionMismatchError`.
    """
    check_versioned(stream, context)
    await check_writable(stream, context)
    state = await read_state(stream, context)
    marker = ObjectInfo(name=context.name or "", bucket=stream.bucket, nuid="", deleted=True)
    commit = Commit(stream, context, lambda _: marker, state, expected_revision, dated=True)
    committed = await commit.run()
    await purge_replaced(stream, context, committed, wait=True)
    return committed.info


def check_versioned(stream: Stream, context: ErrorContext) -> None:
    """Check that a bucket has versions.

    Raises: `InvalidOptionError`.
    """
    if stream.versioning is None:
        raise context.error(
            InvalidOptionError,
            f"{context} has no versions: enable them with update_object_store("
            f"{stream.bucket!r}, versioned=True)",
        )
