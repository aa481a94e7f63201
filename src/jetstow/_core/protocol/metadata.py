"""Metadata on the wire: JSON to `ObjectInfo` and back (ADR-20).

Fields that ADR-20 does not name are kept and written again: other clients, and later
versions of this one, may have put them there.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated, Any, Final

import msgspec
from nats.js import api

from jetstow._core.protocol import json_fields
from jetstow._core.protocol.headers import merge_headers
from jetstow.errors import (
    BadObjectMetaError,
    InvalidOptionError,
)
from jetstow.models import ObjectInfo, ObjectMeta, ObjectMetaOptions, is_store_header

# `mtime` is no part of the body: it is the message's time stamp. nats-py writes it all the same.
_STORE_FIELDS: Final = ("bucket", "nuid", "size", "chunks", "digest", "deleted", "mtime")
_FIELDS: Final = frozenset(
    {"name", "description", "headers", "metadata", "options", *_STORE_FIELDS}
)
_OPTIONS: Final = frozenset({"link", "max_chunk_size"})

# ADR-20, in bytes.
DEFAULT_CHUNK_SIZE: Final = 128 * 1024

# The most that one metadata message may have, in bytes. A server as it comes takes no larger
# message at all; on one that does, what is larger is not even parsed: out of a few bytes of
# JSON come up to forty times as many in memory, for every entry of a listing.
MAX_METADATA_SIZE: Final = 1024 * 1024

# What a user says of an object leaves so much of that for name, options and numbers.
_RESERVED_SIZE: Final = 16 * 1024

# A delete marker may have so much. It has to fit, whatever was noted on the object.
_MAX_MARKER_SIZE: Final = 64 * 1024

# Nested deeper, what one part of a program can read another cannot write.
_MAX_DEPTH: Final = 64

# What is wrong is said in so many characters: what others wrote may be long.
_LONGEST_REASON: Final = 200

# A NUID becomes a token of a subject that is purged: no wildcard may hide in it.
_NUID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class _CommonOptions(msgspec.Struct, forbid_unknown_fields=True):
    max_chunk_size: _Count | None = None


class _CommonMetadata(msgspec.Struct, forbid_unknown_fields=True):
    """Metadata as it mostly is: of the right types, nothing unknown, and no link.

    What does not fit is decoded field by field, and that alone says what is wrong with it.
    """

    nuid: str
    name: str | None = None
    bucket: str | None = None
    description: str | None = None
    headers: dict[str, list[str] | str] | None = None
    metadata: dict[str, str] | None = None
    options: _CommonOptions | None = None
    size: _Count | None = None
    chunks: _Count | None = None
    digest: str | None = None
    deleted: bool | None = None
    mtime: str | None = None


_decode_common = msgspec.json.Decoder(_CommonMetadata).decode
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode

json_encode = _encode


def decode_info(
    bucket: str, name: str, body: bytes, *, revision: int, mtime: str | None
) -> ObjectInfo:
    """Read one metadata message.

    The subject decides over the body: the object's name is the one a `get` would find.
    Raises `BadObjectMetaError`.
    """
    if len(body) > MAX_METADATA_SIZE:
        raise _bad(
            bucket, name, f"it has {len(body)} bytes, {MAX_METADATA_SIZE} at most are metadata"
        )
    try:
        usual = _decode_common(body)
    except (ValueError, RecursionError):
        return _decode_any(bucket, name, body, revision, mtime)
    if not _NUID.fullmatch(usual.nuid):
        raise _bad(bucket, name, f"its nuid {usual.nuid!r} is not one")
    headers, options = usual.headers, usual.options
    # By position: with names, it would take half as long again, 100,000 times in a listing.
    return ObjectInfo(
        name,
        bucket,
        usual.nuid,
        usual.size or 0,
        mtime,
        usual.chunks or 0,
        usual.digest or "",
        usual.deleted or False,
        usual.description,
        None if headers is None else json_fields.headers(headers),
        None if options is None else ObjectMetaOptions(None, options.max_chunk_size or None),
        usual.metadata,
        revision,
        {},
    )


def _decode_any(
    bucket: str, name: str, body: bytes, revision: int, mtime: str | None
) -> ObjectInfo:
    """The same for any metadata: links, unknown fields, and the error for what is wrong."""
    try:
        raw = _decode(body)
    except (ValueError, RecursionError) as error:  # msgspec's own errors, and bad UTF-8
        raise _bad(bucket, name, f"it is not a JSON object ({error})") from None
    try:
        info = ObjectInfo(
            name=name,
            bucket=bucket,
            nuid=json_fields.text(raw, "nuid") or "",
            size=json_fields.count(raw, "size"),
            mtime=mtime,
            chunks=json_fields.count(raw, "chunks"),
            digest=json_fields.text(raw, "digest") or "",
            deleted=json_fields.flag(raw, "deleted"),
            description=json_fields.text(raw, "description"),
            headers=json_fields.headers(raw.get("headers")),
            options=json_fields.options(raw.get("options")),
            metadata=json_fields.strings(raw.get("metadata"), "metadata"),
            revision=revision,
            extra=_extra(raw),
        )
    except json_fields.MalformedError as error:
        raise _bad(bucket, name, str(error)) from None
    # A link has no chunks, so it needs no nuid; but a wrong one is wrong there, too.
    needless = not info.nuid and info.is_link() and not info.chunks
    if not needless and not _NUID.fullmatch(info.nuid):
        raise _bad(bucket, name, f"its nuid {info.nuid!r} is not one")
    return info


def encode_info(info: ObjectInfo) -> bytes:
    """Write one metadata message: the fields of ADR-20, in its order, and what else was there.

    Raises `InvalidOptionError` for more than anybody would read again.
    """
    body: dict[str, Any] = {"name": info.name}
    for key in ("description", "headers", "metadata"):
        if value := getattr(info, key):
            body[key] = value
    if options := _options_body(info):
        body["options"] = options
    body |= {"bucket": info.bucket, "nuid": info.nuid, "size": info.size, "chunks": info.chunks}
    if info.digest:
        body["digest"] = info.digest
    if info.deleted:
        body["deleted"] = True
    body |= {key: value for key, value in info.extra.items() if key not in _FIELDS}
    written = _encode(body)
    if info.deleted and len(written) > _MAX_MARKER_SIZE:
        needed = ("name", "bucket", "nuid", "size", "chunks", "deleted")
        return _encode({key: body[key] for key in needed})
    if len(written) > MAX_METADATA_SIZE:
        raise _too_large(info.bucket, info.name, len(written), MAX_METADATA_SIZE)
    return written


def checked_meta(
    bucket: str, name: str, meta: api.ObjectMeta | None, *, ours: bool = False
) -> ObjectMeta:
    """A user's metadata, ours or nats-py's, checked and copied, with all headers in one place.

    Raises `InvalidOptionError`, also for headers of the store's own, unless it may have `ours`.
    """
    if meta is None:
        return ObjectMeta(name=name)
    if not isinstance(meta, api.ObjectMeta):
        raise InvalidOptionError(
            f"meta of object {name!r} in bucket {bucket!r} must be an ObjectMeta, "
            f"not {type(meta).__name__}",
            bucket=bucket,
            name=name,
        )
    raw = {"description": meta.description, "content type": getattr(meta, "content_type", None)}
    tags = getattr(meta, "tags", None)
    options: object = meta.options
    try:
        if not isinstance(options, api.ObjectMetaOptions | None):
            raise json_fields.MalformedError("its options are no ObjectMetaOptions")
        if not isinstance(tags, list | tuple | None) or not all(
            map(json_fields.is_text, tags or ())
        ):
            raise json_fields.MalformedError("its tags are not a list of strings")
        headers = json_fields.headers(meta.headers)
        if not ours and (own := next(filter(is_store_header, headers or {}), None)):
            raise json_fields.MalformedError(f"the header {own!r} is the store's own")
        checked = ObjectMeta(
            name=name,
            description=json_fields.text(raw, "description"),
            headers=merge_headers(headers, json_fields.text(raw, "content type"), tags),
            options=replace(options) if options is not None else None,
            metadata=json_fields.strings(getattr(meta, "metadata", None), "metadata"),
        )
    except json_fields.MalformedError as error:
        raise InvalidOptionError(
            f"metadata of object {name!r} in bucket {bucket!r} cannot be stored: {error}",
            bucket=bucket,
            name=name,
        ) from None
    size = len(_encode([checked.description, checked.headers, checked.metadata]))
    if size > MAX_METADATA_SIZE - _RESERVED_SIZE:
        raise _too_large(bucket, name, size, MAX_METADATA_SIZE - _RESERVED_SIZE)
    return checked


def _too_large(bucket: str, name: str, size: int, most: int) -> InvalidOptionError:
    return InvalidOptionError(
        f"metadata of object {name!r} in bucket {bucket!r} has {size} bytes: {most} at most",
        bucket=bucket,
        name=name,
    )


def _bad(bucket: str, name: str, what: str) -> BadObjectMetaError:
    if len(what) > _LONGEST_REASON:
        what = f"{what[:_LONGEST_REASON]}…"
    return BadObjectMetaError(
        f"metadata of object {name!r} in bucket {bucket!r} cannot be read: {what}",
        bucket=bucket,
        name=name,
    )


def _extra(raw: dict[str, Any]) -> dict[str, Any]:
    extra = {key: value for key, value in raw.items() if key not in _FIELDS}
    options = raw.get("options")
    if isinstance(options, dict) and not options.keys() <= _OPTIONS:
        extra["options"] = {key: value for key, value in options.items() if key not in _OPTIONS}
    _check_depth(extra)
    return extra


def _check_depth(extra: dict[str, Any]) -> None:
    level: list[Any] = [extra]
    for _ in range(_MAX_DEPTH):
        level = [
            below
            for value in level
            if isinstance(value, dict | list)
            for below in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return
    raise json_fields.MalformedError(f"it is nested deeper than {_MAX_DEPTH} times")


def _options_body(info: ObjectInfo) -> dict[str, Any]:
    options: dict[str, Any] = dict(info.extra.get("options", {}))
    if (link := info.link) is not None:
        options["link"] = {"bucket": link.bucket} | ({"name": link.name} if link.name else {})
    if info.options is not None and info.options.max_chunk_size:
        options["max_chunk_size"] = info.options.max_chunk_size
    return options


__all__ = ["MAX_METADATA_SIZE", "checked_meta", "decode_info", "encode_info", "json_encode"]
