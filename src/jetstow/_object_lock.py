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

_RETENTION: Final = re.compile(r"(governance|compliance) (\S+)")


@dataclass(frozen=True, slots=True)
class Retention:
    """Until when a version is kept. `until` is an aware datetime.

    "governance" can be shortened with `bypass_governance`, "compliance" cannot be shortened at all.
    """

    mode: Literal["governance", "compliance"]
    until: datetime.datetime

    def is_active(self, now: datetime.datetime) -> bool:
        """Return whether the version is still kept."""
        return now < self.until


def retention_of(headers: dict[str, Any] | None) -> Retention | None:
    """Return the retention in the headers of an object.

    Text that another client made unreadable is a retention forever: a lock must not be lost.
    """
    values = header_values(headers, RETENTION_HEADER)
    if not values:
        return None
    match = _RETENTION.fullmatch(values[0])
    try:
        until = datetime.datetime.fromisoformat(match[2]) if match else None
    except ValueError:
        until = None
    if match is None or until is None or until.tzinfo is None:
        return Retention("compliance", datetime.datetime.max.replace(tzinfo=datetime.UTC))
    return Retention("governance" if match[1] == "governance" else "compliance", until)


def has_legal_hold(headers: dict[str, Any] | None) -> bool:
    """Return whether an object has a legal hold."""
    return bool(header_values(headers, LEGAL_HOLD_HEADER))


def lock_headers(retention: Retention | None, *, legal_hold: bool) -> ObjectHeaders:
    """Return the headers of a lock."""
    headers = ObjectHeaders()
    if retention is not None:
        until = retention.until.astimezone(datetime.UTC).isoformat(timespec="milliseconds")
        headers[RETENTION_HEADER] = f"{retention.mode} {until.removesuffix('+00:00')}Z"
    if legal_hold:
        headers[LEGAL_HOLD_HEADER] = "on"
    return headers
