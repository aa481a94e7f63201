"""Fields of metadata, out of JSON that anybody may have written."""

from __future__ import annotations

from typing import Any, TypeGuard

from jetstow._core.protocol import subjects
from jetstow.errors import InvalidBucketNameError, InvalidObjectNameError
from jetstow.models import Headers, ObjectLink, ObjectMetaOptions


class MalformedError(Exception):
    """What is wrong with the metadata, in a few words."""


def text(raw: dict[str, Any], key: str) -> str | None:
    """Text, or None where there is none. This, and what follows, raises `MalformedError`."""
    value = raw.get(key)
    if value is not None and not is_text(value):
        raise MalformedError(f"its {key} is not a string")
    return value


def is_text(value: object) -> TypeGuard[str]:
    """Whether JSON can carry it: Python's strings may hold half of a surrogate pair."""
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False


def flag(raw: dict[str, Any], key: str) -> bool:
    """True, false, or false where it is missing."""
    value = raw.get(key)
    if value is not None and not isinstance(value, bool):
        raise MalformedError(f"its {key} is not true or false")
    return bool(value)


def count(raw: dict[str, Any], key: str) -> int:
    """A number of things; 0 where it is missing."""
    value = raw.get(key, 0)
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise MalformedError(f"its {key} is not a whole number of 0 or more")
    return value


def strings(value: object, key: str) -> dict[str, str] | None:
    """Texts by name."""
    if value is None:
        return None
    if not isinstance(value, dict) or not all(is_text(k) and is_text(v) for k, v in value.items()):
        raise MalformedError(f"its {key} does not map strings to strings")
    return dict(value)


def headers(value: object) -> Headers | None:
    """Headers as Go's clients have them, name to list; nats-py writes bare strings."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise MalformedError("its headers do not map names to strings")
    found: Headers = {}
    for key, given in value.items():
        values = [given] if isinstance(given, str) else given
        if (
            not is_text(key)
            or not isinstance(values, list | tuple)
            or not all(is_text(item) for item in values)
        ):
            raise MalformedError(f"its header {key!r} is not a string or a list of strings")
        found[key] = list(values)
    return found


def options(value: object) -> ObjectMetaOptions | None:
    """A link, or the size of chunks."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise MalformedError("its options are not an object")
    size = count(value, "max_chunk_size")
    return ObjectMetaOptions(link=link(value.get("link")), max_chunk_size=size or None)


def link(value: object) -> ObjectLink | None:
    """Where a link leads, which must be a place."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise MalformedError("its link is not an object")
    bucket, name = text(value, "bucket"), text(value, "name")
    if not bucket:
        raise MalformedError("its link names no bucket")
    try:
        subjects.check_object_name(subjects.check_bucket_name(bucket), name or "any")
    except (InvalidBucketNameError, InvalidObjectNameError) as error:
        raise MalformedError(f"its link leads nowhere ({error})") from None
    return ObjectLink(bucket=bucket, name=name or None)
