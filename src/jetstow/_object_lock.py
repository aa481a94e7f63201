"""Locks of versions: retention and legal hold, in headers of the object's metadata.

`update_meta` keeps these headers, as all that begin with "Jetstow-".
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Any, Final, Literal

from jetstow._headers import ObjectHeaders, header_values

RETENTION_HEADER: Final = "Jetstow-Retention"
LEGAL_HOLD_HEADER: Final = "Jetstow-Legal-Hold"

# In lower case: header names are compared without regard to case.
LOCK_HEADERS: Final = frozenset({RETENTION_HEADER.lower(), LEGAL_HOLD_HEADER.lower()})

_RETENTION: Final = re.compile(r"(governance|compliance) (\S+)")


@dataclass(frozen=True, slots=True)
class Retention:
    """Until when a version is kept. `until` is an aware datetime.

    "governance" can be shortened with `bypass_governance`, "compliance" cannot be shortened at all.
    """

    mode: Literal["governance", "compliance"]
    until: datetime.datetime

    @property
    def is_active(self) -> bool:
        """Whether the version is still kept, by the clock of this machine."""
        return datetime.datetime.now(datetime.UTC) < self.until

    def problem(self) -> str | None:
        """Return why it cannot be set; None if it can."""
        if self.mode not in ("governance", "compliance"):
            return f"the mode of a retention is 'governance' or 'compliance', not {self.mode!r}"
        if self.until.tzinfo is None or not self.is_active:
            return f"a retention ends in the future, at a time with a time zone: not {self.until}"
        try:
            self.until.astimezone(datetime.UTC)
        except OverflowError:
            return f"a retention ends before the year 10000 in UTC: not {self.until}"
        return None


def retention_of(headers: dict[str, Any] | None) -> Retention | None:
    """Return the retention in the headers of an object.

    Text that another client made unreadable is a retention forever: a lock must not be lost.
    """
    values = header_values(headers, RETENTION_HEADER)
    if not values:
        return None
    match = _RETENTION.fullmatch(values[0])
    until = _parse_until(match[2]) if match else None
    if match is None or until is None:
        return Retention("compliance", datetime.datetime.max.replace(tzinfo=datetime.UTC))
    return Retention("governance" if match[1] == "governance" else "compliance", until)


def _parse_until(text: str) -> datetime.datetime | None:
    """Return a time in UTC; None if it is none, has no time zone, or is after the year 9999."""
    try:
        until = datetime.datetime.fromisoformat(text)
        return None if until.tzinfo is None else until.astimezone(datetime.UTC)
    except (OverflowError, ValueError):
        return None


def has_legal_hold(headers: dict[str, Any] | None) -> bool:
    """Return whether an object has a legal hold."""
    return bool(header_values(headers, LEGAL_HOLD_HEADER))


def is_locked(headers: dict[str, Any] | None) -> bool:
    """Return whether an object has a retention, which may be over, or a legal hold."""
    return any(name.lower() in LOCK_HEADERS for name in headers or ())


def lock_headers(retention: Retention | None, *, legal_hold: bool) -> ObjectHeaders:
    """Return the headers of a lock."""
    headers = ObjectHeaders()
    if retention is not None:
        until = retention.until.astimezone(datetime.UTC).isoformat(timespec="milliseconds")
        headers[RETENTION_HEADER] = f"{retention.mode} {until.removesuffix('+00:00')}Z"
    if legal_hold:
        headers[LEGAL_HOLD_HEADER] = "on"
    return headers
