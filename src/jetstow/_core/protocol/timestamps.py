"""Timestamps in the server's format: RFC 3339 with nanoseconds."""

from __future__ import annotations

import datetime
from typing import Final

_SECOND: Final = 10**9


def parse_timestamp(text: str) -> int:
    """Convert an RFC 3339 timestamp to nanoseconds since 1970."""
    moment, zone = (text[:-1], "+00:00") if text.endswith("Z") else (text[:-6], text[-6:])
    seconds, _, fraction = moment.partition(".")
    whole = datetime.datetime.fromisoformat(seconds + zone)
    return int(whole.timestamp()) * _SECOND + int(fraction[:9].ljust(9, "0"))


def format_timestamp(nanoseconds: int) -> str:
    """Convert nanoseconds since 1970 to RFC 3339 in UTC, without trailing zeros."""
    seconds, remainder = divmod(nanoseconds, _SECOND)
    whole = datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{remainder:09d}".rstrip("0").rstrip(".")
    return f"{whole}{fraction}Z"
