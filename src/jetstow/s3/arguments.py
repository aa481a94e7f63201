"""Values of query parameters."""

from __future__ import annotations

from collections.abc import Mapping

from jetstow.s3.errors import S3Error


def parse_count(
    query: Mapping[str, str], name: str, *, default: int, maximum: int, minimum: int = 0
) -> int:
    """Return a number, at most `maximum`.

    Raises: `S3Error` (InvalidArgument: it is no number, or less than `minimum`).
    """
    value = query.get(name, "")
    if not value:
        return default
    is_number = value.isascii() and value.isdigit() and len(value) <= 10
    if not is_number or int(value) < minimum:
        message = f"Provided {name} not an integer or within integer range"
        raise S3Error("InvalidArgument", message, ArgumentName=name, ArgumentValue=value)
    return min(int(value), maximum)


def parse_encoding_type(query: Mapping[str, str]) -> bool:
    """Return whether names are to be url-encoded. Raises: `S3Error` (InvalidArgument)."""
    value = query.get("encoding-type")
    if value not in (None, "", "url"):
        message = "Invalid Encoding Method specified in Request"
        raise S3Error("InvalidArgument", message, ArgumentName="encoding-type", ArgumentValue=value)
    return value == "url"
