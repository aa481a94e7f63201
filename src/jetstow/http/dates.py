"""Dates in HTTP headers (RFC 9110, section 5.6.7)."""

from __future__ import annotations

import datetime
import math
from email.utils import formatdate, parsedate_tz
from functools import lru_cache


def format_date(time: datetime.datetime) -> str:
    """Return an aware datetime as an HTTP date, truncated to seconds."""
    return _format_second(math.floor(time.timestamp()))


@lru_cache(maxsize=4096)  # a response has the time of its object in several places
def _format_second(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


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
