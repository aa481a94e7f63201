"""Limits of responses that take long: how many of a kind an access key may have open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from starlette.requests import Request

from jetstow.console.access import signed_in
from jetstow.console.context import Context, context_of
from jetstow.console.errors import ConsoleError


def count_open(request: Request, kind: str, limit: int, message: str) -> Callable[[], None]:
    """Count a response of a kind, and return what is to be called at its end.

    Raises: `ConsoleError` (TooManyRequests: the access key has `limit` open in this worker).
    """
    counts = context_of(request).part(new_counts)
    key = kind, signed_in(request).key.access_key
    if counts[key] >= limit:
        raise ConsoleError("TooManyRequests", message)
    counts[key] += 1

    def on_end() -> None:
        counts[key] -= 1

    return on_end


def new_counts(context: Context) -> Counter[tuple[str, str]]:  # noqa: ARG001 - a part of each
    """Return how many responses are open, by kind and access key."""
    return Counter()
