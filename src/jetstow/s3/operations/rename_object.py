"""RenameObject: give an object another key. Its bytes stay in place."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Final
from urllib.parse import unquote_to_bytes

from jetstow import ObjectStore, Retention
from jetstow.errors import (
    ObjectAlreadyExists,
    ObjectChangedError,
    ObjectNotFoundError,
    RevisionMismatchError,
)
from jetstow.models import ObjectInfo
from jetstow.s3.acl import Permission
from jetstow.s3.call import Call
from jetstow.s3.changes import ATTEMPTS
from jetstow.s3.conditions import check_source, expected_revision, find_info, rename_conditions
from jetstow.s3.errors import S3Error
from jetstow.s3.events.rules import COPY
from jetstow.s3.object_lock import new_lock
from jetstow.s3.request import check_key
from jetstow.s3.reserved import EVENT
from jetstow.s3.result import Result
from jetstow.s3.writes import store_pieces

_SOURCE: Final = "x-amz-rename-source"
_MIN_TTL: Final = datetime.timedelta(seconds=1)
_LINK: Final = "The object is a link: rename it to a key that is free and needs no object lock."


async def rename_object(call: Call) -> Result:
    """Rename an object of the bucket. An object that has the new key is replaced."""
    source = _parse_source(call)
    if source == call.key:
        raise S3Error("InvalidRequest", "The source and the destination are the same object.")
    call.check("PutObject", call.key)
    call.check("DeleteObject", source)
    store = call.bucket.store
    conditions = rename_conditions(call.request.headers)
    for _ in range(ATTEMPTS):
        info = await find_info(store, source)
        if info is None:
            call.check_missing_object(call.bucket)
            raise S3Error("NoSuchKey")
        # Under its new key, the caller may be allowed to read it.
        call.check_object(call.bucket, info, Permission.READ, key=source, operation="GetObject")
        check_source(call.request.headers, f"{_SOURCE}-", info)
        try:
            async with expected_revision(store, call.key, conditions) as revision:
                is_copied = await _rename(call, info, revision)
        except _SourceChangedError:
            continue
        if is_copied:
            await _delete_source(store, info)
        return Result()
    raise S3Error("OperationAborted")


class _SourceChangedError(Exception):
    """The source was replaced or deleted since its conditions were checked."""


async def _rename(call: Call, info: ObjectInfo, revision: int | None) -> bool:
    """Rename the object of a revision to a key that is at the expected revision.

    Return whether it is a copy, and the source is to be deleted.
    """
    store = call.bucket.store
    lock = new_lock(call.bucket, call.request.headers, call.now)
    replaced = await find_info(store, call.key)
    if replaced is not None or revision not in (None, 0) or any(lock):
        # NATS renames to a free name only, and a rename adds no lock. A copy replaces the object,
        # so that one is always there.
        await _copy(call, info, lock, revision)
        return True
    try:
        meta = replace(info.meta, name=call.key)
        await store.update_meta(info.name, meta, expected_revision=info.revision)
    except RevisionMismatchError:
        raise _SourceChangedError from None
    except ObjectAlreadyExists:
        if revision == 0:
            raise
        raise _SourceChangedError from None  # since a moment ago: begin again
    return False


async def _copy(
    call: Call, info: ObjectInfo, lock: tuple[Retention | None, bool], revision: int | None
) -> None:
    """Copy the object of a revision, with all metadata and its expiry."""
    if info.is_link():
        raise S3Error("InvalidRequest", _LINK)
    metadata = (info.metadata or {}) | {EVENT: COPY}
    retention, legal_hold = lock
    meta = replace(
        info.meta, name=call.key, metadata=metadata, retention=retention, legal_hold=legal_hold
    )
    # At least a moment: it may expire at any time.
    ttl = None if info.expires is None else max(info.expires - call.now, _MIN_TTL)
    try:
        async with await call.open_object(call.bucket, info.name) as reader:
            read = (reader.info.bucket, reader.info.name, reader.info.revision)
            if read != (info.bucket, info.name, info.revision):
                raise _SourceChangedError
            await store_pieces(
                call.bucket, call.key, reader.stream(), meta, lambda _: meta, revision, ttl=ttl
            )
    except (ObjectChangedError, ObjectNotFoundError):
        raise _SourceChangedError from None


async def _delete_source(store: ObjectStore, copied: ObjectInfo) -> None:
    """Delete the object that was copied, unless it was replaced or deleted since."""
    info: ObjectInfo | None = copied
    while info is not None and info.nuid == copied.nuid:
        try:
            await store.delete(info.name, expected_revision=info.revision)
        except (RevisionMismatchError, ObjectNotFoundError):
            info = await find_info(store, info.name)
        else:
            return


def _parse_source(call: Call) -> str:
    """Return the key of the source: the header has it alone, or after `/BUCKET/`."""
    value = call.request.header(_SOURCE) or ""
    try:
        path = unquote_to_bytes(value.encode("latin-1")).decode()
    except UnicodeError:
        path = ""
    prefix = f"/{call.bucket.name}/"
    key = path.removeprefix(prefix) if path.startswith(prefix) else path.removeprefix("/")
    if not key:
        raise S3Error("InvalidArgument", ArgumentName=_SOURCE, ArgumentValue=value)
    check_key(key)
    return key
