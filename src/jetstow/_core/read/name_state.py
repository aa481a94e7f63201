"""The metadata of one name, read from the leader: a client reads its own writes.

It is the current metadata, or that of the version that the context selects.
"""

from __future__ import annotations

from typing import Final

import msgspec

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.metadata import decode_info
from jetstow._core.protocol.subjects import meta_subject
from jetstow._core.protocol.versions import current_info, hidden_name, set_version, shown_info
from jetstow.errors import BadObjectMetaError, ObjectDeletedError, ObjectNotFoundError
from jetstow.models import ObjectInfo


class NameState(msgspec.Struct, frozen=True):
    """The state of a name: never used (revision 0), or metadata, which may be unreadable.

    `info` is the decoded metadata or None, `data` the message.
    """

    revision: int = 0
    info: ObjectInfo | None = None
    data: bytes = b""

    @property
    def live(self) -> ObjectInfo | None:
        """The object's metadata, or None if it is deleted, unreadable or absent."""
        return None if self.info is None or self.info.deleted else self.info

    def with_info(self, info: ObjectInfo) -> NameState:
        """Return the state with other decoded metadata."""
        return NameState(self.revision, info, self.data)

    @property
    def is_free(self) -> bool:
        """Whether the name has no object: it was never used, or its object is deleted."""
        return not self.revision or (self.info is not None and self.info.deleted is True)


_UNUSED: Final = NameState()


async def read_state(stream: Stream, context: ErrorContext) -> NameState:
    """Return the state of the name in `context`, to change it, or that of one version."""
    name = context.name or ""
    if context.version is not None:
        return await _read_version(stream, context, context.version)
    message = await stream.last_message(context, meta_subject(stream.subject_bucket, name))
    if message is None:
        return NameState()
    try:
        info = decode_info(
            stream.bucket, name, message.data, revision=message.seq, mtime=message.time
        )
    except BadObjectMetaError:
        info = None  # unreadable metadata can still be replaced
    if info is not None and (versioning := stream.versioning) is not None:
        set_version(versioning, info)
    return NameState(message.seq, info, message.data)


async def _read_version(stream: Stream, context: ErrorContext, version: str) -> NameState:
    """Return the state of a version: unused if there is none. Its revision is that of its info."""
    name = context.name or ""
    current = await read_state(stream, stream.error_context(name))
    while True:
        if current.info is not None and current.info.version == version:
            return current
        kept = await read_state(stream, stream.error_context(hidden_name(name, version)))
        if kept.live is not None:
            info = current_info(name, version, kept.live)
            return NameState(info.revision, info, kept.data)
        before = current.revision
        current = await read_state(stream, stream.error_context(name))
        if current.revision == before:
            return NameState()  # it was not made current in the meantime


def guess_state(stream: Stream, context: ErrorContext) -> NameState | None:
    """Return the state at which this client last saw the name; unused if it did not.

    None if it has to be read, as its metadata has more than the state returned here.
    """
    name = context.name or ""
    known = stream.names.get(name)
    if known is None:
        return _UNUSED
    if known.has_extra or stream.versioning is not None:
        return None  # a version is kept with all of its metadata
    info = ObjectInfo(
        name, stream.bucket, known.nuid, known.size, chunks=known.chunks, revision=known.revision
    )
    return NameState(known.revision, info)


async def get_info(
    stream: Stream, context: ErrorContext, *, show_deleted: bool = False
) -> ObjectInfo:
    """Return the metadata of the object in `context`.

    Raises: `ObjectNotFoundError`, `ObjectDeletedError` (a subclass), `BadObjectMetaError`.
    """
    name = context.name or ""
    if context.version is not None:
        return await _get_version(stream, context, show_deleted=show_deleted)
    message = await stream.last_message(context, meta_subject(stream.subject_bucket, name))
    if message is None:
        raise context.error(ObjectNotFoundError, f"there is no {context}")
    info = decode_info(stream.bucket, name, message.data, revision=message.seq, mtime=message.time)
    stream.names.remember(info)
    if (versioning := stream.versioning) is not None:
        info = shown_info(versioning, info)
    if info.deleted and not show_deleted:
        raise context.error(ObjectDeletedError, f"{context} was deleted")
    return info


async def _get_version(stream: Stream, context: ErrorContext, *, show_deleted: bool) -> ObjectInfo:
    state = await read_state(stream, context)
    if state.info is None:
        raise context.error(ObjectNotFoundError, f"there is no {context}")
    if state.info.deleted and not show_deleted:
        raise context.error(ObjectDeletedError, f"{context} is a delete marker")
    versioning = stream.versioning
    return state.info if versioning is None else shown_info(versioning, state.info)


def require_live(
    context: ErrorContext,
    state: NameState,
    missing: type[ObjectNotFoundError] = ObjectNotFoundError,
) -> ObjectInfo:
    """Return the metadata of a live object.

    Raises: `ObjectDeletedError`, `BadObjectMetaError`, or `missing` if the name was never used.
    """
    if state.live is not None:
        return state.live
    if state.info is not None:
        raise context.error(ObjectDeletedError, f"{context} was deleted")
    if state.revision:
        raise context.error(BadObjectMetaError, f"the metadata of {context} cannot be read")
    raise context.error(missing, f"there is no {context}")
