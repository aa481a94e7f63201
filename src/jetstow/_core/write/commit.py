"""The moment an object exists: its metadata, published if nobody else was faster.

Every change of a name goes through `commit`. It expects the revision that it has seen, so
of two writers one wins; the other looks again and decides anew.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol import subjects, ttl
from jetstow._core.protocol.api_errors import WRONG_LAST_SEQUENCE
from jetstow._core.protocol.metadata import encode_info
from jetstow._core.read.catalog import NameState, read_state
from jetstow._core.transport.retry import RETRIED_ERRORS, RetryPolicy
from jetstow.errors import (
    JetstowError,
    ObjectAlreadyExists,
    RevisionMismatchError,
    ServerError,
    TimeoutError,
)
from jetstow.models import ObjectInfo

_ROLLUP: Final = {"Nats-Rollup": "sub"}
_EXPECTED: Final = "Nats-Expected-Last-Subject-Sequence"

Proposal = Callable[[NameState], ObjectInfo]


@dataclass(frozen=True, slots=True)
class Committed:
    """What stands under the name now, and what stood there before."""

    info: ObjectInfo
    before: NameState


def check_revision(stream: Stream, name: str, slot: NameState, expected: int | None) -> None:
    """Raise unless the name is at the revision expected; 0 expects no live object.

    Raises `ObjectAlreadyExists` where 0 was expected, else `RevisionMismatchError`.
    """
    if expected is None or (slot.live is None if expected == 0 else slot.revision == expected):
        return
    context = stream.error_context(name)
    if expected == 0:
        raise context.error(ObjectAlreadyExists, f"{context} exists already")
    error = context.error(
        RevisionMismatchError,
        f"{context} is at revision {slot.revision}, not at {expected}: somebody changed it",
    )
    error.expected, error.actual = expected, slot.revision
    raise error


async def commit(
    stream: Stream,
    name: str,
    propose: Proposal,
    *,
    slot: NameState | None = None,
    expected_revision: int | None = None,
) -> Committed:
    """Publish what `propose` makes of the slot under `name`; again, if somebody was faster.

    `slot` spares the first look, if the caller has had it. Whatever `propose` raises ends
    it, with nothing changed. Raises `RevisionMismatchError` where a revision is expected.
    """
    subject = subjects.meta_subject(stream.bucket, name)
    context = stream.error_context(name)
    doubt: tuple[bytes, JetstowError] | None = None
    outage = stream.api.retry_policy(context)
    slot = await read_state(stream, name) if slot is None else slot
    while True:
        check_revision(stream, name, slot, expected_revision)
        info = propose(slot)
        payload = encode_info(info)
        headers = _ROLLUP | {_EXPECTED: str(slot.revision)} | ttl.metadata_headers(info)
        try:
            revision = await stream.publish(context, subject, payload, headers)
        except RETRIED_ERRORS as error:
            # The answer was lost, or is late. Asking again is safe: the revision expected
            # lets only one of the two messages in.
            again = isinstance(error, TimeoutError) and doubt is None
            doubt = doubt or (payload, error)
            if not again:
                await _survive(outage, error, doubt[1])
            continue
        except ServerError as error:
            if error.err_code not in WRONG_LAST_SEQUENCE:
                raise (error if doubt is None else doubt[1]) from None
            before, slot = slot, await read_state(stream, name)
            if doubt is None or slot.data != doubt[0]:
                if doubt is not None and encode_info(propose(slot)) == doubt[0]:
                    # Somebody has written the name since. If that came after us, these
                    # chunks are dropped already, and to name them again would be wrong.
                    raise doubt[1] from None
                doubt = None
                continue
            revision, slot = slot.revision, before
        return Committed(replace(info, revision=revision, mtime=_now()), slot)


async def _survive(outage: RetryPolicy, error: JetstowError, doubt: JetstowError) -> None:
    try:
        await outage.wait_or_raise(error)
    except JetstowError:
        raise doubt from None  # the first word counts: it says that nobody knows


def _now() -> str:
    """This machine's time. The server's own stamp is what `get_info` shows."""
    return datetime.datetime.now(datetime.UTC).isoformat().replace("+00:00", "Z")
