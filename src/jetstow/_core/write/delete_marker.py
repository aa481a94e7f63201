"""Delete markers (ADR-20): metadata that marks a name as deleted."""

from __future__ import annotations

from dataclasses import replace

from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.headers import user_headers
from jetstow._core.protocol.nuid import new_nuid
from jetstow._core.read.name_state import NameState
from jetstow._core.write.shared_chunks import without_twin
from jetstow.models import ObjectInfo


def delete_marker(context: ErrorContext, state: NameState) -> ObjectInfo:
    """Return the delete marker for the name in `context`, which is at `state`.

    A name whose metadata cannot be decoded, or that was never used, has one, too.
    """
    if state.info is None:
        return ObjectInfo(
            name=context.name or "", bucket=context.bucket or "", nuid=new_nuid(), deleted=True
        )
    info = without_twin(state.info)
    headers = user_headers(info.headers)
    return replace(info, deleted=True, size=0, chunks=0, digest="", headers=headers)


def renamed_marker(context: ErrorContext, state: NameState) -> ObjectInfo:
    """Return the delete marker for the old name of a rename.

    It has a NUID of its own: nats.go purges the chunks that a marker names when its name is deleted
    again, and these would be the chunks of the new name.
    """
    return replace(delete_marker(context, state), nuid=new_nuid())


def bare_marker(marker: ObjectInfo, nuid: str) -> ObjectInfo:
    """Return a delete marker that is a version: the one that it replaces has the description."""
    return ObjectInfo(name=marker.name, bucket=marker.bucket, nuid=nuid, deleted=True)
