"""RenameObject: give an object another key. Its bytes stay in place."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from urllib.parse import unquote_to_bytes

from jetstow import ObjectStore
from jetstow.errors import ObjectAlreadyExists, RevisionMismatchError
from jetstow.models import ObjectInfo
from jetstow.s3.acl import Permission
from jetstow.s3.call import Call
from jetstow.s3.conditions import check_source, expecting, find_info, put_conditions
from jetstow.s3.errors import S3Error
from jetstow.s3.request import check_key
from jetstow.s3.result import Result

_SOURCE: Final = "x-amz-rename-source"


async def rename_object(call: Call) -> Result:
    """Rename an object of the bucket. An object that has the new key is replaced."""
    source = _parse_source(call)
    if source == call.key:
        raise S3Error("InvalidRequest", "The source and the destination are the same object.")
    call.check("PutObject", call.key)
    call.check("DeleteObject", source)
    store = call.bucket.store
    conditions = put_conditions(call.request.headers)
    while True:
        info = await find_info(store, source)
        if info is None:
            call.check_missing_object(call.bucket)
            raise S3Error("NoSuchKey")
        # Under its new key, the caller may be allowed to read it.
        call.check_object(call.bucket, info, Permission.READ, key=source, operation="GetObject")
        check_source(call.request.headers, f"{_SOURCE}-", info)
        try:
            async with expecting(store, call.key, conditions) as revision:
                await _rename(store, info, call.key, revision)
        except _SourceChangedError:
            continue
        return Result()


class _SourceChangedError(Exception):
    """The source was replaced or deleted since its conditions were checked."""


async def _rename(store: ObjectStore, info: ObjectInfo, key: str, revision: int | None) -> None:
    """Rename the object of a revision to a key that is at the expected revision."""
    replaced = await find_info(store, key)
    if replaced is None and revision in (None, 0):
        try:
            meta = replace(info.meta, name=key)
            await store.update_meta(info.name, meta, expected_revision=info.revision)
        except RevisionMismatchError:
            raise _SourceChangedError from None
        except ObjectAlreadyExists:
            if revision == 0:
                raise
            raise _SourceChangedError from None  # since a moment ago: begin again
        return
    # NATS renames to a free name only. A copy replaces the object, so that one is always there.
    await store.copy(info.name, key, expected_revision=revision)
    await store.delete(info.name, expected_revision=info.revision)


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
