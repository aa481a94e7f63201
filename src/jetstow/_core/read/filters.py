"""Filter objects by name, tags, size and age."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.versions import VERSIONS_PREFIX
from jetstow._glob import matches_name
from jetstow.errors import InvalidOptionError
from jetstow.models import ObjectInfo
from jetstow.types import Age, Match


@dataclass(frozen=True, slots=True)
class NameFilter:
    """The prefix of a name, and a pattern for what follows it and the slash at its end.

    `hides_versions` leaves out the hidden names that keep versions.
    """

    prefix: str = ""
    pattern: str | None = None
    hides_versions: bool = False

    @property
    def selects_all(self) -> bool:
        """Whether every name matches."""
        return not self.prefix and self.pattern is None and not self.hides_versions

    def selects(self, name: str) -> bool:
        """Return whether a name matches."""
        if not name.startswith(self.prefix):
            return False
        if self.hides_versions and name.startswith(VERSIONS_PREFIX):
            return False
        if self.pattern is None:
            return True
        rest = name[len(self.prefix) :]
        return matches_name(self.pattern, rest.removeprefix("/") if self.prefix else rest)


ALL_NAMES: Final = NameFilter()


def parse_names(
    stream: Stream, prefix: object, match: Match | None
) -> tuple[NameFilter, Callable[[ObjectInfo], object] | None]:
    """Return the filter of names, and the user's function, for `prefix` and `match`.

    Raises: `InvalidOptionError` (one of them is of another type).
    """
    context, is_versioned = stream.error_context(), stream.versioning is not None
    if not isinstance(prefix, str):
        raise context.error(
            InvalidOptionError, f"prefix of names in {context} must be a str, not {prefix!r}"
        )
    if match is None or isinstance(match, str):
        return NameFilter(prefix, match, hides_versions=is_versioned), None
    function: Any = match
    if not callable(function):
        raise context.error(
            InvalidOptionError,
            f"match of names in {context} must be a pattern or a function of an ObjectInfo, "
            f"not {match!r}",
        )
    return NameFilter(prefix, hides_versions=is_versioned), function


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditions of `find` besides the name. A condition that is None is not checked."""

    tags: frozenset[str]
    min_size: int | None
    max_size: int | None
    newer_than: Age | None
    older_than: Age | None

    @property
    def depend_on_time(self) -> bool:
        """Whether an age is relative to now."""
        return any(
            isinstance(age, datetime.timedelta) for age in (self.newer_than, self.older_than)
        )

    def at(self, now: datetime.datetime | None) -> Callable[[ObjectInfo], bool]:
        """Return a function that checks an object at a time of the server.

        An object whose time is unknown does not match any age.
        """
        after, before = _time_of(self.newer_than, now), _time_of(self.older_than, now)

        def match(info: ObjectInfo) -> bool:
            size, modified = info.size or 0, info.modified
            return (
                (not self.tags or self.tags.issubset(info.tags))
                and (self.min_size is None or size >= self.min_size)
                and (self.max_size is None or size <= self.max_size)
                and (after is None or (modified is not None and modified > after))
                and (before is None or (modified is not None and modified < before))
            )

        return match


def parse_conditions(
    context: ErrorContext,
    tags: Iterable[str],
    min_size: int | None,
    max_size: int | None,
    newer_than: Age | None,
    older_than: Age | None,
) -> Conditions:
    """Return the conditions for the arguments of `find`.

    Raises: `InvalidOptionError` (`tags` is one string, or an age is of another type or has no
    time zone).
    """
    if isinstance(tags, str):
        raise context.error(
            InvalidOptionError,
            f"tags to find in {context} must be a list of strings, not the string {tags!r}",
        )
    _check_age(context, "newer_than", newer_than)
    _check_age(context, "older_than", older_than)
    return Conditions(frozenset(tags), min_size, max_size, newer_than, older_than)


def _time_of(age: Age | None, now: datetime.datetime | None) -> datetime.datetime | None:
    if not isinstance(age, datetime.timedelta):
        return age
    assert now is not None, "the conditions depend on the time"
    return now - age


def _check_age(context: ErrorContext, option: str, age: object) -> None:
    if age is None or isinstance(age, datetime.timedelta):
        return
    if isinstance(age, datetime.datetime) and age.tzinfo is not None:
        return
    raise context.error(
        InvalidOptionError,
        f"{option} to find in {context} must be a timedelta or a datetime with a time zone, "
        f"not {age!r}",
    )
