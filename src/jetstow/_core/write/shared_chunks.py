"""Two names with the same chunks, while a rename is in progress or after it was interrupted.

Each of the two refers to the other (`jetstow_twin` in the metadata), so that deleting or replacing
one leaves the chunks to the other (docs/decisions/0015). In a versioned bucket, the other name may
have them as those of a kept version. The old name also has the revision of the new name that the
rename is about to replace: the claim of the rename (docs/decisions/0006).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

import msgspec

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.metadata import decode_info
from jetstow._core.protocol.subjects import all_meta_subject, check_object_name, object_name
from jetstow._core.protocol.versions import NULL_VERSION
from jetstow._core.read.name_state import NameState, read_state
from jetstow.errors import BadObjectMetaError, InvalidObjectNameError
from jetstow.models import ObjectInfo

# The metadata field with the other name that has, or once had, the same chunks.
TWIN: Final = "jetstow_twin"
# In the old name's metadata: the revision of the new name that the rename replaces.
_TWIN_REVISION: Final = "jetstow_twin_revision"


class Claim(NamedTuple):
    """The new name of a rename, and the revision at which the rename may publish it."""

    name: str
    revision: int


def with_claim(info: ObjectInfo, claim: Claim) -> ObjectInfo:
    """Return the metadata of an old name with the claim of a rename."""
    return replace(info, extra=info.extra | {TWIN: claim.name, _TWIN_REVISION: claim.revision})


def with_twin(info: ObjectInfo, name: str) -> ObjectInfo:
    """Return the metadata of a new name with a reference to the old one."""
    return replace(info, extra=without_twin(info).extra | {TWIN: name})


def without_twin(info: ObjectInfo) -> ObjectInfo:
    """Return the metadata without a reference to another name."""
    extra = {key: value for key, value in info.extra.items() if key not in (TWIN, _TWIN_REVISION)}
    return replace(info, extra=extra)


def claim_of(info: ObjectInfo) -> Claim | None:
    """Return the claim of a rename that was begun, or None."""
    name, revision = twin_of(info), info.extra.get(_TWIN_REVISION)
    is_claim = name is not None and type(revision) is int and revision >= 0
    return Claim(name, revision) if is_claim else None  # type: ignore[arg-type]


def twin_of(info: ObjectInfo) -> str | None:
    """Return the other name that has, or once had, the same chunks."""
    twin = info.extra.get(TWIN)
    if not isinstance(twin, str) or twin == info.name:
        return None
    try:
        return check_object_name(info.bucket, twin)
    except InvalidObjectNameError:
        return None


async def live_twin(stream: Stream, info: ObjectInfo) -> NameState | None:
    """Return the state of the other name if it still has the same chunks, else None."""
    if (twin := twin_of(info)) is None:
        return None
    state = await read_state(stream, stream.error_context(twin))
    return state if has_nuid(state, info.nuid) else None


async def kept_twin(stream: Stream, name: str, nuid: str) -> NameState | None:
    """Return the state of the version of a name that has these chunks, current or not, else None.

    Its revision is the one that it had, or has, when it is current.
    """
    if stream.versioning is None:
        return None
    for version in (nuid, NULL_VERSION):
        context = msgspec.structs.replace(stream.error_context(name), version=version)
        state = await read_state(stream, context)
        if has_nuid(state, nuid):
            return state
    return None


async def has_twin(stream: Stream, info: ObjectInfo) -> bool:
    """Return whether the other name, or one of its versions, still has the same chunks."""
    if await live_twin(stream, info) is not None:
        return True
    twin = twin_of(info)
    return twin is not None and await kept_twin(stream, twin, info.nuid) is not None


def has_nuid(state: NameState, nuid: str) -> bool:
    """Return whether a name has a live object with these chunks."""
    return state.live is not None and state.live.nuid == nuid


async def is_shared(stream: Stream, state: NameState, info: ObjectInfo) -> bool:
    """Return whether another name has the chunks that `info` no longer refers to.

    If none has them before the commit, none can get them: a rename begins with a commit, too.
    """
    replaced = state.live
    if replaced is None or not replaced.chunks:
        return False
    if replaced.nuid == info.nuid and not info.deleted:
        return False
    return await has_twin(stream, replaced)


async def is_named(stream: Stream, info: ObjectInfo) -> bool:
    """Return whether another name has the chunks of `info`, whose own name was removed.

    The other name is the twin, or one that the twin was renamed to since. Each rename publishes
    the object under a higher revision before it removes the old name. So the metadata that was
    published after `info`, read from the leader in the order of revisions, has it.
    """
    if await has_twin(stream, info):
        return True
    context, pattern = stream.error_context(info.name), all_meta_subject(stream.subject_bucket)
    seq = info.revision + 1
    while (message := await stream.next_message(context, pattern, seq)) is not None:
        seq = message.seq + 1
        name = object_name(stream.subject_bucket, message.subject)
        try:
            found = decode_info(
                stream.bucket, name or "", message.data, revision=message.seq, mtime=message.time
            )
        except BadObjectMetaError:
            continue
        if not found.deleted and found.nuid == info.nuid:
            return True
    return False
