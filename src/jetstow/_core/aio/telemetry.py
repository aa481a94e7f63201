"""OpenTelemetry spans and metrics. It is a no-op unless the program has imported `opentelemetry`.

A program that collects them imports it. For all others the import would take longer than their
first operation, and calls of an API without an SDK a tenth of a small one.

A call of a store's method is a span, such as `jetstow put`, and one measurement of its duration.
Metrics and attributes of the span count the chunks and bytes that it moves, and its retries.
"""

from __future__ import annotations

import functools
import inspect
import sys
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

from jetstow._core.aio.tracebacks import shorten_traceback
from jetstow.errors import JetstowError

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
    """The counts of one call."""

    bytes: int = 0
    chunks: int = 0
    retries: int = 0


_current: ContextVar[Operation | None] = ContextVar("jetstow operation", default=None)


class _Instruments:
    """The tracer and the instruments of this process."""

    def __init__(self) -> None:
        from opentelemetry import context, metrics, trace  # noqa: PLC0415 - only if used

        meter = metrics.get_meter(_NAME)
        self.tracer = trace.get_tracer(_NAME)
        self.client = trace.SpanKind.CLIENT
        self.error = trace.StatusCode.ERROR
        self._context, self._trace = context, trace
        self.duration = meter.create_histogram(
            "jetstow.operation.duration", "s", "Duration of operations"
        )
        self.bytes = meter.create_counter("jetstow.bytes", "By", "Bytes of chunks moved")
        self.chunks = meter.create_counter("jetstow.chunks", "{chunk}", "Chunks moved")
        self.retries = meter.create_counter("jetstow.retries", "{retry}", "Retried requests")

    def attach(self, span: Any) -> Any:
        """Make a span the current one; return the token for `detach`."""
        return self._context.attach(self._trace.set_span_in_context(span))

    def detach(self, token: Any) -> None:
        """Restore the previous current span."""
        self._context.detach(token)


def _instruments() -> _Instruments | None:
    return _create_instruments() if "opentelemetry" in sys.modules else None


@functools.cache
def _create_instruments() -> _Instruments | None:
    try:
        return _Instruments()
    except ImportError:
        return None


def count_chunk(direction: Direction, bucket: str, size: int, chunks: int = 1) -> None:
    """Count a chunk, or chunks of `size` bytes together, sent to the server or received from it."""
    instruments = _instruments()
    if instruments is None:
        return
    attributes = {"jetstow.bucket": bucket, "jetstow.direction": direction}
    instruments.bytes.add(size, attributes)
    instruments.chunks.add(chunks, attributes)
    if (operation := _current.get()) is not None:
        operation.bytes += size
        operation.chunks += chunks


def count_retry(bucket: str, error_type: str) -> None:
    """Count a request that is sent again after an error of that type."""
    instruments = _instruments()
    if instruments is None:
        return
    instruments.retries.add(1, {"jetstow.bucket": bucket, "error.type": error_type})
    if (operation := _current.get()) is not None:
        operation.retries += 1


class _RecordedOperation(Operation):
    """A call whose duration is recorded, and which is a span if an SDK collects spans."""

    __slots__ = ("_attributes", "_instruments", "_is_current", "_is_traced", "_span", "_started",
                 "_tokens")  # fmt: skip

    def __init__(
        self, instruments: _Instruments, verb: str, bucket: str, name: str | None, *, current: bool
    ) -> None:
        super().__init__()
        self._instruments = instruments
        self._attributes = {"jetstow.operation": verb, "jetstow.bucket": bucket}
        attributes = {**self._attributes, "messaging.system": "nats"}
        if name is not None:
            attributes["jetstow.object"] = name
        self._span = instruments.tracer.start_span(
            f"{_NAME} {verb}", kind=instruments.client, attributes=attributes
        )
        # Without an SDK every span is invalid, and setting its attributes would waste time.
        self._is_traced = self._span.get_span_context().is_valid
        self._is_current = current

    def __enter__(self) -> Self:
        self._started = time.perf_counter()
        if self._is_current:
            span_token = self._instruments.attach(self._span) if self._is_traced else None
            self._tokens = _current.set(self), span_token
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_current:
            token, span_token = self._tokens
            _current.reset(token)
            if span_token is not None:
                self._instruments.detach(span_token)
        attributes = self._attributes
        if kind is not None:
            attributes = {**attributes, "error.type": kind.__name__}
        if self._is_traced:
            if kind is not None:
                self._span.set_status(self._instruments.error, str(error))
            counts = {"bytes": self.bytes, "chunks": self.chunks, "retries": self.retries}
            self._span.set_attributes({f"jetstow.{key}": count for key, count in counts.items()})
            self._span.set_attributes(attributes)
            self._span.end()
        self._instruments.duration.record(time.perf_counter() - self._started, attributes)


def operation(
    verb: str, bucket: str, name: str | None = None, *, current: bool = True
) -> AbstractContextManager[Operation]:
    """Return a context manager that records one call.

    With `current=False` it is not the parent of other spans, and `count_chunk` does not count for
    it: generators need this, which run in the context of their caller.
    """
    instruments = _instruments()
    if instruments is None:
        return nullcontext(Operation())
    return _RecordedOperation(instruments, verb, bucket, name, current=current)


def instrumented(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Record every call of an object store's method. Its argument `name`, if any, is the object's.

    Errors of jetstow get short tracebacks.
    """
    _, *parameters = inspect.signature(method).parameters
    position = parameters.index("name") if "name" in parameters else sys.maxsize

    @functools.wraps(method)
    async def wrapper(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            if _instruments() is None:
                return await method(self, *args, **kwargs)
            name = args[position] if position < len(args) else kwargs.get("name")
            object_name = name if isinstance(name, str) else None
            with operation(method.__name__, self.bucket, object_name):
                return await method(self, *args, **kwargs)
        except JetstowError as error:
            shorten_traceback(error)
            raise

    return wrapper
