"""Validators for the fields of decoded JSON metadata, which any client may have written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

from jetstow._core.protocol import subjects
from jetstow._headers import ObjectHeaders
from jetstow.errors import InvalidBucketNameError, InvalidObjectNameError
from jetstow.models import ObjectLink, ObjectMetaOptions


class MalformedError(Exception):
    """The reason why metadata is invalid, as a phrase. All validators raise it."""


def text(fields: dict[str, Any], key: str) -> str | None:
    """Return a string field; None if it is missing."""
    value = fields.get(key)
    if value is not None and not is_text(value):
        raise MalformedError(f"its {key} is not a string")
    return value


def is_text(value: object) -> TypeGuard[str]:
    """Return whether a value is a string that UTF-8 can encode: without unpaired surrogates."""
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False


def flag(fields: dict[str, Any], key: str) -> bool:
    """Return a boolean field; False if it is missing."""
    value = fields.get(key)
    if value is not None and not isinstance(value, bool):
        raise MalformedError(f"its {key} is not true or false")
    return bool(value)


def count(fields: dict[str, Any], key: str) -> int:
    """Return a field with a number of 0 or more; 0 if it is missing."""
    value = fields.get(key, 0)
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise MalformedError(f"its {key} is not a whole number of 0 or more")
    return value


def string_map(value: object, key: str) -> dict[str, str] | None:
    """Return a mapping of strings to strings."""
    if value is None:
        return None
    if not isinstance(value, dict) or not all(is_text(k) and is_text(v) for k, v in value.items()):
        raise MalformedError(f"its {key} does not map strings to strings")
    return dict(value)


def headers(value: object) -> ObjectHeaders | None:
    """Return headers. Go's clients write a list for each name, nats-py writes bare strings."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise MalformedError("its headers do not map names to strings")
    for key, item in value.items():
        values = [item] if isinstance(item, str) else item
        if (
            not is_text(key)
            or not isinstance(values, list | tuple)
            or not all(is_text(item) for item in values)
        ):
            raise MalformedError(f"its header {key!r} is not a string or a list of strings")
    return ObjectHeaders(value)


def options(value: object) -> ObjectMetaOptions | None:
    """Return the options: a link, or the chunk size."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise MalformedError("its options are not an object")
    size = count(value, "max_chunk_size")
    return ObjectMetaOptions(link=link(value.get("link")), max_chunk_size=size or None)


def link(value: object) -> ObjectLink | None:
    """Return the target of a link, whose names must be valid."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise MalformedError("its link is not an object")
    bucket, name = text(value, "bucket"), text(value, "name")
    if not bucket:
        raise MalformedError("its link has no bucket")
    try:
        subjects.check_object_name(subjects.check_bucket_name(bucket), name or "any")
    except (InvalidBucketNameError, InvalidObjectNameError) as error:
        raise MalformedError(f"its link has an invalid target ({error})") from None
    return ObjectLink(bucket=bucket, name=name or None)
