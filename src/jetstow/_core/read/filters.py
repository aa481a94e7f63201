"""Filter objects by name, tags, size and age."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from jetstow import _glob
from jetstow._core.protocol.error_context import ErrorContext
from jetstow.errors import InvalidOptionError
from jetstow.models import ObjectInfo
from jetstow.types import Age


@dataclass(frozen=True, slots=True)
class ObjectFilter:
    """The conditions that an object must fulfil. A condition that is None is not checked."""

    pattern: str | None
    tags: frozenset[str]
    min_size: int | None
    max_size: int | None
    after: datetime.datetime | None
    before: datetime.datetime | None

    @classmethod
    def parse(
        cls,
        context: ErrorContext,
        pattern: str | None,
        tags: Iterable[str],
        min_size: int | None,
        max_size: int | None,
        newer_than: Age | None,
        older_than: Age | None,
    ) -> Self:
        """Return the filter for the arguments of `find`.

        Raises: `InvalidOptionError` (`tags` is one string, or an age is of another type or has no
        time zone).
        """
        if isinstance(tags, str):
            raise context.error(
                InvalidOptionError,
                f"tags to find in {context} must be a list of strings, not the string {tags!r}",
            )
        after = _parse_age(context, "newer_than", newer_than)
        before = _parse_age(context, "older_than", older_than)
        return cls(pattern, frozenset(tags), min_size, max_size, after, before)

    def matches(self, info: ObjectInfo) -> bool:
        """Return whether an object matches. If its time is unknown, it does not match any age."""
        size, modified = info.size or 0, info.modified
        return (
            not info.deleted
            and (self.pattern is None or _glob.matches(self.pattern, info.name))
            and (not self.tags or self.tags.issubset(info.tags))
            and (self.min_size is None or size >= self.min_size)
            and (self.max_size is None or size <= self.max_size)
            and (self.after is None or (modified is not None and modified > self.after))
            and (self.before is None or (modified is not None and modified < self.before))
        )


def _parse_age(context: ErrorContext, option: str, age: Age | None) -> datetime.datetime | None:
    if isinstance(age, datetime.timedelta):
        return datetime.datetime.now(datetime.UTC) - age
    if age is None:
        return None
    value: object = age
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return value
    raise context.error(
        InvalidOptionError,
        f"{option} to find in {context} must be a timedelta or a datetime with a time zone, "
        f"not {age!r}",
    )
