"""What OpenTelemetry is told, where `opentelemetry-api` is installed; nothing otherwise.

A verb is a span, `jetstow put` and so on, and one measurement of its duration. The rooms below
count what moves and what has to be tried again, in metrics and on the span of the verb.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate, Final, Literal, ParamSpec, Protocol, TypeVar

if TYPE_CHECKING:
    from jetstow._core.stream import Stream
    from jetstow._core.target import Target

P = ParamSpec("P")
T = TypeVar("T")

Direction = Literal["written", "read"]

_NAME: Final = "jetstow"


class _HasBucket(Protocol):
    @property
    def _bucket(self) -> Stream: ...


S = TypeVar("S", bound=_HasBucket)


@dataclass
class Operation:
    """What one call of a verb has moved so far."""

    bytes: int = 0
    chunks: int = 0
    retries: int = 0


_current: ContextVar[Operation | None] = ContextVar("jetstow operation", default=None)


class _Instruments:
    """Where it all goes: the tracer and the meters of this process."""

    def __init__(self) -> None:
        from opentelemetry import metrics, trace  # noqa: PLC0415 - only where it is installed

        meter = metrics.get_meter(_NAME)
        self.tracer = trace.get_tracer(_NAME)
        self.client = trace.SpanKind.CLIENT
        self.error = trace.StatusCode.ERROR
        self.duration = meter.create_histogram(
            "jetstow.operation.duration", "s", "How long verbs take"
        )
        self.bytes = meter.create_counter("jetstow.bytes", "By", "Bytes of chunks moved")
        self.chunks = meter.create_counter("jetstow.chunks", "{chunk}", "Chunks moved")
        self.within: Callable[[Any], AbstractContextManager[Any]] = functools.partial(
            trace.use_span, record_exception=False, set_status_on_exception=False
        )
        self.retries = meter.create_counter("jetstow.retries", "{retry}", "What was tried again")


@functools.cache
def _instruments() -> _Instruments | None:
    try:
        return _Instruments()
    except ImportError:
        return None


def moved(direction: Direction, bucket: str, size: int) -> None:
    """A chunk has gone to the server, or has come from it."""
    told = _instruments()
    if told is None:
        return
    attributes = {"jetstow.bucket": bucket, "jetstow.direction": direction}
    told.bytes.add(size, attributes)
    told.chunks.add(1, attributes)
    if (operation := _current.get()) is not None:
        operation.bytes += size
        operation.chunks += 1


def retried(target: Target, error: Exception) -> None:
    """Something is asked for again after a failure."""
    told = _instruments()
    if told is None:
        return
    told.retries.add(1, {"jetstow.bucket": target.bucket or "", "error.type": type(error).__name__})
    if (operation := _current.get()) is not None:
        operation.retries += 1


@contextmanager
def operation(
    verb: str, bucket: str, name: str | None = None, *, current: bool = True
) -> Iterator[Operation]:
    """One call of a verb. What is not `current` counts for itself, and no span is inside it."""
    told, seen = _instruments(), Operation()
    if told is None:
        yield seen
        return
    about = {"jetstow.operation": verb, "jetstow.bucket": bucket}
    named = {} if name is None else {"jetstow.object": name}
    span = told.tracer.start_span(
        f"{_NAME} {verb}", kind=told.client, attributes=about | {"messaging.system": "nats"} | named
    )
    began = time.perf_counter()
    token = _current.set(seen) if current else None
    failed: dict[str, str] = {}
    try:
        with told.within(span) if current else nullcontext():
            yield seen
    except BaseException as error:
        failed = {"error.type": type(error).__name__}
        span.set_status(told.error, str(error))
        raise
    finally:
        if token is not None:
            _current.reset(token)
        counts = {"bytes": seen.bytes, "chunks": seen.chunks, "retries": seen.retries}
        span.set_attributes({f"jetstow.{what}": count for what, count in counts.items()})
        span.set_attributes(failed)
        span.end()
        told.duration.record(time.perf_counter() - began, about | failed)


def observed(
    verb: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Let every call of an object store's verb be told of."""

    @functools.wraps(verb)
    async def told(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        if _instruments() is None:
            return await verb(self, *args, **kwargs)
        first = args[0] if args else kwargs.get("name")
        name = first if isinstance(first, str) else None
        with operation(verb.__name__, self._bucket.bucket, name):
            return await verb(self, *args, **kwargs)

    return told
