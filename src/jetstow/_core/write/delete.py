"""Delete an object: publish a delete marker, purge the chunks."""

from __future__ import annotations

from dataclasses import replace

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.headers import user_headers
from jetstow._core.protocol.nuid import new_nuid
from jetstow._core.read.name_state import NameState, require_live
from jetstow._core.write.commit import commit
from jetstow._core.write.purge import purge_replaced
from jetstow._core.write.shared_chunks import TWIN
from jetstow.models import ObjectInfo


async def delete(
    stream: Stream, context: ErrorContext, expected_revision: int | None = None
) -> None:
    """Publish a delete marker for the name in `context`, and purge its chunks.

    Raises: `ObjectNotFoundError`, `RevisionMismatchError`.
    """

    def marker(state: NameState) -> ObjectInfo:
        if state.revision and state.info is None:
            # An object whose metadata cannot be decoded can still be deleted.
            info = ObjectInfo(name=context.name or "", bucket=stream.bucket, nuid=new_nuid())
            return delete_marker(NameState(info=info))
        require_live(context, state)
        return delete_marker(state)

    committed = await commit(stream, context, marker, expected_revision=expected_revision)
    await purge_replaced(stream, context, committed)


def delete_marker(state: NameState) -> ObjectInfo:
    """Return the metadata that marks an object as deleted (ADR-20)."""
    assert state.info is not None, "only an object can be deleted"
    extra = {key: value for key, value in state.info.extra.items() if key != TWIN}
    headers = user_headers(state.info.headers)
    return replace(
        state.info, deleted=True, size=0, chunks=0, digest="", headers=headers, extra=extra
    )
