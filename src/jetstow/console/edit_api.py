"""Change what describes an object: its bytes, its name and its locks stay."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jetstow.console.access import open_call
from jetstow.console.errors import ConsoleError
from jetstow.console.json_body import read_json
from jetstow.console.object_api import describe, is_locked
from jetstow.console.queries import json_response, parse_name
from jetstow.console.reading import readable_info
from jetstow.errors import ObjectDeletedError, RevisionMismatchError
from jetstow.models import ObjectHeaders, ObjectInfo, ObjectMeta
from jetstow.s3.call import Call
from jetstow.s3.errors import S3Error
from jetstow.s3.events.record import event_note
from jetstow.s3.events.rules import COPY, TAGGING_PUT
from jetstow.s3.objects import modified_entry, tag_entries
from jetstow.s3.reserved import EVENT, MODIFIED, RESERVED, TAGS
from jetstow.s3.tags import MAX_OBJECT_TAGS, check_tags

_MAX_SIZE: Final = 256 * 1024

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_TAG_RULE: Final = (
    "Names and values have letters, digits, spaces and _ . : / = + - @ only; "
    "a name has up to 128 characters, a value up to 256."
)
# Fields of their own.
_OTHER_FIELDS: Final = frozenset({"content-type", "tags"})


class _Edit(msgspec.Struct, forbid_unknown_fields=True):
    """The fields to replace. `revision` is that of the object that the user has seen."""

    revision: int
    description: str | UnsetType | None = UNSET
    content_type: str | UnsetType | None = UNSET
    tags: list[str] | UnsetType = UNSET
    headers: dict[str, list[str]] | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET
    s3_tags: dict[str, str] | UnsetType = UNSET

    @property
    def is_of_tags(self) -> bool:
        """Whether it replaces nothing but the tags of S3."""
        others = (self.description, self.content_type, self.tags, self.headers, self.metadata)
        return self.s3_tags is not UNSET and all(each is UNSET for each in others)


async def edit(request: Request) -> Response:
    """Replace fields of an object's metadata if it is at the expected revision."""
    name, bucket = parse_name(request), request.path_params["bucket"]
    given = await read_json(request, _Edit, max_size=_MAX_SIZE)
    call = await open_call(request, bucket, "GetObject", key=name)
    info = await readable_info(call)
    # S3 changes metadata by a copy onto itself.
    call = await open_call(request, bucket, "CopyObject", key=name)
    if given.s3_tags is not UNSET:
        call.check("PutObjectTagging", name, None)
    if is_locked(info):
        raise S3Error("AccessDenied", "The version is locked: its metadata cannot be changed.")
    if info.link is not None:
        raise S3Error("InvalidRequest", "The object is a link: it has no metadata of its own.")
    if info.revision != given.revision:
        raise ConsoleError("Conflict")
    changed = await _update(call, info, _new_meta(info, given))
    return json_response(await describe(request, call, changed))


async def _update(call: Call, info: ObjectInfo, meta: ObjectMeta) -> ObjectInfo:
    try:
        return await call.bucket.store.update_meta(call.key, meta, expected_revision=info.revision)
    except (RevisionMismatchError, ObjectDeletedError):
        raise ConsoleError("Conflict") from None


def _new_meta(info: ObjectInfo, given: _Edit) -> ObjectMeta:
    """Return the metadata of an object with the fields of an edit.

    The entries of the gateway stay: owner, ACL, sums.

    Raises: `S3Error` (InvalidArgument, InvalidTag).
    """
    meta, entries = info.meta, dict(info.metadata or {})
    if not isinstance(given.metadata, UnsetType):
        if reserved := [name for name in given.metadata if name.startswith(RESERVED)]:
            raise _invalid("metadata", reserved[0])
        kept = {name: value for name, value in entries.items() if name.startswith(RESERVED)}
        entries = given.metadata | kept
    if not isinstance(given.s3_tags, UnsetType):
        entries.pop(TAGS, None)
        entries |= _tag_entries(given.s3_tags)
    if given.is_of_tags:
        entries |= modified_entry(info)
    else:
        entries.pop(MODIFIED, None)  # as after a copy onto itself, LastModified is now
    entries[EVENT] = event_note(TAGGING_PUT if given.is_of_tags else COPY, info.revision)
    meta = replace(meta, metadata=entries)
    if not isinstance(given.description, UnsetType):
        meta.description = given.description or None
    if not isinstance(given.content_type, UnsetType):
        _check_value("content_type", given.content_type or "")
        meta.content_type = given.content_type or None
    if not isinstance(given.tags, UnsetType):
        for tag in given.tags:
            _check_value("tags", tag)
        meta.tags = [tag for tag in given.tags if tag] or None
    if not isinstance(given.headers, UnsetType):
        meta.headers = _headers(given.headers) or None
    return meta


def _tag_entries(given: dict[str, str]) -> dict[str, str]:
    try:
        return tag_entries(check_tags(given.items(), MAX_OBJECT_TAGS))
    except S3Error as error:
        name = error.fields.get("TagKey")
        where = "S3 tags" if name is None else f"S3 tags, {str(name)[:100]!r}"
        raise S3Error(error.code, f"{where}: {error.message.rstrip('.')}. {_TAG_RULE}") from None


def _headers(given: dict[str, list[str]]) -> ObjectHeaders:
    for name, values in given.items():
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _OTHER_FIELDS:
            raise _invalid("headers", name)
        for value in values:
            _check_value("headers", value)
    return ObjectHeaders((name, values) for name, values in given.items() if values)


def _check_value(field: str, value: str) -> None:
    """Check that a response to a GET can have a value in a header."""
    if _CONTROL.search(value):
        raise _invalid(field, value)


def _invalid(field: str, value: str) -> S3Error:
    message = f"The field {field} has a value that is not valid: {value[:100]!r}."
    return S3Error("InvalidArgument", message)


ROUTES: Final = [Route("/buckets/{bucket}/object", edit, methods=["PATCH"])]
