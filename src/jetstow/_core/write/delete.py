"""Delete an object: publish a delete marker, purge the chunks.

A full bucket may refuse the marker: the server counts it before the rollup removes the metadata
that it replaces (measured on 2.9.10 and 2.15.1). The metadata is then purged up to the revision
that is deleted. Like the marker's compare-and-set, this does not remove a later revision. The
chunks follow, and the marker is published last, into the space of both.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.headers import user_headers
from jetstow._core.protocol.nuid import new_nuid
from jetstow._core.protocol.subjects import meta_subject
from jetstow._core.read.name_state import NameState, read_state, require_live
from jetstow._core.write.commit import Committed, commit
from jetstow._core.write.purge import purge_replaced
from jetstow._core.write.shared_chunks import TWIN
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
) -> bool:
    """Delete the object in `context`. Return false if there is none, at any revision.

    Raises: `RevisionMismatchError`.
    """
    try:
        await delete(stream, context, expected_revision, state)
    except ObjectNotFoundError:
        return False
    except RevisionMismatchError:
        if not (await read_state(stream, context)).is_free:
            raise
        return False
    return True


async def delete(
    stream: Stream,
    context: ErrorContext,
    expected_revision: int | None = None,
    state: NameState | None = None,
) -> None:
    """Publish a delete marker for the name in `context`, and purge its chunks.

    `state` is the name's state if the caller has read it.

    Raises: `ObjectNotFoundError`, `RevisionMismatchError`.
    """
    current = NameState()

    def marker(state: NameState) -> ObjectInfo:
        nonlocal current
        current = state
        if state.revision and state.info is None:
            # An object whose metadata cannot be decoded can still be deleted.
            info = ObjectInfo(name=context.name or "", bucket=stream.bucket, nuid=new_nuid())
            return delete_marker(NameState(info=info))
        require_live(context, state)
        return delete_marker(state)

    while True:
        try:
            committed = await commit(
                stream, context, marker, state=state, expected_revision=expected_revision
            )
        except BucketFullError as error:
            if await _delete_from_full_bucket(stream, context, current, marker(current), error):
                return
            state = None
        else:
            await purge_replaced(stream, context, committed)
            return


def delete_marker(state: NameState) -> ObjectInfo:
    """Return the metadata that marks an object as deleted (ADR-20)."""
    assert state.info is not None, "only an object can be deleted"
    extra = {key: value for key, value in state.info.extra.items() if key != TWIN}
    headers = user_headers(state.info.headers)
    return replace(
        state.info, deleted=True, size=0, chunks=0, digest="", headers=headers, extra=extra
    )


async def _delete_from_full_bucket(
    stream: Stream,
    context: ErrorContext,
    state: NameState,
    marker: ObjectInfo,
    refused: BucketFullError,
) -> bool:
    """Purge the metadata at `state`, then the chunks, then publish the marker if it fits.

    Return False if another client changed the name since it was at `state`.

    Raises: `refused` (the metadata cannot be purged).
    """
    subject = meta_subject(stream.bucket, context.name or "")
    try:
        purged = await stream.purge(context, subject, below=state.revision + 1)
    except (PermissionDeniedError, ServerError):
        raise refused from None
    current = await read_state(stream, context)
    # Without a rollup, a later message leaves earlier ones, and may refer to the same chunks.
    shares_chunks = (
        current.live is not None and state.info is not None and current.live.nuid == state.info.nuid
    )
    if not purged or shares_chunks:
        return False
    await purge_replaced(stream, context, Committed(marker, state))
    if current.revision:
        return True  # another client has put an object under the name
    try:
        await commit(stream, context, lambda _: marker, state=current, expected_revision=0)
    except JetstowError as error:
        _log.warning("%s was deleted without a delete marker: %s", context, error)
    return True
