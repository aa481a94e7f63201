"""The load of the gateway in the last hour, from samples of its metrics."""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from jetstow._core.aio.background import running
from jetstow.console.access import check_admin
from jetstow.console.context import Context, context_of

# The time between two samples, in seconds. All workers take them at the same time.
STEP: Final = 10
# An hour of rates: they are differences of two samples.
_MAX_SAMPLES: Final = 361
_SLOWEST: Final = 10

# Statuses that are no errors of the gateway or its clients: an object that does not exist, a
# condition that does not hold, a client that went away.
_REGULAR: Final = frozenset({"404", "412", "499"})
# The environment variable with the folder of the metrics of all workers.
_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"


@dataclass(frozen=True, slots=True)
class Durations:
    """How many requests of an operation ended within each number of seconds, and their sum."""

    counts: tuple[tuple[float, float], ...]
    seconds: float

    @property
    def count(self) -> float:
        """The number of requests."""
        return self.counts[-1][1] if self.counts else 0.0


@dataclass(slots=True)
class Sample:
    """The totals of the gateway at a time, since its start."""

    time: int
    operations: float = 0.0
    errors: float = 0.0
    received: float = 0.0
    sent: float = 0.0
    durations: dict[str, Durations] = field(default_factory=dict)


class History:
    """Samples of the metrics of a gateway, in the order of their times."""

    def __init__(self, registry: CollectorRegistry, clock: Callable[[], float] = time.time) -> None:
        self._registry = registry
        self._clock = clock
        self._samples: deque[Sample] = deque(maxlen=_MAX_SAMPLES)

    async def sample(self) -> None:
        """Add a sample. It reads files if there are several workers."""
        now = int(self._clock())
        taken = await asyncio.to_thread(read_sample, self._registry, now)
        if self._samples:
            _share(self._samples[-1], taken)
        self._samples.append(taken)

    @asynccontextmanager
    async def sampling(self) -> AsyncIterator[None]:
        """Take samples until the block ends, whenever the time is a multiple of `STEP`."""
        async with running(self._sample_forever()):
            yield

    async def _sample_forever(self) -> None:
        while True:
            await self.sample()
            # Not a moment too early: the sample would have the second before.
            await asyncio.sleep(STEP - self._clock() % STEP + 0.05)

    def describe(self) -> dict[str, Any]:
        """Return the rates per second between the samples, and the slowest operations."""
        samples = list(self._samples)
        pairs = [(a, b) for a, b in pairwise(samples) if b.time > a.time]

        def rates(total: Callable[[Sample], float]) -> list[float]:
            # A worker that was started again begins at 0, if its files are gone.
            return [round(max(0.0, total(b) - total(a)) / (b.time - a.time), 3) for a, b in pairs]

        return {
            "step": STEP,
            "times": [b.time for _, b in pairs],
            "operations": rates(lambda each: each.operations),
            "errors": rates(lambda each: each.errors),
            "received": rates(lambda each: each.received),
            "sent": rates(lambda each: each.sent),
            "slowest": _slowest(samples[0], samples[-1]) if pairs else [],
        }


def new_history(context: Context) -> History:
    """Return the history of a console."""
    return History(context.gateway.metrics.registry)


@asynccontextmanager
async def sampling(context: Context) -> AsyncIterator[None]:
    """Take the samples of a console until the block ends."""
    async with context.part(new_history).sampling():
        yield


def read_sample(registry: CollectorRegistry, now: int) -> Sample:
    """Return the totals of a gateway: of all workers, if there are several."""
    if (folder := os.environ.get(_FOLDER)) is not None:
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=folder)
    sample = Sample(now)
    counts: dict[str, dict[float, float]] = {}
    seconds: dict[str, float] = {}
    for metric in registry.collect():
        for name, labels, value, *_ in metric.samples:
            match name:
                case "jetstow_s3_requests_total":
                    sample.operations += value
                    status = labels["status"]
                    sample.errors += value if status >= "400" and status not in _REGULAR else 0
                case "jetstow_s3_received_bytes_total":
                    sample.received += value
                case "jetstow_s3_sent_bytes_total":
                    sample.sent += value
                case "jetstow_s3_request_seconds_bucket":
                    counts.setdefault(labels["operation"], {})[float(labels["le"])] = value
                case "jetstow_s3_request_seconds_sum":
                    seconds[labels["operation"]] = value
    sample.durations = {
        name: Durations(tuple(sorted(values.items())), seconds.get(name, 0.0))
        for name, values in counts.items()
    }
    return sample


def _share(before: Sample, after: Sample) -> None:
    """Let a sample share the durations that have not changed: most operations are rare."""
    for name, durations in after.durations.items():
        if (old := before.durations.get(name)) == durations and old is not None:
            after.durations[name] = old


def _slowest(first: Sample, last: Sample) -> list[dict[str, Any]]:
    """Return the operations between two samples, those with the longest mean first."""
    found: list[dict[str, Any]] = []
    for name, durations in last.durations.items():
        before = first.durations.get(name, Durations((), 0.0))
        count = durations.count - before.count
        if count <= 0:
            continue
        mean = (durations.seconds - before.seconds) / count
        found.append({
            "operation": name,
            "count": int(count),
            "mean_ms": round(mean * 1000, 2),
            "max_ms": _upper_bound(before, durations),
        })  # fmt: skip
    return sorted(found, key=lambda each: -each["mean_ms"])[:_SLOWEST]


def _upper_bound(before: Durations, after: Durations) -> float | None:
    """Return the limit in ms that no request exceeded; None if one exceeded all limits."""
    earlier, total = dict(before.counts), after.count - before.count
    for limit, count in after.counts:
        if count - earlier.get(limit, 0.0) >= total:
            return None if math.isinf(limit) else limit * 1000
    return None


async def show_history(request: Request) -> Response:
    """Return the load of the last hour."""
    check_admin(request)
    return JSONResponse(context_of(request).part(new_history).describe())


ROUTES: Final = [Route("/history", show_history, methods=["GET"])]
