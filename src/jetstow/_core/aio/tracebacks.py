"""Short tracebacks of jetstow's own errors, which explain themselves.

A traceback of a get had up to 30 frames of jetstow, asyncio and nats-py. What remains are the
frames of the caller, those of the caller's code that jetstow called, and the line that raised.
Other exceptions are errors in jetstow or in the caller's code: they keep all frames.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Final, ParamSpec, TypeVar

from jetstow.errors import JetstowError

P = ParamSpec("P")
T = TypeVar("T")

_INTERNAL: Final = frozenset({"jetstow", "nats", "asyncio", "anyio", "contextlib", "concurrent"})


def shorten_traceback(error: JetstowError) -> None:
    """Remove internal frames from the traceback of an error, which is about to be raised again."""
    frames: list[TracebackType] = []
    traceback = error.__traceback__
    while traceback is not None:
        frames.append(traceback)
        traceback = traceback.tb_next
    result = None
    for frame in reversed(frames):
        module = str(frame.tb_frame.f_globals.get("__name__", ""))
        if frame is frames[-1] or module.partition(".")[0] not in _INTERNAL:
            result = TracebackType(result, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    error.__traceback__ = result


def short_tracebacks(
    function: Callable[P, Coroutine[Any, Any, T]],
) -> Callable[P, Coroutine[Any, Any, T]]:
    """Shorten the tracebacks of jetstow's errors that a coroutine function raises."""

    @functools.wraps(function)
    async def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await function(*args, **kwargs)
        except JetstowError as error:
            shorten_traceback(error)
            raise

    return wrapper
