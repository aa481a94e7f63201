"""Durations: seconds, or a timedelta."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, overload

from jetstow.errors import InvalidOptionError

T = TypeVar("T")


@overload
def seconds(duration: datetime.timedelta) -> float: ...


@overload
def seconds(duration: T | datetime.timedelta) -> T | float: ...


def seconds(duration: object) -> object:
    """Return the seconds of a timedelta. Anything else is returned as it is."""
    return duration.total_seconds() if isinstance(duration, datetime.timedelta) else duration


def check_timeout(timeout: object) -> None:
    """Check the timeout of calls.

    Raises: `InvalidOptionError` (it is not a number above 0).
    """
    if not isinstance(timeout, int | float) or not timeout > 0:
        raise InvalidOptionError(f"timeout must be a number of seconds above 0, not {timeout!r}")


def options_in_seconds(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options for nats-py, which takes seconds only."""
    return {name: seconds(value) for name, value in options.items()}
