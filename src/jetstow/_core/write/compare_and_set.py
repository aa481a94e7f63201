"""Publish metadata with compare-and-set. The only module that publishes metadata.

The metadata is published with the revision that it replaces as the expected revision. If two
clients change a name at the same time, one succeeds; the other reads the new state and decides
again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from jetstow._core.aio.cancellation import is_caller_cancelled
from jetstow._core.bucket.server_time import ServerClock
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol import ttl
from jetstow._core.protocol.api_errors import WRONG_LAST_SEQUENCE
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.metadata import encode_info
from jetstow._core.protocol.subjects import meta_subject
from jetstow._core.read.name_state import NameState, read_state
from jetstow._core.transport.retry import RETRIED_ERRORS, RetryPolicy
from jetstow._core.write.metadata_publish import MetadataPublish
from jetstow._core.write.purge import Committed
from jetstow._core.write.revision_check import check_revision
from jetstow.errors import (
    JetstowError,
    PermissionDeniedError,
    RevisionMismatchError,
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


class Decision(msgspec.Struct, frozen=True):
    """Metadata to publish, and the state that it replaces.

    `is_shared` is whether another name may have the chunks of the replaced object, `is_kept`
    whether they stay as those of a version.
    """

    state: NameState
    info: ObjectInfo
    is_shared: bool = False
    is_kept: bool = False


class _Attempt(MetadataPublish):
    """The publish of the metadata of a decision."""

    decision: Decision


class CompareAndSet:
    """The compare-and-set loop of one name: publish what `propose` returns for its state.

    If `run` is cancelled while the metadata may be stored, it has to be called again, to its end.

    With `is_repeatable`, other clients may publish the same metadata: finding it does not show that
    it was this publish that was stored, and it is published again.
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
        is_repeatable: bool = False,
    ) -> None:
        self._stream = stream
        self._context = context
        self._propose = propose
        self._state = state
        self._expected_revision = expected_revision
        self._dated = dated
        self._is_guess = is_guess
        self._is_repeatable = is_repeatable
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
        """Publish the metadata until its outcome is known.

        Raises: the error of the first publish whose outcome is unknown, if there is one: what fails
        after it does not show that it was not stored.
        """
        try:
            while (committed := await self._publish()) is None:
                pass
        except RevisionMismatchError:
            raise  # of `propose`: its caller reads the name again
        except JetstowError:
            if self._unknown is None:
                raise
            raise self._unknown[1] from None
        return committed

    async def _publish(self) -> Committed | None:
        """Publish the metadata once. Return None if it has to be published again."""
        attempt = self._attempt or await self.prepare()
        try:
            revision = await attempt.revision()
        except JetstowError as error:
            self._attempt = None
            if not isinstance(error, RETRIED_ERRORS):
                return await self._read_after_refusal(attempt, error)
            await self._wait_or_raise(attempt, error)
            return None
        return self._committed(attempt, revision)

    async def prepare(self) -> _Attempt:
        """Encode the metadata that `run` publishes."""
        stream, context = self._stream, self._context
        decision = await self._decide(self._state)
        state, info = decision.state, decision.info
        self._state = state
        payload = encode_info(info)
        headers = {"Nats-Rollup": "sub", _EXPECTED_REVISION: str(state.revision)}
        if info.headers and not info.deleted and info.expires is not None:
            clock = await ServerClock.read(stream)
            headers |= ttl.metadata_ttl_headers(info.expires, clock.now())
        subject = meta_subject(stream.subject_bucket, context.name or "")
        attempt = _Attempt(stream, context, subject, payload, headers, dated=self._dated)
        attempt.decision, self._attempt = decision, attempt
        return attempt

    async def _decide(self, state: NameState) -> Decision:
        """Decide what to publish at a state, and which state it replaces."""
        if self._expected_revision is not None:
            check_revision(self._context, state, self._expected_revision)
        return Decision(state, self._proposed(state))

    def _proposed(self, state: NameState) -> ObjectInfo:
        """Return the metadata to publish at a state."""
        return self._propose(state)

    def _committed(self, attempt: _Attempt, revision: int) -> Committed:
        decision = attempt.decision
        info = decision.info
        info.revision, info.mtime = revision, attempt.time
        self._stream.names.remember(info)
        return Committed(info, decision.state, decision.is_shared, decision.is_kept)

    async def _wait_or_raise(self, attempt: _Attempt, error: JetstowError) -> None:
        """Return if publishing again makes sense.

        It is safe: the expected revision admits one of the two messages.
        """
        if attempt.is_sent and self._unknown is None:
            self._unknown = attempt.payload, error
            if isinstance(error, TimeoutError) and not is_caller_cancelled():
                return
        self._policy = self._policy or self._stream.api.retry_policy(self._context)
        await self._policy.wait_or_raise(error)

    async def _read_after_refusal(self, attempt: _Attempt, error: JetstowError) -> Committed | None:
        """Read the state of a name that was changed. Return what an earlier publish stored.

        Raises: `error` (the name was not changed), the error of an earlier publish.
        """
        if error.err_code not in WRONG_LAST_SEQUENCE:
            if attempt.is_sent and self._unknown is None and not _is_refusal(error):
                self._unknown = attempt.payload, error
            raise error
        current = await read_state(self._stream, self._context)
        if self._is_guess:
            self._stream.names.check(self._context.name or "", current.revision)
            self._is_guess = False
        unknown = None if self._is_repeatable else self._unknown
        if unknown is not None and current.data == unknown[0]:
            return self._committed(attempt, current.revision)
        if unknown is not None and self._may_have_been_stored(unknown[0], current):
            # Another client wrote the name. If it did so after the earlier publish was
            # stored, it purged these chunks: they must not be named again.
            unknown[1].add_note(_REPLACED)
            raise unknown[1]
        self._unknown = None
        self._state = current
        return None

    def _may_have_been_stored(self, payload: bytes, current: NameState) -> bool:
        """Return whether an earlier publish may have been stored before the name's current state.

        If the current state admits no other metadata, the earlier publish may be the reason. So it
        may if the name is not at the expected revision anymore.
        """
        if self._expected_revision is not None:
            return True
        try:
            return encode_info(self._proposed(current)) == payload
        except RevisionMismatchError:
            raise
        except JetstowError:
            return True


def _is_refusal(error: JetstowError) -> bool:
    """Return whether an error shows that the bucket's stream did not store a message.

    The replies of other streams with the same subjects do not, nor do replies that cannot be read.
    """
    return error.err_code is not None or isinstance(error, PermissionDeniedError)
