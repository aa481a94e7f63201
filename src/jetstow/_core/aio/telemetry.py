"""What OpenTelemetry is told, where `opentelemetry-api` is installed; nothing otherwise.

A verb is a span, `jetstow put` and so on, and one measurement of its duration. The rooms below
count what moves and what has to be tried again, in metrics and on the span of the verb.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from types import TracebackType
from typing import (
    Any,
    Concatenate,
    Final,
    Literal,
    ParamSpec,
    Protocol,
    Self,
    TypeVar,
)

P = ParamSpec("P")
T = TypeVar("T")

Direction = Literal["written", "read"]

_NAME: Final = "jetstow"


class _HasBucket(Protocol):
    @property
    def bucket(self) -> str: ...


S = TypeVar("S", bound=_HasBucket)


@dataclass(slots=True)
class Operation:
    """What one call of a verb has moved so far."""

    bytes: int = 0
    chunks: int = 0
    retries: int = 0


_current: ContextVar[Operation | None] = ContextVar("jetstow operation", default=None)


class _Instruments:
    """Where it all goes: the tracer and the meters of this process."""

    def __init__(self) -> None:
        from opentelemetry import context, metrics, trace  # noqa: PLC0415 - where it is installed

        meter = metrics.get_meter(_NAME)
        self.tracer = trace.get_tracer(_NAME)
        self.client = trace.SpanKind.CLIENT
        self.error = trace.StatusCode.ERROR
        self._context, self._trace = context, trace
        self.duration = meter.create_histogram(
            "jetstow.operation.duration", "s", "How long verbs take"
        )
        self.bytes = meter.create_counter("jetstow.bytes", "By", "Bytes of chunks moved")
        self.chunks = meter.create_counter("jetstow.chunks", "{chunk}", "Chunks moved")
        self.retries = meter.create_counter("jetstow.retries", "{retry}", "What was tried again")

    def enter(self, span: Any) -> Any:
        """Make a span the current one, until `leave`."""
        return self._context.attach(self._trace.set_span_in_context(span))

    def leave(self, token: Any) -> None:
        """Make the span before the current one again."""
        self._context.detach(token)


@functools.cache
def _instruments() -> _Instruments | None:
    try:
        return _Instruments()
    except ImportError:
        return None


def count_chunk(direction: Direction, bucket: str, size: int) -> None:
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


def count_retry(bucket: str, error_type: str) -> None:
    """Something is asked for again after a failure."""
    told = _instruments()
    if told is None:
        return
    told.retries.add(1, {"jetstow.bucket": bucket, "error.type": error_type})
    if (operation := _current.get()) is not None:
        operation.retries += 1


class _ObservedOperation(Operation):
    """A call that is a span, if anybody collects spans, and has a duration."""

    __slots__ = ("_about", "_began", "_is_current", "_span", "_spans", "_to", "_tokens")

    def __init__(
        self, to: _Instruments, verb: str, bucket: str, name: str | None, *, current: bool
    ) -> None:
        super().__init__()
        self._to = to
        self._about = {"jetstow.operation": verb, "jetstow.bucket": bucket}
        told = {**self._about, "messaging.system": "nats"}
        if name is not None:
            told["jetstow.object"] = name
        self._span = to.tracer.start_span(f"{_NAME} {verb}", kind=to.client, attributes=told)
        # Without an SDK there are no spans, and nothing worth its time to tell them.
        self._spans = self._span.get_span_context().is_valid
        self._is_current = current

    def __enter__(self) -> Self:
        self._began = time.perf_counter()
        if self._is_current:
            within = self._to.enter(self._span) if self._spans else None
            self._tokens = _current.set(self), within
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_current:
            counted, within = self._tokens
            _current.reset(counted)
            if within is not None:
                self._to.leave(within)
        about = self._about if kind is None else {**self._about, "error.type": kind.__name__}
        if self._spans:
            if kind is not None:
                self._span.set_status(self._to.error, str(error))
            counts = {"bytes": self.bytes, "chunks": self.chunks, "retries": self.retries}
            self._span.set_attributes({f"jetstow.{what}": count for what, count in counts.items()})
            self._span.set_attributes(about)
            self._span.end()
        self._to.duration.record(time.perf_counter() - self._began, about)


def operation(
    verb: str, bucket: str, name: str | None = None, *, current: bool = True
) -> AbstractContextManager[Operation]:
    """One call of a verb. What is not `current` counts for itself, and no span is inside it."""
    to = _instruments()
    if to is None:
        return nullcontext(Operation())
    return _ObservedOperation(to, verb, bucket, name, current=current)


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
        with operation(verb.__name__, self.bucket, name):
            return await verb(self, *args, **kwargs)

    return told
