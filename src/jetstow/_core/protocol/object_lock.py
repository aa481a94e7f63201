"""What the lock of a version allows (decision 41)."""

from __future__ import annotations

from dataclasses import replace

from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.headers import joined_headers
from jetstow._object_lock import (
    LOCK_HEADERS,
    Retention,
    has_legal_hold,
    lock_headers,
    retention_of,
)
from jetstow.errors import InvalidOptionError, ObjectLockedError
from jetstow.models import ObjectInfo


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
    if retention is not None and (problem := retention.problem()) is not None:
        raise context.error(InvalidOptionError, f"{context} cannot be locked: {problem}")
    current = retention_of(info.headers)
    if current is not None and not _may_weaken(current, bypass_governance=bypass_governance):
        is_longer = retention is not None and retention.until >= current.until
        if retention is None or retention.mode != current.mode or not is_longer:
            raise _retained(context, current)
    return _with_lock(info, retention, legal_hold=has_legal_hold(info.headers))


def with_legal_hold(info: ObjectInfo, *, legal_hold: bool) -> ObjectInfo:
    """Return the metadata of a version with a legal hold, or without one."""
    return _with_lock(info, retention_of(info.headers), legal_hold=legal_hold)


def _with_lock(info: ObjectInfo, retention: Retention | None, *, legal_hold: bool) -> ObjectInfo:
    others = {
        name: value
        for name, value in (info.headers or {}).items()
        if name.lower() not in LOCK_HEADERS
    }
    return replace(
        info, headers=joined_headers(others, lock_headers(retention, legal_hold=legal_hold))
    )


def _may_weaken(retention: Retention, *, bypass_governance: bool) -> bool:
    return not retention.is_active or (retention.mode == "governance" and bypass_governance)


def _retained(context: ErrorContext, retention: Retention) -> ObjectLockedError:
    until = retention.until.isoformat(timespec="seconds")
    hint = ": pass bypass_governance=True" if retention.mode == "governance" else ""
    error = context.error(
        ObjectLockedError, f"{context} is kept until {until} ({retention.mode}){hint}"
    )
    error.until = retention.until
    return error
