"""Which objects somebody looks for: by name, tags, size and age."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from jetstow import _glob
from jetstow._core.protocol.context import ErrorContext
from jetstow.errors import InvalidOptionError
from jetstow.models import ObjectInfo
from jetstow.types import Age


@dataclass(frozen=True, slots=True)
class ObjectFilter:
    """What an object must be like; what is None does not matter."""

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
        """Raises `InvalidOptionError`."""
        if isinstance(tags, str):
            raise context.error(InvalidOptionError, f"tags must be a list, not the text {tags!r}")
        after = _moment(context, "newer_than", newer_than)
        before = _moment(context, "older_than", older_than)
        return cls(pattern, frozenset(tags), min_size, max_size, after, before)

    def matches(self, info: ObjectInfo) -> bool:
        """Whether an object is wanted. One of which nobody knows the age has no age."""
        size, moment = info.size or 0, info.modified
        return (
            not info.deleted
            and (self.pattern is None or _glob.matches(self.pattern, info.name))
            and (not self.tags or self.tags.issubset(info.tags))
            and (self.min_size is None or size >= self.min_size)
            and (self.max_size is None or size <= self.max_size)
            and (self.after is None or (moment is not None and moment > self.after))
            and (self.before is None or (moment is not None and moment < self.before))
        )


def _moment(context: ErrorContext, what: str, age: Age | None) -> datetime.datetime | None:
    if isinstance(age, datetime.timedelta):
        return datetime.datetime.now(datetime.UTC) - age
    if age is None:
        return None
    moment: object = age
    if isinstance(moment, datetime.datetime) and moment.tzinfo is not None:
        return moment
    raise context.error(
        InvalidOptionError,
        f"{what} must be a timedelta or a datetime with its time zone, not {age!r}",
    )
