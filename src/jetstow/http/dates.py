"""Dates in HTTP headers (RFC 9110, section 5.6.7)."""

from __future__ import annotations

import datetime
from email.utils import format_datetime, parsedate_tz


def format_date(time: datetime.datetime) -> str:
    """Return an aware datetime as an HTTP date, truncated to seconds."""
    return format_datetime(time.astimezone(datetime.UTC), usegmt=True)


def parse_date(text: str) -> datetime.datetime | None:
    """Return an HTTP date in one of its three formats; None if it is none."""
    if (fields := parsedate_tz(text)) is None:
        return None
    year, month, day, hour, minute, second, _, _, _, offset = fields
    try:
        time = datetime.datetime(
            year, month, day, hour, minute, min(second, 59), tzinfo=datetime.UTC
        )
        return time - datetime.timedelta(seconds=offset or 0)
    except (ValueError, OverflowError):
        return None
