"""Commit: publish an object's metadata with compare-and-set. The only module that does.

The metadata is published with the revision that it replaces as the expected revision. If two
clients change a name at the same time, one succeeds; the other reads the new state and decides
again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol import ttl
from jetstow._core.protocol.api_errors import WRONG_LAST_SEQUENCE
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.metadata import encode_info
from jetstow._core.protocol.subjects import meta_subject
from jetstow._core.read.name_state import NameState, read_state
from jetstow._core.transport.retry import RETRIED_ERRORS, RetryPolicy
from jetstow._core.write.metadata_publish import MetadataPublish
from jetstow.errors import (
    JetstowError,
    ObjectAlreadyExists,
    RevisionMismatchError,
    ServerError,
    TimeoutError,
)
from jetstow.models import ObjectInfo

_EXPECTED_REVISION: Final = "Nats-Expected-Last-Subject-Sequence"

Propose = Callable[[NameState], ObjectInfo]


@dataclass(frozen=True, slots=True)
class Committed:
    """The published metadata, and the state of the name that it replaced."""

    info: ObjectInfo
    replaced: NameState
    publish: MetadataPublish | None = None

    async def dated_info(self) -> ObjectInfo:
        """Return the metadata with the server's time (None if it cannot be read)."""
        if self.publish is None:
            return self.info
        return replace(self.info, mtime=await self.publish.time(self.info.revision))


def check_revision(context: ErrorContext, state: NameState, expected: int | None) -> None:
    """Raise unless the name is at the expected revision; 0 expects no live object.

    Raises: `ObjectAlreadyExists` (0 was expected), `RevisionMismatchError`.
    """
    if expected is None or (state.live is None if expected == 0 else state.revision == expected):
        return
    if expected == 0:
        raise context.error(ObjectAlreadyExists, f"{context} exists already")
    if not state.revision or (state.info is not None and state.live is None):
        message = f"there is no {context}: it cannot be at revision {expected}"
    else:
        message = f"{context} is at revision {state.revision}, not at {expected}: it was changed"
    error = context.error(RevisionMismatchError, message)
    error.expected, error.actual = expected, state.revision
    raise error


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
    subject = meta_subject(stream.bucket, context.name or "")
    publish = MetadataPublish(stream, context, subject, dated=dated)
    policy: RetryPolicy | None = None
    # The metadata and the error of a publish whose outcome is unknown.
    unknown: tuple[bytes, JetstowError] | None = None
    if stream.needs_subject_check:
        await stream.check_subjects(context)
    if state is None:
        state = await read_state(stream, context)
    while True:
        if expected_revision is not None:
            check_revision(context, state, expected_revision)
        info = propose(state)
        payload = encode_info(info)
        headers = {"Nats-Rollup": "sub", _EXPECTED_REVISION: str(state.revision)}
        if info.headers:
            headers |= ttl.metadata_ttl_headers(info)
        try:
            revision = await publish.publish(payload, headers)
            return Committed(replace(info, revision=revision, mtime=None), state, publish)
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
                return Committed(committed, state, publish)
            if unknown is not None and encode_info(propose(current)) == unknown[0]:
                # Another client wrote the name. If it did so after the earlier publish was
                # stored, it purged these chunks: they must not be named again.
                raise unknown[1] from None
            unknown = None
            state = current


async def _wait_or_raise(policy: RetryPolicy, error: JetstowError, first: JetstowError) -> None:
    try:
        await policy.wait_or_raise(error)
    except JetstowError:
        raise first from None  # it is the outcome of that publish that is unknown
