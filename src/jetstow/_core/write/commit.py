"""Commit: publish an object's metadata with compare-and-set. The only module that does.

The metadata is published with the revision that it replaces as the expected revision. If two
clients change a name at the same time, one succeeds; the other reads the new state and decides
again. A rename of the object that another client has begun is finished or stopped first.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
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
from jetstow._core.write.revision_check import check_revision, check_same_revision
from jetstow._core.write.shared_chunks import (
    Claim,
    claim_of,
    has_nuid,
    is_shared,
    twin_of,
    without_twin,
)
from jetstow.errors import (
    JetstowError,
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
"""Returns new metadata for a name at a state. The commit sets its revision."""


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
    commit = Commit(stream, context, propose, state, expected_revision, dated=dated)
    return await commit.run()


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


class _Attempt(MetadataPublish):
    """The publish of metadata that replaces a state.

    `is_shared` is whether another name may have the chunks of the replaced object.
    """

    state: NameState
    info: ObjectInfo
    is_shared: bool


class Commit:
    """The compare-and-set loop of one name; see `commit`.

    If `run` is cancelled while the metadata may be stored, it has to be called again, to its end.
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
    ) -> None:
        self._stream = stream
        self._context = context
        self._propose = propose
        self._state = state
        self._expected_revision = expected_revision
        self._dated = dated
        self._is_guess = is_guess
        self._attempt: _Attempt | None = None
        # The metadata and the error of a publish whose outcome is unknown.
        self._unknown: tuple[bytes, JetstowError] | None = None
        self._policy: RetryPolicy | None = None

    @property
    def may_be_stored(self) -> bool:
        """Whether metadata was sent, and not refused."""
        is_sent = self._attempt is not None and self._attempt.is_sent
        return is_sent or self._unknown is not None

    async def run(self) -> Committed:
        """Publish the metadata until its outcome is known."""
        while True:
            attempt = self._attempt or await self.prepare()
            try:
                revision = await attempt.revision()
            except RETRIED_ERRORS as error:
                self._attempt = None
                await self._wait_or_raise(attempt, error)
            except ServerError as error:
                self._attempt = None
                if (stored := await self._read_after_refusal(attempt, error)) is not None:
                    return stored
            else:
                return self._committed(attempt, revision)

    async def prepare(self) -> _Attempt:
        """Encode the metadata that `run` publishes."""
        stream, context = self._stream, self._context
        state, info, is_shared = await self._decide(self._state)
        self._state = state
        payload = encode_info(info)
        headers = {"Nats-Rollup": "sub", _EXPECTED_REVISION: str(state.revision)}
        if info.headers and not info.deleted and info.expires is not None:
            clock = await ServerClock.read(stream)
            headers |= ttl.metadata_ttl_headers(info.expires, clock.now())
        subject = meta_subject(stream.subject_bucket, context.name or "")
        attempt = _Attempt(stream, context, subject, payload, headers, dated=self._dated)
        attempt.state, attempt.info, attempt.is_shared = state, info, is_shared
        self._attempt = attempt
        return attempt

    async def _decide(self, state: NameState) -> tuple[NameState, ObjectInfo, bool]:
        """Return the state to replace, the metadata, and whether the replaced chunks are shared."""
        if state.info is not None and state.info.extra:
            state = await settle(self._stream, self._context, state)
        if self._expected_revision is not None:
            check_revision(self._context, state, self._expected_revision)
        info = self._propose(state)
        if state.info is None or not state.info.extra:
            return state, info, False  # it names no other name
        return state, info, await is_shared(self._stream, state, info)

    def _committed(self, attempt: _Attempt, revision: int) -> Committed:
        info = attempt.info
        info.revision, info.mtime = revision, attempt.time
        self._stream.names.remember(info)
        return Committed(info, attempt.state, attempt.is_shared)

    async def _wait_or_raise(self, attempt: _Attempt, error: JetstowError) -> None:
        """Return if publishing again makes sense.

        It is safe: the expected revision admits one of the two messages.
        """
        first = self._unknown is None
        self._unknown = self._unknown or (attempt.payload, error)
        if isinstance(error, TimeoutError) and first:
            return
        self._policy = self._policy or self._stream.api.retry_policy(self._context)
        try:
            await self._policy.wait_or_raise(error)
        except JetstowError:
            raise self._unknown[1] from None  # it is the outcome of that publish that is unknown

    async def _read_after_refusal(self, attempt: _Attempt, error: ServerError) -> Committed | None:
        """Read the state of a name that was changed. Return what an earlier publish stored.

        Raises: `error` (the name was not changed), the error of an earlier publish.
        """
        unknown = self._unknown
        if error.err_code not in WRONG_LAST_SEQUENCE:
            raise (error if unknown is None else unknown[1]) from None
        current = await read_state(self._stream, self._context)
        if self._is_guess:
            self._stream.names.check(self._context.name or "", current.revision)
            self._is_guess = False
        if unknown is not None and current.data == unknown[0]:
            return self._committed(attempt, current.revision)
        if unknown is not None and self._may_have_been_stored(unknown[0], current):
            # Another client wrote the name. If it did so after the earlier publish was
            # stored, it purged these chunks: they must not be named again.
            unknown[1].add_note(_REPLACED)
            raise unknown[1] from None
        self._unknown = None
        self._state = current
        return None

    def _may_have_been_stored(self, payload: bytes, current: NameState) -> bool:
        """Return whether an earlier publish may have been stored before the name's current state.

        If the current state admits no other metadata, the earlier publish may be the reason.
        """
        try:
            return encode_info(self._propose(current)) == payload
        except RevisionMismatchError:
            raise
        except JetstowError:
            return True


class _CommitStep(Commit):
    """The commit of one of the messages of a rename; see `commit_step`."""

    async def _decide(self, state: NameState) -> tuple[NameState, ObjectInfo, bool]:
        info = self._propose(state)
        return state, info, state.live is not None and twin_of(state.live) is not None
