"""Replace what a user stated about an object: description, headers, metadata, and the name."""

from __future__ import annotations

from dataclasses import replace

from nats.js import api

from jetstow._core.bucket.stream import Stream
from jetstow._core.bucket.write_check import check_writable
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.headers import joined_headers, reserved_headers
from jetstow._core.protocol.metadata import check_meta
from jetstow._core.protocol.subjects import check_object_name
from jetstow._core.protocol.versions import current_info, hidden_name, kept_info
from jetstow._core.read.name_state import NameState, read_state, require_live
from jetstow._core.write.commit import commit
from jetstow._core.write.compare_and_set import Propose
from jetstow._core.write.history import change_kept
from jetstow._core.write.rename import rename, with_name
from jetstow._core.write.revision_check import check_revision
from jetstow.errors import InvalidOptionError, ObjectDeletedError, RevisionMismatchError
from jetstow.models import ObjectInfo, ObjectMeta


async def update_meta(
    stream: Stream,
    context: ErrorContext,
    meta: api.ObjectMeta,
    expected_revision: int | None = None,
) -> ObjectInfo:
    """Replace an object's metadata; rename the object if `meta` has a different name.

    If the context has a version, the metadata of that version is replaced.

    Raises: `InvalidOptionError`, `ObjectDeletedError`, `ObjectAlreadyExists`,
    `RevisionMismatchError` (the object is not at `expected_revision`).
    """
    if not isinstance(meta, api.ObjectMeta):
        raise context.error(
            InvalidOptionError,
            f"the metadata of {context} is replaced by an ObjectMeta, not by a "
            f"{type(meta).__name__}: to change a part of it, change info.meta; to replace all, "
            "pass ObjectMeta(metadata={...}, ...)",
        )
    name = context.name or ""
    new_name = name if meta.name is None else check_object_name(stream.bucket, meta.name)
    if context.version is not None and new_name != name:
        raise context.error(InvalidOptionError, f"{context} cannot be renamed: only the current is")
    checked = check_meta(stream.bucket, new_name, meta, allow_reserved_headers=stream.is_as_stored)

    def updated(state: NameState) -> ObjectInfo:
        # nats-py raises ObjectDeletedError for a name that never existed, too.
        info = require_live(context, state, missing=ObjectDeletedError)
        # nats-py's own ObjectMeta has no metadata: it leaves ours unchanged.
        metadata = checked.metadata if isinstance(meta, ObjectMeta) else info.metadata
        kept = None if stream.is_as_stored else reserved_headers(info.headers)
        return replace(
            info,
            name=new_name,
            description=checked.description,
            headers=joined_headers(checked.headers, kept),
            metadata=metadata,
        )

    if context.version is not None:
        return await change_version(stream, context, updated, expected_revision)
    if new_name == name and stream.key is None:
        committed = await commit(
            stream, context, updated, expected_revision=expected_revision, dated=True
        )
        return committed.info
    if new_name != name:
        return await rename(
            stream,
            context,
            new_name,
            updated,
            missing=ObjectDeletedError,
            expected_revision=expected_revision,
        )
    while True:
        state = await read_state(stream, context)
        check_revision(context, state, expected_revision)
        info = require_live(context, state, missing=ObjectDeletedError)
        # With a key, this also restores a header that another client dropped.
        named = await with_name(stream, context, info, new_name)
        proposed = updated(state.with_info(named))
        if (result := await _try_update(stream, context, state, proposed)) is not None:
            return result


async def _try_update(
    stream: Stream, context: ErrorContext, state: NameState, info: ObjectInfo
) -> ObjectInfo | None:
    """Publish metadata unless the name was changed since it was at `state`; then return None."""
    try:
        committed = await commit(
            stream,
            context,
            lambda _: info,
            state=state,
            expected_revision=state.revision,
            dated=True,
        )
    except RevisionMismatchError:
        return None
    return committed.info


async def change_version(
    stream: Stream, context: ErrorContext, updated: Propose, expected_revision: int | None = None
) -> ObjectInfo:
    """Publish what `updated` returns for a version, which may be the current one or a kept one."""
    await check_writable(stream, context)
    name, version = context.name or "", context.version or ""
    while True:
        state = await read_state(stream, context)
        check_revision(context, state, expected_revision)
        proposed = updated(state)
        current = await read_state(stream, stream.error_context(name))
        if current.info is not None and current.info.version == version:
            if done := await _try_update(stream, stream.error_context(name), current, proposed):
                return done
            continue
        kept = await read_state(stream, stream.error_context(hidden_name(name, version)))
        if kept.info is None or current_info(name, version, kept.info) != state.info:
            continue
        if await change_kept(stream, kept, kept_info(proposed)):
            return proposed
