"""The types of arguments and results that are not models of a bucket or an object."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    Protocol,
    TypeAlias,
    TypedDict,
    runtime_checkable,
)

from jetstow._results import (
    BackupResult,
    DeleteResult,
    Finding,
    GarbageResult,
    MirrorResult,
    RestoreResult,
    StoredChunks,
    SyncResult,
    VerifyResult,
)
from jetstow.models import ObjectInfo, Placement, StorageType, StoreCompression

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    from nats.aio.client import RawCredentials, ReconnectToServerHandler
    from typing_extensions import Buffer


@runtime_checkable
class Readable(Protocol):
    """A file, blocking or asynchronous: `read(n)` returns bytes, or an awaitable of them."""

    def read(self, size: int, /) -> Any: ...


@runtime_checkable
class Writable(Protocol):
    """A file, blocking or asynchronous: `write(data)` takes bytes."""

    def write(self, data: Any, /) -> Any: ...


Data: TypeAlias = "Buffer | str | Readable | Iterable[Buffer] | AsyncIterable[Buffer]"
"""What `put` stores: bytes-like, text (as UTF-8), a file, or an iterable of bytes."""

BlockingData: TypeAlias = "Buffer | str | Readable | Iterable[Buffer]"
"""What `put` of `jetstow.sync` stores: as `Data`, but nothing asynchronous."""

Duration: TypeAlias = float | datetime.timedelta
"""Seconds, or a timedelta."""

Progress: TypeAlias = Callable[[int, int | None], None]
"""Called with the bytes done so far and the total number of bytes, or None if it is unknown."""

Since: TypeAlias = int | datetime.datetime | datetime.timedelta
"""A revision, an aware datetime, or a timedelta before now."""

Age: TypeAlias = datetime.timedelta | datetime.datetime
"""A timedelta before now, or an aware datetime."""


Match: TypeAlias = str | Callable[[ObjectInfo], object]
"""A pattern of names, or a function that returns true for an object that matches."""


class BucketOptions(TypedDict, total=False):
    """The configuration of a bucket as keyword arguments: the fields of `BucketConfig`.

    `ttl` is in seconds (0: no limit), `max_bytes` in bytes (-1: no limit), `replicas` is 1 to 5.
    """

    description: str | None
    ttl: Duration | None
    max_bytes: int | None
    storage: StorageType | Literal["file", "memory"] | None
    replicas: int | None
    placement: Placement | None
    compression: bool | Literal["s2", "none"] | StoreCompression | None
    metadata: dict[str, str] | None
    versioned: bool | None


class JetStreamOptions(TypedDict, total=False):
    """The options of `jetstream`: those of nats-py, and `subject_prefix`.

    `timeout` is in seconds (default 5). `domain` takes precedence over `prefix`. If the account
    imports the subjects `$O.>` of another account as `JS.A.API.$O.>`, then `subject_prefix` is
    `"JS.A.API"`.
    """

    prefix: str
    subject_prefix: str
    domain: str | None
    timeout: Duration
    publish_async_max_pending: int


class BaseConnectOptions(TypedDict, total=False):
    """The options of `connect` that are the same in `jetstow` and `jetstow.sync`.

    They are those of nats-py. Times are in seconds: `connect_timeout` (default 2),
    `reconnect_time_wait` (2), `ping_interval` (120), `drain_timeout` (30), `flush_timeout`
    (none). `max_reconnect_attempts` (60) is per server, -1 means no limit. `pending_size`
    (2 MiB) is in bytes.
    """

    name: str | None
    pedantic: bool
    verbose: bool
    allow_reconnect: bool
    connect_timeout: Duration
    reconnect_time_wait: Duration
    max_reconnect_attempts: int
    ping_interval: Duration
    max_outstanding_pings: int
    dont_randomize: bool
    flusher_queue_size: int
    no_echo: bool
    tls: ssl.SSLContext | None
    tls_hostname: str | None
    tls_handshake_first: bool
    user: str | Callable[[], str] | None
    password: str | Callable[[], str] | None
    token: str | Callable[[], str] | None
    drain_timeout: Duration
    signature_cb: Callable[[str], bytes] | None
    user_jwt_cb: Callable[[], bytes | bytearray] | None
    user_credentials: str | Path | tuple[str, str] | RawCredentials | None
    nkeys_seed: str | None
    nkeys_seed_str: str | None
    inbox_prefix: str | bytes
    pending_size: int
    flush_timeout: Duration | None
    ws_connection_headers: dict[str, list[str]] | None
    reconnect_to_server_handler: ReconnectToServerHandler | None
    skip_subject_validation: bool


class ConnectOptions(BaseConnectOptions, total=False):
    """The options of `jetstow.connect`. The callbacks are coroutine functions."""

    error_cb: Callable[[Exception], Awaitable[None]] | None
    disconnected_cb: Callable[[], Awaitable[None]] | None
    closed_cb: Callable[[], Awaitable[None]] | None
    discovered_server_cb: Callable[[], Awaitable[None]] | None
    reconnected_cb: Callable[[], Awaitable[None]] | None
    lame_duck_mode_cb: Callable[[], Awaitable[None]] | None


class BlockingConnectOptions(BaseConnectOptions, total=False):
    """The options of `jetstow.sync.connect`. The callbacks are functions, and run in a thread."""

    error_cb: Callable[[Exception], object] | None
    disconnected_cb: Callable[[], object] | None
    closed_cb: Callable[[], object] | None
    discovered_server_cb: Callable[[], object] | None
    reconnected_cb: Callable[[], object] | None
    lame_duck_mode_cb: Callable[[], object] | None


__all__ = [
    "Age",
    "BackupResult",
    "BaseConnectOptions",
    "BlockingConnectOptions",
    "BlockingData",
    "BucketOptions",
    "ConnectOptions",
    "Data",
    "DeleteResult",
    "Duration",
    "Finding",
    "GarbageResult",
    "JetStreamOptions",
    "Match",
    "MirrorResult",
    "Progress",
    "Readable",
    "RestoreResult",
    "Since",
    "StoredChunks",
    "SyncResult",
    "VerifyResult",
    "Writable",
]
