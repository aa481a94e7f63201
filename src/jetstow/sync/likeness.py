"""What the blocking face says of itself: what the asynchronous one says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_WORDS: Final = (
    ("async with await ", "with "),
    ("async with ", "with "),
    ("`async with`", "`with`"),
    ("`async for`", "`for`"),
    ("an asynchronous file", "a file"),
    ("(binary, text, or asynchronous)", "(binary or text)"),
    ("(binary or asynchronous)", "(binary)"),
    (" (of either kind)", ""),
    ("; an async context manager", "; a context manager"),
    ("(a path, a file, or an asynchronous iterable of bytes)", "(a path or a file)"),
    ("`await jetstow.", "`jetstow."),
    ("await jetstow.", "jetstow."),
    ("fails or is cancelled", "fails or is interrupted"),
    ("is killed, cancelled or loses", "is killed, interrupted or loses"),
)


def told(original: object) -> str:
    """The docstring of something asynchronous, for what waits."""
    text = original.__doc__ or ""
    for asynchronous, blocking in _WORDS:
        text = text.replace(asynchronous, blocking)
    return text


def like(original: Callable[..., Any]) -> Callable[[F], F]:
    """Give a function the docstring of its asynchronous twin."""

    def document(function: F) -> F:
        function.__doc__ = told(original)
        return function

    return document


def like_class(original: type) -> Callable[[type], type]:
    """Give a class the docstring of its asynchronous twin."""

    def document(cls: type) -> type:
        cls.__doc__ = told(original)
        return cls

    return document
