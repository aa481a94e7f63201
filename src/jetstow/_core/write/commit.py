"""Commit: publish an object's metadata with compare-and-set.

A rename of the object that another client has begun is finished or stopped first. In a versioned
bucket, what the metadata replaces is kept before it is published (docs/decisions/0043).
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from jetstow._core.bucket.stream import Stream
from jetstow._core.bucket.write_check import check_writable
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.nuid import new_nuid
from jetstow._core.protocol.object_lock import check_removable
from jetstow._core.protocol.versions import (
    NULL_VERSION,
    VERSIONS_PREFIX,
    set_version,
    with_new_version,
    with_same_version,
)
from jetstow._core.read.name_state import NameState, read_state
from jetstow._core.write.compare_and_set import CompareAndSet, Decision, Propose
from jetstow._core.write.delete_marker import bare_marker, delete_marker, renamed_marker
from jetstow._core.write.history import check_kept_null, drop_outdated, forget_lost, keep_version
from jetstow._core.write.purge import Committed, purge_replaced
from jetstow._core.write.revision_check import check_revision, check_same_revision
from jetstow._core.write.shared_chunks import (
    Claim,
    claim_of,
    has_nuid,
    is_shared,
    kept_twin,
    twin_of,
    without_twin,
)
from jetstow.errors import RevisionMismatchError
from jetstow.models import ObjectInfo


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

    With `dated`, the metadata gets the server's time (None if it cannot be read).
    `state` is the name's state if the caller has read it. If another client changed the name,
    the state is read again and `propose` is called again. What it raises ends the commit.

    Raises: `RevisionMismatchError` or `ObjectAlreadyExists` (the name is not at
    `expected_revision`). After `ConnectionLostError`, `TimeoutError` or
    `JetStreamUnavailableError` it is unknown whether the metadata was published.
    """
    await check_writable(stream, context)
    if state is None:
        state = await read_state(stream, context)
    return await Commit(stream, context, propose, state, expected_revision, dated=dated).run()


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

    return await _CommitStep(stream, context, propose_once, state, dated=dated).run()


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

    A delete marker under the new name stops it: its revision is then not that of the claim. If the
    new name was changed after the rename, it may have kept the object as a version.
    """
    context = stream.error_context(claim.name)
    marker = partial(delete_marker, context)
    while True:
        state = await read_state(stream, context)
        if has_nuid(state, info.nuid):
            return True
        if state.revision != claim.revision:
            kept = await kept_twin(stream, claim.name, info.nuid)
            # One from before the claim is left of an earlier time under that name.
            return kept is not None and kept.revision > claim.revision
        with suppress(RevisionMismatchError):
            await commit_step(stream, context, marker, state)


async def delete_renamed(stream: Stream, context: ErrorContext, state: NameState) -> Committed:
    """Delete the old name of a rename at a state, and its chunks if the new name is gone, too.

    Raises: `RevisionMismatchError` (the name is not at `state`).
    """
    committed = await commit_step(stream, context, partial(renamed_marker, context), state)
    await purge_replaced(stream, context, committed, wait=True)
    return committed


class Commit(CompareAndSet):
    """The commit of one name: see `commit`. In a versioned bucket, it keeps what it replaces.

    With `has_version`, the metadata is that of a version, which keeps its id. With `drops`, what is
    replaced is not kept.
    """

    def __init__(
        self,
        stream: Stream,
        context: ErrorContext,
        propose: Propose,
        state: NameState,
        expected_revision: int | None = None,
        *,
        dated: bool = False,
        is_guess: bool = False,
        has_version: bool = False,
        drops: bool = False,
    ) -> None:
        super().__init__(
            stream, context, propose, state, expected_revision, dated=dated, is_guess=is_guess
        )
        self._has_version = has_version
        self._drops = drops
        # What was kept for the last attempt, and the NUID of all attempts of a delete marker.
        self._kept: ObjectInfo | None = None
        self._marker_nuid = ""

    async def run(self) -> Committed:
        """Publish the metadata until its outcome is known.

        Then the kept version `null` is removed, if the new one has that id.
        """
        committed = await super().run()
        if committed.info.version == NULL_VERSION and not self._has_version:
            await drop_outdated(self._stream, committed)
        return committed

    async def _decide(self, state: NameState) -> Decision:
        if state.info is not None and state.info.extra:
            state = await settle(self._stream, self._context, state)
        if self._kept is not None and self._kept.revision != state.revision:
            await forget_lost(self._stream, self._kept)
            self._kept = None
        if self._expected_revision is not None:
            check_revision(self._context, state, self._expected_revision)
        info = self._proposed(state)
        if not self._drops and state.live is not None and state.live.nuid != info.nuid:
            self._check_lock(state.live, info)
        await self._check_kept_lock(state, info)
        if self._must_keep(state, info):
            self._kept = state.info
            await keep_version(self._stream, state)
            return Decision(state, info, is_kept=True)
        if state.info is None or not state.info.extra:
            return Decision(state, info)  # it names no other name
        return Decision(state, info, await is_shared(self._stream, state, info))

    def _proposed(self, state: NameState) -> ObjectInfo:
        info = self._propose(state)
        versioning = self._stream.versioning
        if versioning is None or self._has_version or info.name.startswith(VERSIONS_PREFIX):
            return info
        if state.info is not None:
            set_version(versioning, state.info)
        if state.live is not None and state.live.nuid == info.nuid and not info.deleted:
            return with_same_version(info, state.live)
        if info.deleted:
            self._marker_nuid = self._marker_nuid or new_nuid()
            info = bare_marker(info, self._marker_nuid)
        return with_new_version(versioning, info)

    def _check_lock(self, replaced: ObjectInfo, info: ObjectInfo) -> None:
        """Check that no locked version is replaced, as `null` is while versions are suspended.

        Raises: `ObjectLockedError`.
        """
        if not self._must_keep(NameState(replaced.revision, replaced), info):
            check_removable(self._context, replaced, bypass_governance=False)

    async def _check_kept_lock(self, state: NameState, info: ObjectInfo) -> None:
        """Check that no locked version is removed after the commit (see `run`).

        Raises: `ObjectLockedError`.
        """
        if info.version == NULL_VERSION and not self._has_version:
            await check_kept_null(self._stream, info.name, state)

    def _must_keep(self, state: NameState, info: ObjectInfo) -> bool:
        """Return whether what the metadata replaces is another version."""
        if self._drops or state.info is None or state.info.version is None:
            return False
        return state.info.version != info.version


class _CommitStep(Commit):
    """The commit of one of the messages of a rename; see `commit_step`.

    The object is the same version under another name: only a delete marker is kept.
    """

    async def _decide(self, state: NameState) -> Decision:
        if state.live is None:
            return await super()._decide(state)
        info = self._proposed(state)
        await self._check_kept_lock(state, info)
        return Decision(state, info, twin_of(state.live) is not None)
