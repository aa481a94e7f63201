"""Preconditions of a read: the object is at a revision, or has changed since one."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from jetstow._core.protocol.error_context import ErrorContext
from jetstow.errors import InvalidOptionError, ObjectUnchangedError, RevisionMismatchError
from jetstow.models import ObjectInfo
from jetstow.types import Since


@dataclass(frozen=True, slots=True)
class Preconditions:
    """`expected_revision` and `if_changed_since` of a read, as the caller passed them."""

    expected: int | None = None
    since: Since | None = None

    def check(self, context: ErrorContext, info: ObjectInfo) -> None:
        """Raise unless the object fulfils the preconditions.

        Raises: `RevisionMismatchError`, `ObjectUnchangedError`, `InvalidOptionError`
        (`since` is neither a revision nor an aware datetime).
        """
        if self.expected is not None and info.revision != self.expected:
            error = context.error(
                RevisionMismatchError,
                f"{context} is at revision {info.revision}, not at {self.expected}",
            )
            error.expected, error.actual = self.expected, info.revision
            raise error
        if self.since is not None and not self._has_changed(context, info, self.since):
            unchanged = context.error(
                ObjectUnchangedError, f"{context} has not changed since {self.since}"
            )
            unchanged.revision = info.revision
            raise unchanged

    def _has_changed(self, context: ErrorContext, info: ObjectInfo, since: Since) -> bool:
        if isinstance(since, datetime.timedelta):
            since = datetime.datetime.now(datetime.UTC) - since
        if isinstance(since, datetime.datetime) and since.tzinfo is not None:
            return info.modified is None or info.modified > since
        if isinstance(since, int) and not isinstance(since, bool):
            return info.revision > since
        raise context.error(
            InvalidOptionError,
            f"if_changed_since of {context} must be a revision, a timedelta or a datetime with a "
            f"time zone, not {since!r}",
        )


NO_PRECONDITIONS = Preconditions()
