"""The types of arguments and results that are not models of a bucket or an object."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    Protocol,
    TypeAlias,
    TypedDict,
    runtime_checkable,
)

from jetstow.errors import JetstowError
from jetstow.models import Placement, StorageType, StoreCompression

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

Progress: TypeAlias = Callable[[int, int | None], None]
"""Called with the bytes done so far and the total number of bytes, or None if it is unknown."""

Since: TypeAlias = int | datetime.datetime
"""A revision, or an aware datetime."""

Age: TypeAlias = datetime.timedelta | datetime.datetime
"""A timedelta before now, or an aware datetime."""


class BucketOptions(TypedDict, total=False):
    """The configuration of a bucket as keyword arguments: the fields of `BucketConfig`.

    `ttl` is in seconds (0: no limit), `max_bytes` in bytes (-1: no limit), `replicas` is 1 to 5.
    """

    description: str | None
    ttl: float | None
    max_bytes: int | None
    storage: StorageType | Literal["file", "memory"] | None
    replicas: int | None
    placement: Placement | None
    compression: bool | Literal["s2", "none"] | StoreCompression | None
    metadata: dict[str, str] | None


class JetStreamOptions(TypedDict, total=False):
    """The options of `jetstream`: those of nats-py, and `subject_prefix`.

    `timeout` is in seconds (default 5). `domain` takes precedence over `prefix`. If the account
    imports the subjects `$O.>` of another account as `JS.A.API.$O.>`, then `subject_prefix` is
    `"JS.A.API"`.
    """

    prefix: str
    subject_prefix: str
    domain: str | None
    timeout: float
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
    connect_timeout: float
    reconnect_time_wait: float
    max_reconnect_attempts: int
    ping_interval: float
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
    drain_timeout: float
    signature_cb: Callable[[str], bytes] | None
    user_jwt_cb: Callable[[], bytes | bytearray] | None
    user_credentials: str | Path | tuple[str, str] | RawCredentials | None
    nkeys_seed: str | None
    nkeys_seed_str: str | None
    inbox_prefix: str | bytes
    pending_size: int
    flush_timeout: float | None
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


@dataclass(frozen=True)
class Finding:
    """A problem that `verify` or `collect_garbage` found.

    `name` is the object concerned, or None for metadata that no name leads to. `error` is what
    reading the object raises: an `IntegrityError`, or for a broken link an `ObjectNotFoundError`,
    a `BucketNotFoundError` or a `LinkError`.
    """

    name: str | None
    error: JetstowError


@dataclass(frozen=True)
class VerifyResult:
    """What `verify` found in a bucket.

    `objects` and `links` count what was checked. `size` is the number of bytes in their chunks,
    read or counted. `unused` is the number of chunks that belong to no object, or None if not all
    chunks were counted (they are when `quick` checks the whole bucket). Uploads under way have
    unused chunks; `collect_garbage` removes those of uploads that died.
    """

    bucket: str
    objects: int = 0
    links: int = 0
    size: int = 0
    unused: int | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether no problem was found."""
        return not self.findings


@dataclass(frozen=True)
class GarbageResult:
    """What `collect_garbage` removed from a bucket, or would remove in a dry run.

    `uploads` counts uploads and replaced objects of which only chunks were left, `messages` their
    chunks. `recent` counts those that were kept because they are younger than the grace period.
    `names` are old names that an interrupted rename left. `markers` counts delete markers.
    `findings` is unreadable metadata, which may refer to any chunk: if there is any, no chunk is
    removed.
    """

    bucket: str
    uploads: int = 0
    messages: int = 0
    recent: int = 0
    names: tuple[str, ...] = ()
    markers: int = 0
    findings: tuple[Finding, ...] = ()


@dataclass
class BackupResult:
    """What an archive holds. `size` is in bytes; `failed` has an error for each unread object."""

    bucket: str
    objects: int = 0
    links: int = 0
    size: int = 0
    failed: list[JetstowError] = field(default_factory=list)


@dataclass
class RestoreResult:
    """What `restore` did. `size` is in bytes.

    `unchanged` counts objects that the bucket had already, `failed` has an error for each object
    that differs from the archive, `omitted` counts objects that the backup itself could not read.
    `sealed` is whether the bucket was sealed at the time of the backup (it is not now).
    """

    bucket: str
    objects: int = 0
    links: int = 0
    unchanged: int = 0
    size: int = 0
    omitted: int = 0
    sealed: bool = False
    failed: list[JetstowError] = field(default_factory=list)


@dataclass
class MirrorResult:
    """What `mirror` did with each name, or would do in a dry run. `size` is the bytes copied.

    `copied` names new or different objects and links, `updated` those of which only description,
    headers or metadata differed, `unchanged` those that were the same already.
    """

    copied: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    failed: list[JetstowError] = field(default_factory=list)
    size: int = 0


@dataclass
class SyncResult:
    """What `upload_folder` or `download_folder` did with each name below the prefix.

    In a dry run, what they would do. `copied` are new or have different bytes. `updated` differed
    only in their modification time or mode. `unchanged` were the same already. `skipped` are
    symbolic links and other things that are not files. `failed` has an error for each name that
    could not be copied or removed. `size` is the bytes copied.
    """

    copied: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failed: list[Exception] = field(default_factory=list)
    size: int = 0


__all__ = [
    "Age",
    "BackupResult",
    "BaseConnectOptions",
    "BlockingConnectOptions",
    "BlockingData",
    "BucketOptions",
    "ConnectOptions",
    "Data",
    "Finding",
    "GarbageResult",
    "JetStreamOptions",
    "MirrorResult",
    "Progress",
    "Readable",
    "RestoreResult",
    "Since",
    "SyncResult",
    "VerifyResult",
    "Writable",
]
