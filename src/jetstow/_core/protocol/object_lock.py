"""What the lock of a version allows (decision 42)."""

from __future__ import annotations

import datetime
from dataclasses import replace

from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.headers import joined_headers
from jetstow._object_lock import (
    LEGAL_HOLD_HEADER,
    RETENTION_HEADER,
    Retention,
    has_legal_hold,
    lock_headers,
    retention_of,
)
from jetstow.errors import InvalidOptionError, ObjectLockedError
from jetstow.models import ObjectInfo


def utc_now() -> datetime.datetime:
    """Return the time that retentions are compared with: that of this machine."""
    return datetime.datetime.now(datetime.UTC)


def check_removable(context: ErrorContext, info: ObjectInfo, *, bypass_governance: bool) -> None:
    """Check that a version may be removed.

    Raises: `ObjectLockedError`.
    """
    if info.deleted:
        return
    if has_legal_hold(info.headers):
        raise context.error(ObjectLockedError, f"{context} has a legal hold: remove it first")
    retention = retention_of(info.headers)
    if retention is not None and not _may_weaken(retention, bypass_governance=bypass_governance):
        raise _retained(context, retention)


def with_retention(
    context: ErrorContext,
    info: ObjectInfo,
    retention: Retention | None,
    *,
    bypass_governance: bool,
) -> ObjectInfo:
    """Return the metadata of a version with another retention, or without one.

    Raises: `ObjectLockedError` (it has a retention that is longer, or in another mode),
    `InvalidOptionError` (`until` is not in the future, or has no time zone).
    """
    if retention is not None:
        check_retention(context, retention)
    current = retention_of(info.headers)
    if current is not None and not _may_weaken(current, bypass_governance=bypass_governance):
        is_longer = retention is not None and retention.until >= current.until
        if retention is None or retention.mode != current.mode or not is_longer:
            raise _retained(context, current)
    return _with_lock(info, retention, legal_hold=has_legal_hold(info.headers))


def with_legal_hold(info: ObjectInfo, *, legal_hold: bool) -> ObjectInfo:
    """Return the metadata of a version with a legal hold, or without one."""
    return _with_lock(info, retention_of(info.headers), legal_hold=legal_hold)


def check_retention(context: ErrorContext, retention: Retention) -> None:
    """Check a new retention. Raises: `InvalidOptionError`."""
    if retention.mode not in ("governance", "compliance"):
        raise context.error(
            InvalidOptionError,
            f"the mode of a retention is 'governance' or 'compliance', not {retention.mode!r}",
        )
    if retention.until.tzinfo is None or not retention.is_active(utc_now()):
        raise context.error(
            InvalidOptionError,
            f"a retention ends at a time in the future with a time zone, not {retention.until}",
        )


def _with_lock(info: ObjectInfo, retention: Retention | None, *, legal_hold: bool) -> ObjectInfo:
    others = {
        name: value
        for name, value in (info.headers or {}).items()
        if name.lower() not in (RETENTION_HEADER.lower(), LEGAL_HOLD_HEADER.lower())
    }
    return replace(
        info, headers=joined_headers(others, lock_headers(retention, legal_hold=legal_hold))
    )


def _may_weaken(retention: Retention, *, bypass_governance: bool) -> bool:
    if not retention.is_active(utc_now()):
        return True
    return retention.mode == "governance" and bypass_governance


def _retained(context: ErrorContext, retention: Retention) -> ObjectLockedError:
    until = retention.until.isoformat(timespec="seconds")
    hint = ": pass bypass_governance=True" if retention.mode == "governance" else ""
    error = context.error(
        ObjectLockedError, f"{context} is kept until {until} ({retention.mode}){hint}"
    )
    error.until = retention.until
    return error
