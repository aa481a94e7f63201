"""The access log and the metrics of the gateway."""

from __future__ import annotations

import datetime
import json
import logging
import time
from dataclasses import dataclass, field
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

ACCESS_LOG: Final = "jetstow.s3.access"
_log = logging.getLogger(ACCESS_LOG)

# The status in the log and the metrics of a request whose client went away (nginx's).
CLIENT_GONE: Final = 499

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 300)


@dataclass(slots=True)
class Record:
    """One request, as it is logged and counted."""

    request_id: str
    method: str
    path: str
    client: str = ""
    operation: str = "-"
    access_key: str = "-"
    status: int = 0
    error: str = ""
    received: int = 0
    sent: int = 0
    started: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """The time since the request arrived."""
        return time.perf_counter() - self.started


class AccessLog:
    """Logs one line for each request: text, or JSON."""

    def __init__(self, *, as_json: bool = False) -> None:
        self._as_json = as_json

    def write(self, record: Record) -> None:
        """Log a request that has ended."""
        if not _log.isEnabledFor(logging.INFO):
            return
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        fields: dict[str, object] = {
            "time": now.replace("+00:00", "Z"),
            "request_id": record.request_id,
            "client": record.client,
            "access_key": record.access_key,
            "operation": record.operation,
            "method": record.method,
            "path": record.path,
            "status": record.status,
            "error": record.error or "-",
            "received": record.received,
            "sent": record.sent,
            "milliseconds": round(record.seconds * 1000, 1),
        }
        if self._as_json:
            _log.info("%s", json.dumps(fields))
        else:
            _log.info("%s", " ".join(_word(value) for value in fields.values()))


def _word(value: object) -> str:
    """Return a value as one word. A path has no blanks, but may have control characters."""
    text = str(value) or "-"
    return text if text.isprintable() and " " not in text else json.dumps(text)


class Metrics:
    """The metrics of one gateway, in a registry: one of its own by default."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        # `labels` checks and looks up its arguments in 10 us, for each request.
        self._counters: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self._requests = Counter(
            "jetstow_s3_requests", "Requests", ("operation", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "jetstow_s3_request_seconds", "Duration of requests", ("operation",),
            registry=self.registry, buckets=_SECONDS,
        )  # fmt: skip
        self._received = Counter(
            "jetstow_s3_received_bytes", "Bytes of request bodies", registry=self.registry
        )
        self._sent = Counter(
            "jetstow_s3_sent_bytes", "Bytes of response bodies", registry=self.registry
        )
        self._in_progress = Gauge(
            "jetstow_s3_requests_in_progress", "Requests in progress", registry=self.registry,
            multiprocess_mode="livesum",
        )  # fmt: skip

    def begin(self) -> None:
        """Count a request that has arrived."""
        self._in_progress.inc()

    def end(self, record: Record) -> None:
        """Count a request that has ended."""
        self._in_progress.dec()
        key = record.operation, record.status
        if (counters := self._counters.get(key)) is None:
            counters = self._counters[key] = (
                self._requests.labels(record.operation, str(record.status)),
                self._seconds.labels(record.operation),
            )
        requests, seconds = counters
        requests.inc()
        seconds.observe(record.seconds)
        self._received.inc(record.received)
        self._sent.inc(record.sent)
