"""Calls in the form of nats-py, for programs that were written for it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def positional_flags(*names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a method take nats-py's positional arguments, all of which are flags.

    Its own first argument is a string. If it is a bool, the positional arguments are `names`.
    """

    def decorate(method: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(method)
        def wrapper(*args: Any, **options: Any) -> R:
            itself, *positional = args
            if positional and isinstance(positional[0], bool):
                flags = dict(zip(names, positional, strict=False))
                return method(itself, **flags, **options)
            return method(*args, **options)

        return wrapper

    return decorate
