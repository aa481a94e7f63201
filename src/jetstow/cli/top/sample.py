"""The state of a server at one time, and the rates between two of them. Without I/O."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

SortKey: TypeAlias = Literal["bucket", "size", "objects", "writes", "growth"]
SORT_KEYS: Final[tuple[SortKey, ...]] = get_args(SortKey)


@dataclass(frozen=True, slots=True)
class BucketState:
    """A bucket. `objects` is None if they are not counted, `max_bytes` if there is no limit.

    `messages` is the number of messages that were ever stored: chunks and metadata.
    """

    bucket: str
    size: int
    max_bytes: int | None
    messages: int
    objects: int | None
    replicas: int
    storage: str
    sealed: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """What JetStream stores for the account, in bytes; a limit is None if there is none."""

    memory: int
    max_memory: int | None
    storage: int
    max_storage: int | None
    streams: int
    max_streams: int | None
    consumers: int
    requests: int
    errors: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """Bytes that the account's connections sent to the servers and received from them."""

    connections: int
    written: int
    read: int


@dataclass(frozen=True, slots=True)
class ClientState:
    """A connection of a client. `id` identifies it among all servers."""

    id: str
    name: str
    address: str
    written: int
    read: int


@dataclass(frozen=True, slots=True)
class OperationState:
    """An operation of the S3 gateway since its start. `seconds` is the time of all requests."""

    operation: str
    requests: int
    errors: int
    seconds: float


@dataclass(frozen=True, slots=True)
class GatewayState:
    """The S3 gateway since its start: bytes of bodies, requests in progress, operations."""

    in_progress: int
    received: int
    sent: int
    operations: dict[str, OperationState]


@dataclass(frozen=True, slots=True)
class Sample:
    """Everything at one time. `clock` is in seconds. None is what cannot be known."""

    time: datetime.datetime
    clock: float
    server: str
    version: str
    buckets: dict[str, BucketState]
    limits: Limits | None
    traffic: Traffic | None
    clients: dict[str, ClientState] | None
    gateway: GatewayState | None
    notes: tuple[str, ...] = ()


# -- rates -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BucketLoad:
    """A bucket with its rates: messages written, and bytes by which it grew or shrank."""

    state: BucketState
    writes: float | None
    growth: float | None


@dataclass(frozen=True, slots=True)
class ClientLoad:
    """A client with its rates, in bytes a second."""

    state: ClientState
    written: float | None
    read: float | None


@dataclass(frozen=True, slots=True)
class OperationLoad:
    """An operation: requests and errors a second, and the mean duration in milliseconds."""

    state: OperationState
    requests: float | None
    errors: float | None
    recent_ms: float | None

    @property
    def mean_ms(self) -> float:
        """The mean duration since the gateway started."""
        return 1000 * self.state.seconds / self.state.requests if self.state.requests else 0.0


@dataclass(frozen=True, slots=True)
class Load:
    """A sample with the rates since the one before it. Rates are None in the first one."""

    sample: Sample
    seconds: float | None
    buckets: list[BucketLoad]
    clients: list[ClientLoad]
    operations: list[OperationLoad]
    rates: dict[str, float | None] = field(default_factory=dict)


def load(before: Sample | None, now: Sample) -> Load:
    """Return a sample with the rates since an earlier one."""
    seconds = None if before is None else max(1e-6, now.clock - before.clock)

    def rate(new: float, old: float | None) -> float | None:
        """Return a rate of a counter; None if it was reset."""
        if seconds is None or old is None or new < old:
            return None
        return (new - old) / seconds

    return Load(
        now,
        seconds,
        _buckets(before, now, seconds, rate),
        _clients(before, now, rate),
        _operations(before, now, rate),
        _totals(before, now, rate),
    )


_Rate: TypeAlias = Callable[[float, float | None], float | None]


def _buckets(
    before: Sample | None, now: Sample, seconds: float | None, rate: _Rate
) -> list[BucketLoad]:
    loads = []
    for name, bucket in now.buckets.items():
        old = None if before is None else before.buckets.get(name)
        writes = rate(bucket.messages, None if old is None else old.messages)
        growth = None
        if writes is not None and old is not None and seconds is not None:
            growth = (bucket.size - old.size) / seconds
        loads.append(BucketLoad(bucket, writes, growth))
    return loads


def _clients(before: Sample | None, now: Sample, rate: _Rate) -> list[ClientLoad]:
    loads = []
    for key, client in (now.clients or {}).items():
        old = (before.clients or {}).get(key) if before is not None else None
        loads.append(
            ClientLoad(
                client,
                rate(client.written, None if old is None else old.written),
                rate(client.read, None if old is None else old.read),
            )
        )
    return sorted(
        loads,
        key=lambda each: (
            -(each.written or 0) - (each.read or 0),
            -each.state.written - each.state.read,
            each.state.id,
        ),
    )


def _operations(before: Sample | None, now: Sample, rate: _Rate) -> list[OperationLoad]:
    if now.gateway is None:
        return []
    loads = []
    for name, state in now.gateway.operations.items():
        requests = errors = recent_ms = None
        if before is not None and before.gateway is not None:
            old = before.gateway.operations.get(name, OperationState(name, 0, 0, 0.0))
            requests = rate(state.requests, old.requests)
            errors = rate(state.errors, old.errors)
            if requests and state.seconds >= old.seconds:
                count = state.requests - old.requests
                recent_ms = 1000 * (state.seconds - old.seconds) / count
        loads.append(OperationLoad(state, requests, errors, recent_ms))
    return sorted(loads, key=lambda each: (-each.mean_ms, each.state.operation))


def _totals(before: Sample | None, now: Sample, rate: _Rate) -> dict[str, float | None]:
    totals: dict[str, float | None] = {}
    if now.traffic is not None:
        old = None if before is None else before.traffic
        totals["written"] = rate(now.traffic.written, None if old is None else old.written)
        totals["read"] = rate(now.traffic.read, None if old is None else old.read)
    if now.gateway is not None:
        was = None if before is None else before.gateway
        totals["received"] = rate(now.gateway.received, None if was is None else was.received)
        totals["sent"] = rate(now.gateway.sent, None if was is None else was.sent)
    return totals


# -- selection ---------------------------------------------------------------------------

_SORT: Final[dict[SortKey, Callable[[BucketLoad], float]]] = {
    "size": lambda each: each.state.size,
    "objects": lambda each: -1 if each.state.objects is None else each.state.objects,
    "writes": lambda each: each.writes or 0.0,
    "growth": lambda each: each.growth or 0.0,
}


def select(
    buckets: list[BucketLoad], key: SortKey, text: str = "", *, reverse: bool = False
) -> list[BucketLoad]:
    """Return the buckets whose names contain a text, in order: by name, or the largest first."""
    wanted = text.casefold()
    found = sorted(
        (each for each in buckets if wanted in each.state.bucket.casefold()),
        key=lambda each: each.state.bucket,
    )
    if key != "bucket":
        return sorted(found, key=_SORT[key], reverse=not reverse)
    return found[::-1] if reverse else found
