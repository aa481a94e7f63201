"""Two names with the same chunks, while a rename is in progress or after it was interrupted.

Each of the two refers to the other (`jetstow_twin` in the metadata), so that deleting or replacing
one leaves the chunks to the other (docs/decisions/0015).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.subjects import check_object_name
from jetstow._core.read.name_state import read_state
from jetstow.errors import InvalidObjectNameError
from jetstow.models import ObjectInfo

# The metadata field with the other name that has, or once had, the same chunks.
TWIN: Final = "jetstow_twin"


def with_twin(info: ObjectInfo, name: str) -> ObjectInfo:
    """Return the metadata with a reference to another name."""
    return replace(info, extra=info.extra | {TWIN: name})


async def live_twins(stream: Stream, info: ObjectInfo) -> list[ObjectInfo]:
    """Return the other name's metadata if it still has the same chunks; else an empty list."""
    twin = info.extra.get(TWIN)
    if not isinstance(twin, str) or twin == info.name:
        return []
    try:
        check_object_name(stream.bucket, twin)
    except InvalidObjectNameError:
        return []
    live = (await read_state(stream, stream.error_context(twin))).live
    return [live] if live is not None and live.nuid == info.nuid else []
