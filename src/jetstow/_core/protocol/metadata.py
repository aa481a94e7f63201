"""The JSON codec of metadata messages: JSON to `ObjectInfo` and back (ADR-20).

Fields that ADR-20 does not define are kept and written again. Other clients and later versions of
jetstow may need them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import msgspec
from nats.js import api

from jetstow._core.protocol import json_fields
from jetstow._core.protocol.common_metadata import (
    MAX_METADATA_SIZE,
    NUID,
    bad_meta_error,
    decode_common,
    info_of_common,
)
from jetstow._core.protocol.headers import joined_headers, merge_headers
from jetstow._headers import ObjectHeaders, is_reserved_header
from jetstow._object_lock import Retention, lock_headers
from jetstow.errors import (
    InvalidOptionError,
)
from jetstow.models import ObjectInfo, ObjectMeta

# nats-py writes `mtime`, although ADR-20 takes it from the timestamp of the message.
_STORE_FIELDS: Final = ("bucket", "nuid", "size", "chunks", "digest", "deleted", "mtime")
_FIELDS: Final = frozenset(
    {"name", "description", "headers", "metadata", "options", *_STORE_FIELDS}
)
_OPTIONS: Final = frozenset({"link", "max_chunk_size"})

# ADR-20, in bytes.
DEFAULT_CHUNK_SIZE: Final = 128 * 1024

# The part of it that a user's description, headers and metadata leave to name, options and counts.
_RESERVED_SIZE: Final = 16 * 1024

# The largest delete marker. A larger one is cut to the fields it needs: a delete must succeed.
_MAX_MARKER_SIZE: Final = 64 * 1024

# Decoders accept deeper JSON than encoders can write again.
_MAX_DEPTH: Final = 64

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode

json_encode = _encode


def decode_info(
    bucket: str, name: str, body: bytes, *, revision: int, mtime: str | None
) -> ObjectInfo:
    """Decode a metadata message.

    `bucket` and `name` come from its subject and override those in the body.

    Raises: `BadObjectMetaError` (the body is not valid metadata).
    """
    if len(body) > MAX_METADATA_SIZE:
        raise bad_meta_error(bucket, name, f"it has {len(body)} bytes, {MAX_METADATA_SIZE} at most")
    try:
        common = decode_common(body)
    except (ValueError, RecursionError):
        return _decode_any(bucket, name, body, revision, mtime)
    return info_of_common(bucket, name, common, revision, mtime)


def _decode_any(
    bucket: str, name: str, body: bytes, revision: int, mtime: str | None
) -> ObjectInfo:
    """Decode any metadata field by field: links, unknown fields, and invalid fields."""
    try:
        fields = _decode(body)
    except (ValueError, RecursionError) as error:  # msgspec's own errors, and bad UTF-8
        raise bad_meta_error(bucket, name, f"it is not a JSON object ({error})") from None
    try:
        info = ObjectInfo(
            name=name,
            bucket=bucket,
            nuid=json_fields.text(fields, "nuid") or "",
            size=json_fields.count(fields, "size"),
            mtime=mtime,
            chunks=json_fields.count(fields, "chunks"),
            digest=json_fields.text(fields, "digest") or "",
            deleted=json_fields.flag(fields, "deleted"),
            description=json_fields.text(fields, "description"),
            headers=json_fields.headers(fields.get("headers")),
            options=json_fields.options(fields.get("options")),
            metadata=json_fields.string_map(fields.get("metadata"), "metadata"),
            revision=revision,
            extra=_extra_fields(fields),
        )
    except json_fields.MalformedError as error:
        raise bad_meta_error(bucket, name, str(error)) from None
    # A link has no chunks and needs no NUID. If it has one, the NUID must be valid.
    needs_nuid = info.nuid or info.chunks or not info.is_link()
    if needs_nuid and not NUID.fullmatch(info.nuid):
        raise bad_meta_error(bucket, name, f"its nuid {info.nuid!r} is not valid")
    return info


def encode_info(info: ObjectInfo) -> bytes:
    """Encode a metadata message: the fields of ADR-20 in its order, then the unknown fields.

    Raises: `InvalidOptionError` (the message is too large to be read again).
    """
    body: dict[str, Any] = {"name": info.name}
    if info.description:
        body["description"] = info.description
    if info.headers:
        # Go's clients cannot read bare strings.
        body["headers"] = ObjectHeaders(info.headers).to_lists()
    if info.metadata:
        body["metadata"] = info.metadata
    if (info.options is not None or info.extra) and (options := _options_body(info)):
        body["options"] = options
    body |= {"bucket": info.bucket, "nuid": info.nuid, "size": info.size, "chunks": info.chunks}
    if info.digest:
        body["digest"] = info.digest
    if info.deleted:
        body["deleted"] = True
    if info.extra:
        body |= {key: value for key, value in info.extra.items() if key not in _FIELDS}
    data = _encode(body)
    if info.deleted and len(data) > _MAX_MARKER_SIZE:
        needed = ("name", "bucket", "nuid", "size", "chunks", "deleted")
        return _encode({key: body[key] for key in needed})
    if len(data) > MAX_METADATA_SIZE:
        raise _too_large_error(info.bucket, info.name, len(data), MAX_METADATA_SIZE)
    return data


def check_meta(
    bucket: str, name: str, meta: api.ObjectMeta | None, *, allow_reserved_headers: bool = False
) -> ObjectMeta:
    """Return a validated copy of a user's metadata, with `content_type` and `tags` as headers.

    `meta` may be nats-py's `ObjectMeta`.

    Raises: `InvalidOptionError` (a field has the wrong type, is too large, or is a header that
    users cannot set).
    """
    if meta is None:
        return ObjectMeta(name=name)
    if not isinstance(meta, api.ObjectMeta):
        raise InvalidOptionError(
            f"meta of object {name!r} in bucket {bucket!r} must be an ObjectMeta, not "
            f"{type(meta).__name__}; the keyword arguments metadata and headers take a dict",
            bucket=bucket,
            name=name,
        )
    try:
        checked = _check_fields(name, meta, allow_reserved_headers=allow_reserved_headers)
    except json_fields.MalformedError as error:
        raise InvalidOptionError(
            f"metadata of object {name!r} in bucket {bucket!r} cannot be stored: {error}",
            bucket=bucket,
            name=name,
        ) from None
    size = len(_encode([checked.description, checked.headers, checked.metadata]))
    if size > MAX_METADATA_SIZE - _RESERVED_SIZE:
        raise _too_large_error(bucket, name, size, MAX_METADATA_SIZE - _RESERVED_SIZE)
    return checked


def _check_fields(name: str, meta: api.ObjectMeta, *, allow_reserved_headers: bool) -> ObjectMeta:
    fields = {"description": meta.description, "content type": getattr(meta, "content_type", None)}
    tags = getattr(meta, "tags", None)
    options: object = meta.options
    if not isinstance(options, api.ObjectMetaOptions | None):
        raise json_fields.MalformedError("its options are not an ObjectMetaOptions")
    if not isinstance(tags, list | tuple | None) or not all(map(json_fields.is_text, tags or ())):
        raise json_fields.MalformedError("its tags are not a list of strings")
    headers = json_fields.headers(meta.headers)
    if not allow_reserved_headers:
        for header in filter(is_reserved_header, headers or {}):
            raise json_fields.MalformedError(f"the header {header!r} is reserved for the store")
    headers = merge_headers(headers, json_fields.text(fields, "content type"), tags)
    return ObjectMeta(
        name=name,
        description=json_fields.text(fields, "description"),
        headers=joined_headers(headers, _lock_of(meta)),
        options=replace(options) if options is not None else None,
        metadata=json_fields.string_map(getattr(meta, "metadata", None), "metadata"),
    )


def _lock_of(meta: api.ObjectMeta) -> ObjectHeaders:
    retention, legal_hold = getattr(meta, "retention", None), getattr(meta, "legal_hold", None)
    if not isinstance(retention, Retention | None) or not isinstance(legal_hold, bool | None):
        raise json_fields.MalformedError("its retention is not a Retention, or legal_hold no bool")
    if retention is not None and (problem := retention.problem()) is not None:
        raise json_fields.MalformedError(problem)
    return lock_headers(retention, legal_hold=bool(legal_hold))


def _too_large_error(bucket: str, name: str, size: int, limit: int) -> InvalidOptionError:
    return InvalidOptionError(
        f"metadata of object {name!r} in bucket {bucket!r} has {size} bytes: {limit} at most",
        bucket=bucket,
        name=name,
    )


def _extra_fields(fields: dict[str, Any]) -> dict[str, Any]:
    extra = {key: value for key, value in fields.items() if key not in _FIELDS}
    options = fields.get("options")
    if isinstance(options, dict) and not options.keys() <= _OPTIONS:
        extra["options"] = {key: value for key, value in options.items() if key not in _OPTIONS}
    _check_depth(extra)
    return extra


def _check_depth(extra: dict[str, Any]) -> None:
    level: list[Any] = [extra]
    for _ in range(_MAX_DEPTH):
        level = [
            child
            for value in level
            if isinstance(value, dict | list)
            for child in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return
    raise json_fields.MalformedError(f"it is nested deeper than {_MAX_DEPTH} levels")


def _options_body(info: ObjectInfo) -> dict[str, Any]:
    options: dict[str, Any] = dict(info.extra.get("options", {}))
    if (link := info.link) is not None:
        options["link"] = {"bucket": link.bucket} | ({"name": link.name} if link.name else {})
    if info.options is not None and info.options.max_chunk_size:
        options["max_chunk_size"] = info.options.max_chunk_size
    return options


__all__ = ["MAX_METADATA_SIZE", "check_meta", "decode_info", "encode_info", "json_encode"]
