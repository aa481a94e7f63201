"""OpenTelemetry: spans of verbs, and counters of bytes, chunks and retries."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow._core.aio import telemetry
from jetstow.errors import ObjectNotFoundError
from tests.support.proxy import Proxy
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

SMALL = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=1_000))


@dataclass
class Recorder:
    """The recorded spans and metrics."""

    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader
    provider: TracerProvider

    def spans(self) -> dict[str, ReadableSpan]:
        return {span.name: span for span in self.exporter.get_finished_spans()}

    def sums(self, metric: str) -> dict[str, float]:
        """Return the sums of a counter by the value of one of its attributes."""
        data = self.reader.get_metrics_data()
        points: list[Any] = [
            point
            for resource in (data.resource_metrics if data else [])
            for scope in resource.scope_metrics
            for each in scope.metrics
            if each.name == metric
            for point in each.data.data_points
        ]
        key = {"jetstow.retries": "error.type", "jetstow.operation.duration": "jetstow.operation"}
        by = key.get(metric, "jetstow.direction")
        return {p.attributes[by]: getattr(p, "value", getattr(p, "count", 0)) for p in points}


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers, meters = TracerProvider(), MeterProvider([reader])
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", tracers.get_tracer)
    monkeypatch.setattr(metrics, "get_meter", meters.get_meter)
    telemetry._create_instruments.cache_clear()
    yield Recorder(exporter, reader, tracers)
    telemetry._create_instruments.cache_clear()
    tracers.shutdown()
    meters.shutdown()


async def test_verb_span(recorded: Recorder, store: jetstow.ObjectStore) -> None:
    await store.put("a", some_bytes(2_500), SMALL)
    await store.get("a")
    span = recorded.spans()["jetstow put"]
    assert span.kind is SpanKind.CLIENT
    assert span.attributes == {
        "messaging.system": "nats",
        "jetstow.operation": "put",
        "jetstow.bucket": store.bucket,
        "jetstow.object": "a",
        "jetstow.bytes": 2_500,
        "jetstow.chunks": 3,
        "jetstow.retries": 0,
    }
    got = recorded.spans()["jetstow get"]
    assert (got.attributes or {})["jetstow.chunks"] == 3


async def test_object_in_the_span_of_put_file(
    recorded: Recorder, store: jetstow.ObjectStore, tmp_path: Any
) -> None:
    """It was the path of the file."""
    (tmp_path / "f").write_bytes(b"data")
    path = str(tmp_path / "f")
    for call, expected in (
        (store.put_file(path), None),
        (store.put_file(path, "a"), "a"),
        (store.put_file(path, name="b"), "b"),
        (store.get_file("a", tmp_path / "g"), "a"),
        (store.delete_many(["a", "b"]), None),
    ):
        await call
        attributes = recorded.exporter.get_finished_spans()[-1].attributes or {}
        assert attributes.get("jetstow.object") == expected


async def test_span_is_a_child_of_the_current_span(
    recorded: Recorder, store: jetstow.ObjectStore, tmp_path: Any
) -> None:
    (tmp_path / "f").write_bytes(b"data")
    with recorded.provider.get_tracer("app").start_as_current_span("work") as work:
        await store.put_file(tmp_path / "f")
    spans = recorded.spans()
    assert set(spans) == {"work", "jetstow put_file"}
    parent = spans["jetstow put_file"].parent
    assert parent is not None
    assert parent.span_id == work.get_span_context().span_id


async def test_stream_span_is_not_current_between_chunks(
    recorded: Recorder, store: jetstow.ObjectStore
) -> None:
    await store.put("a", some_bytes(2_500), SMALL)
    async for _ in store.stream("a"):
        assert not trace.get_current_span().get_span_context().is_valid
    attributes = recorded.spans()["jetstow stream"].attributes or {}
    assert (attributes["jetstow.bytes"], attributes["jetstow.chunks"]) == (2_500, 3)


async def test_error_span(recorded: Recorder, store: jetstow.ObjectStore) -> None:
    with pytest.raises(ObjectNotFoundError):
        await store.get_info("missing")
    span = recorded.spans()["jetstow get_info"]
    assert span.status.status_code is StatusCode.ERROR
    assert "missing" in (span.status.description or "")
    assert (span.attributes or {})["error.type"] == "ObjectNotFoundError"


async def test_byte_and_chunk_counters(recorded: Recorder, store: jetstow.ObjectStore) -> None:
    await store.put("a", some_bytes(2_500), SMALL)
    await store.get_range("a", 0, 10)
    assert await store.list()
    assert recorded.sums("jetstow.bytes")["written"] == 2_500
    assert recorded.sums("jetstow.chunks")["written"] == 3
    assert recorded.sums("jetstow.bytes")["read"] >= 1_000
    assert recorded.sums("jetstow.operation.duration") == {"put": 1, "get_range": 1, "list": 1}


async def test_retry_counter(recorded: Recorder, server: NatsServer, bucket: str) -> None:
    async with Proxy(server.port) as proxy:
        options: Any = {"reconnect_time_wait": 0.01, "max_reconnect_attempts": 100}
        async with await jetstow.connect(proxy.url, **options) as nc:
            store = await nc.jetstream().create_object_store(bucket)

            def cut(done: int, _: int | None) -> None:
                if done == 100_000:
                    proxy.cut()

            await store.put("a", some_bytes(200_000), SMALL, progress=cut)
    assert recorded.sums("jetstow.retries")["ConnectionLostError"] >= 1
    assert (recorded.spans()["jetstow put"].attributes or {})["jetstow.retries"]


PROGRAM = """
import sys
{first}
import asyncio, jetstow
async def main():
    async with await jetstow.connect() as nc:
        store = await nc.jetstream().create_object_store({bucket!r})
        await store.put("a", b"data")
        {then}
        print((await store.get("a")).data, [piece async for piece in store.stream("a")])
asyncio.run(main())
"""


def output_of(server: NatsServer, bucket: str, *, first: str = "", then: str = "") -> str:
    program = PROGRAM.format(bucket=bucket, first=first, then=then)
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={**os.environ, "NATS_URL": server.url}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.stderr == ""
    return run.stdout


def test_without_opentelemetry(server: NatsServer, bucket: str) -> None:
    first = "sys.modules['opentelemetry'] = None"
    assert output_of(server, bucket, first=first) == "b'data' [b'data']\n"


def test_broken_opentelemetry(server: NatsServer, bucket: str) -> None:
    first = "import types; sys.modules['opentelemetry'] = types.ModuleType('opentelemetry')"
    assert output_of(server, bucket, first=first) == "b'data' [b'data']\n"


def test_opentelemetry_is_not_imported_for_an_operation(server: NatsServer, bucket: str) -> None:
    """Its import took 9 ms of the first call, and its calls a tenth of each small operation."""
    then = "print('opentelemetry' in sys.modules)"
    assert output_of(server, bucket, then=then) == "False\nb'data' [b'data']\n"


def test_opentelemetry_may_be_imported_after_the_first_call(
    server: NatsServer, bucket: str
) -> None:
    then = """
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
        exporter = ConsoleSpanExporter(formatter=lambda span: span.name + "\\n")
        trace.set_tracer_provider(TracerProvider())
        trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(exporter))
    """
    lines = output_of(server, bucket, then=then).splitlines()
    assert lines == ["jetstow get", "jetstow stream", "b'data' [b'data']"]
