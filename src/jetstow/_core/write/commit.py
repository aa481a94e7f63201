"""Commit: publish an object's metadata with compare-and-set. The only module that does.

The metadata is published with the revision that it replaces as the expected revision. If two
clients change a name at the same time, one succeeds; the other reads the new state and decides
again. A rename of the object that another client has begun is finished or stopped first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Final

from jetstow._core.bucket.server_time import ServerClock
from jetstow._core.bucket.stream import Stream
from jetstow._core.bucket.write_check import check_writable
from jetstow._core.protocol import ttl
from jetstow._core.protocol.api_errors import WRONG_LAST_SEQUENCE
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.metadata import encode_info
from jetstow._core.protocol.subjects import meta_subject
from jetstow._core.read.name_state import NameState, read_state
from jetstow._core.transport.retry import RETRIED_ERRORS, RetryPolicy
from jetstow._core.write.delete_marker import delete_marker, renamed_marker
from jetstow._core.write.metadata_publish import MetadataPublish
from jetstow._core.write.purge import Committed, purge_replaced
from jetstow._core.write.shared_chunks import (
    Claim,
    claim_of,
    has_nuid,
    live_twin,
    twin_of,
    without_twin,
)
from jetstow.errors import (
    JetstowError,
    ObjectAlreadyExists,
    RevisionMismatchError,
    ServerError,
    TimeoutError,
)
from jetstow.models import ObjectInfo

_EXPECTED_REVISION: Final = "Nats-Expected-Last-Subject-Sequence"

# The note of an error, if the outcome of the publish is unknown and another client was faster.
_REPLACED: Final = (
    "another client has written the name since: this change is not the current one, but it may "
    "have been stored for a time"
)

Propose = Callable[[NameState], ObjectInfo]
# Returns the state to replace, the metadata, and whether another name has the replaced chunks.
_Prepare = Callable[[NameState], Awaitable[tuple[NameState, ObjectInfo, bool]]]


def check_revision(context: ErrorContext, state: NameState, expected: int | None) -> None:
    """Raise unless the name is at the expected revision; 0 expects no live object.

    Raises: `ObjectAlreadyExists` (0 was expected), `RevisionMismatchError`.
    """
    if expected is None or (state.live is None if expected == 0 else state.revision == expected):
        return
    if expected == 0:
        raise context.error(ObjectAlreadyExists, f"{context} exists already")
    raise _mismatch(context, state, expected)


def check_same_revision(context: ErrorContext, state: NameState, expected: int) -> None:
    """Raise unless the name is at the expected revision; 0 expects a name without metadata.

    Raises: `RevisionMismatchError`.
    """
    if state.revision != expected:
        raise _mismatch(context, state, expected)


def _mismatch(context: ErrorContext, state: NameState, expected: int) -> RevisionMismatchError:
    if not state.revision or (state.info is not None and state.live is None):
        message = f"there is no {context}: it cannot be at revision {expected}"
    else:
        message = f"{context} is at revision {state.revision}, not at {expected}: it was changed"
    error = context.error(RevisionMismatchError, message)
    error.expected, error.actual = expected, state.revision
    return error


async def commit(
    stream: Stream,
    context: ErrorContext,
    propose: Propose,
    *,
    state: NameState | None = None,
    expected_revision: int | None = None,
    dated: bool = False,
) -> Committed:
    """Publish `propose(state)` as the metadata of the name in `context`.

    With `dated`, the caller will ask for `Committed.dated_info`.

    `state` is the name's state if the caller has read it. If another client changed the name,
    the state is read again and `propose` is called again. What it raises ends the commit.

    Raises: `RevisionMismatchError` or `ObjectAlreadyExists` (the name is not at
    `expected_revision`). After `ConnectionLostError`, `TimeoutError` or
    `JetStreamUnavailableError` it is unknown whether the metadata was published.
    """

    async def prepare(state: NameState) -> tuple[NameState, ObjectInfo, bool]:
        state = await settle(stream, context, state)
        if expected_revision is not None:
            check_revision(context, state, expected_revision)
        info = propose(state)
        return state, info, await _is_shared(stream, state, info)

    await check_writable(stream, context)
    if state is None:
        state = await read_state(stream, context)
    return await _commit(stream, context, propose, prepare, state, dated=dated)


async def commit_step(
    stream: Stream,
    context: ErrorContext,
    propose: Propose,
    state: NameState,
    *,
    dated: bool = False,
) -> Committed:
    """Publish one of the messages of a rename, if the name is at `state`. `dated` as in `commit`.

    Raises: `RevisionMismatchError` (it is not), and what `commit` raises.
    """

    def propose_once(current: NameState) -> ObjectInfo:
        check_same_revision(context, current, state.revision)
        return propose(current)

    async def prepare(current: NameState) -> tuple[NameState, ObjectInfo, bool]:
        info = propose_once(current)
        return current, info, state.live is not None and twin_of(state.live) is not None

    return await _commit(stream, context, propose_once, prepare, state, dated=dated)


async def settle(stream: Stream, context: ErrorContext, state: NameState) -> NameState:
    """Finish or stop a rename of the object in `context`; return the name's state then.

    If the object is renamed, the old name is deleted here. The returned state has no claim.
    """
    while (info := state.live) is not None and (claim := claim_of(info)) is not None:
        if not await is_renamed(stream, info, claim):
            return NameState(state.revision, without_twin(info), state.data)
        with suppress(RevisionMismatchError):
            await delete_renamed(stream, context, state)
        state = await read_state(stream, context)
    return state


async def is_renamed(stream: Stream, info: ObjectInfo, claim: Claim) -> bool:
    """Return whether a rename has published the object under its new name. If not, stop it.

    A delete marker under the new name stops it: its revision is then not that of the claim.
    """
    context = stream.error_context(claim.name)
    marker = partial(delete_marker, context)
    while True:
        state = await read_state(stream, context)
        if has_nuid(state, info.nuid) or state.revision != claim.revision:
            return has_nuid(state, info.nuid)
        with suppress(RevisionMismatchError):
            await commit_step(stream, context, marker, state)


async def delete_renamed(stream: Stream, context: ErrorContext, state: NameState) -> Committed:
    """Delete the old name of a rename at a state, and its chunks if the new name is gone, too.

    Raises: `RevisionMismatchError` (the name is not at `state`).
    """
    committed = await commit_step(stream, context, partial(renamed_marker, context), state)
    await purge_replaced(stream, context, committed, wait=True)
    return committed


async def _is_shared(stream: Stream, state: NameState, info: ObjectInfo) -> bool:
    """Return whether another name has the chunks that `info` no longer refers to.

    If none has them before the commit, none can get them: a rename begins with a commit, too.
    """
    replaced = state.live
    if replaced is None or not replaced.chunks:
        return False
    if replaced.nuid == info.nuid and not info.deleted:
        return False
    return await live_twin(stream, replaced) is not None


async def _commit(
    stream: Stream,
    context: ErrorContext,
    propose: Propose,
    prepare: _Prepare,
    state: NameState,
    *,
    dated: bool,
) -> Committed:
    subject = meta_subject(stream.subject_bucket, context.name or "")
    publish = MetadataPublish(stream, context, subject, dated=dated)
    policy: RetryPolicy | None = None
    # The metadata and the error of a publish whose outcome is unknown.
    unknown: tuple[bytes, JetstowError] | None = None
    while True:
        state, info, is_shared = await prepare(state)
        payload = encode_info(info)
        headers = {"Nats-Rollup": "sub", _EXPECTED_REVISION: str(state.revision)}
        try:
            if info.headers and not info.deleted and info.expires is not None:
                clock = await ServerClock.read(stream)
                headers |= ttl.metadata_ttl_headers(info.expires, clock.now())
            revision = await publish.publish(payload, headers)
            committed = replace(info, revision=revision, mtime=None)
            return Committed(committed, state, is_shared, publish)
        except RETRIED_ERRORS as error:
            # Publishing again is safe: the expected revision admits one of the two messages.
            first = unknown is None
            unknown = unknown or (payload, error)
            if not (isinstance(error, TimeoutError) and first):
                policy = policy or stream.api.retry_policy(context)
                await _wait_or_raise(policy, error, unknown[1])
        except ServerError as error:
            if error.err_code not in WRONG_LAST_SEQUENCE:
                raise (error if unknown is None else unknown[1]) from None
            current = await read_state(stream, context)
            if unknown is not None and current.data == unknown[0]:
                # The earlier publish was stored.
                committed = replace(info, revision=current.revision, mtime=None)
                return Committed(committed, state, is_shared, publish)
            if unknown is not None and _may_have_been_stored(unknown[0], propose, current):
                # Another client wrote the name. If it did so after the earlier publish was
                # stored, it purged these chunks: they must not be named again.
                unknown[1].add_note(_REPLACED)
                raise unknown[1] from None
            unknown = None
            state = current


def _may_have_been_stored(payload: bytes, propose: Propose, current: NameState) -> bool:
    """Return whether an earlier publish may have been stored before the name's current state.

    If the current state admits no other metadata, the earlier publish may be the reason.
    """
    try:
        return encode_info(propose(current)) == payload
    except RevisionMismatchError:
        raise
    except JetstowError:
        return True


async def _wait_or_raise(policy: RetryPolicy, error: JetstowError, first: JetstowError) -> None:
    try:
        await policy.wait_or_raise(error)
    except JetstowError:
        raise first from None  # it is the outcome of that publish that is unknown
