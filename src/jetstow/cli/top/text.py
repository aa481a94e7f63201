"""Samples of `jetstow top` as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from jetstow.cli.render import Result, format_count, format_size, printable, table
from jetstow.cli.top.sample import BucketLoad, ClientLoad, Limits, Load, OperationLoad

UNKNOWN: Final = "-"

# Clients and operations that a text has.
_MAX_ROWS: Final = 10


def block(load: Load, buckets: Sequence[BucketLoad]) -> Result:
    """Return a sample, with the selected buckets, as the result of one interval."""
    lines = [*headlines(load), ""]
    columns = ("BUCKET", ">SIZE", ">OBJECTS", ">WRITES/s", ">GROWTH/s", ">LIMIT")
    rows = [
        (
            each.state.bucket,
            format_size(each.state.size),
            count(each.state.objects),
            number(each.writes),
            growth(each.growth),
            limit_share(each),
        )
        for each in buckets
    ]
    lines += _table(columns, rows) or ["no buckets"]
    if load.clients:
        clients = [
            (each.state.name, each.state.address, rate(each.written), rate(each.read))
            for each in load.clients[:_MAX_ROWS]
        ]
        lines += ["", *_table(("CLIENT", "ADDRESS", ">WRITES", ">READS"), clients)]
    if load.operations:
        titles = ("OPERATION", ">REQUESTS/s", ">ERRORS/s", ">MEAN NOW", ">MEAN")
        operations = [
            (
                each.state.operation,
                number(each.requests),
                number(each.errors),
                milliseconds(each.recent_ms),
                milliseconds(each.mean_ms),
            )
            for each in load.operations[:_MAX_ROWS]
        ]
        lines += ["", *_table(titles, operations)]
    return Result(data(load, buckets), [*lines, ""])


def headlines(load: Load) -> Iterator[str]:
    """Yield what concerns the server as a whole, a line each."""
    sample = load.sample
    time = sample.time.astimezone()
    yield f"{time:%Y-%m-%d %H:%M:%S}  {printable(sample.server)}  nats-server {sample.version}"
    if sample.limits is not None:
        yield f"JetStream  {_limits_line(sample.limits)}"
    if sample.traffic is not None:
        written, read = rate(load.rates.get("written")), rate(load.rates.get("read"))
        connections = format_count(sample.traffic.connections, "connection")
        yield f"traffic    clients write {written}, read {read}, {connections}"
    if sample.gateway is not None:
        received, sent = rate(load.rates.get("received")), rate(load.rates.get("sent"))
        progress = format_count(sample.gateway.in_progress, "request")
        yield f"gateway    {progress} in progress, received {received}, sent {sent}"
    for note in sample.notes:
        yield f"gateway    {printable(note)}"


def _limits_line(limits: Limits) -> str:
    def usage(name: str, used: int, limit: int | None) -> str:
        text = f"{name} {format_size(used)}"
        return text if limit is None else f"{text} of {format_size(limit)}{_percent(used, limit)}"

    streams = format_count(limits.streams, "stream")
    if limits.max_streams is not None:
        streams = f"{limits.streams} of {format_count(limits.max_streams, 'stream')}"
    return ", ".join(
        [
            usage("storage", limits.storage, limits.max_storage),
            usage("memory", limits.memory, limits.max_memory),
            streams,
            format_count(limits.consumers, "consumer"),
        ]
    )


def _percent(used: int, limit: int) -> str:
    return f" ({used / limit:.0%})" if limit else ""


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    result = table(columns, rows, None)
    return [result.heading, *result.lines] if rows else []


# -- values ------------------------------------------------------------------------------


def count(value: int | None) -> str:
    """Format a number that may be unknown: 12,345."""
    return UNKNOWN if value is None else f"{value:,}"


def number(value: float | None) -> str:
    """Format a rate: 0, 0.4, 12, 1,234."""
    if value is None:
        return UNKNOWN
    return f"{value:.1f}" if 0 < value < 10 else f"{value:,.0f}"


def rate(value: float | None) -> str:
    """Format bytes a second."""
    return UNKNOWN if value is None else f"{format_size(round(value))}/s"


def growth(value: float | None) -> str:
    """Format bytes a second with their sign; 0 has none."""
    if value is None:
        return UNKNOWN
    size = format_size(abs(round(value)))
    return f"+{size}" if value > 0.5 else f"-{size}" if value < -0.5 else "0 B"


def milliseconds(value: float | None) -> str:
    """Format a duration: 0.4 ms, 12 ms, 3.4 s."""
    if value is None:
        return UNKNOWN
    if value >= 1000:
        return f"{value / 1000:.1f} s"
    return f"{value:.1f} ms" if value < 10 else f"{value:.0f} ms"


def limit_share(each: BucketLoad) -> str:
    """Return which share of its limit a bucket uses."""
    limit = each.state.max_bytes
    return "" if not limit else f"{each.state.size / limit:.0%}"


# -- JSON --------------------------------------------------------------------------------


def data(load: Load, buckets: Sequence[BucketLoad]) -> dict[str, Any]:
    """Return a sample as JSON data: bytes, seconds, and rates a second. null is unknown."""
    sample = load.sample
    limits, traffic, gateway = sample.limits, sample.traffic, sample.gateway
    return {
        "time": sample.time.isoformat(),
        "seconds": load.seconds,
        "server": sample.server,
        "version": sample.version,
        "jetstream": None
        if limits is None
        else {name: getattr(limits, name) for name in Limits.__slots__},
        "traffic": None
        if traffic is None
        else {
            "connections": traffic.connections,
            "written_per_second": load.rates.get("written"),
            "read_per_second": load.rates.get("read"),
        },
        "buckets": [_bucket_data(each) for each in buckets],
        "clients": None if sample.clients is None else [*map(_client_data, load.clients)],
        "gateway": None
        if gateway is None
        else {
            "requests_in_progress": gateway.in_progress,
            "received_per_second": load.rates.get("received"),
            "sent_per_second": load.rates.get("sent"),
            "operations": [*map(_operation_data, load.operations)],
        },
    }


def _bucket_data(each: BucketLoad) -> dict[str, Any]:
    state = each.state
    return {
        "bucket": state.bucket,
        "size": state.size,
        "max_bytes": state.max_bytes,
        "objects": state.objects,
        "writes_per_second": each.writes,
        "growth_per_second": each.growth,
        "replicas": state.replicas,
        "storage": state.storage,
        "sealed": state.sealed,
    }


def _client_data(each: ClientLoad) -> dict[str, Any]:
    return {
        "name": each.state.name,
        "address": each.state.address,
        "written_per_second": each.written,
        "read_per_second": each.read,
    }


def _operation_data(each: OperationLoad) -> dict[str, Any]:
    return {
        "operation": each.state.operation,
        "requests": each.state.requests,
        "requests_per_second": each.requests,
        "errors_per_second": each.errors,
        "mean_ms": each.mean_ms,
        "recent_mean_ms": each.recent_ms,
    }
