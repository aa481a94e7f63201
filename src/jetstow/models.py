"""What a bucket and an object look like to a user: nats-py's types, completed to ADR-20."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from nats.js import api
from nats.js.api import ObjectLink, ObjectMetaOptions, Placement, StorageType, StoreCompression
from nats.js.object_store import ObjectStore as _NatsObjectStore

Headers = dict[str, list[str]]

Progress = Callable[[int, int | None], None]
"""Called with the bytes done so far, and with those there are in all or None."""


@dataclass
class ObjectMeta(api.ObjectMeta):
    """What a user says about an object: name, description, headers, metadata, options.

    `headers` maps a name to a string or a list of strings, `metadata` a string to a string.
    `options.max_chunk_size` is the size in bytes that a `put` cuts its chunks to.
    """

    metadata: dict[str, str] | None = None


@dataclass
class ObjectInfo(api.ObjectInfo):
    """What the store knows of an object: its `ObjectMeta` and the facts of its bytes.

    `size` is in bytes, `chunks` counts messages, `digest` is `SHA-256=` and base64url,
    `mtime` is RFC 3339 in UTC as the server stamped it, `headers` map to lists of strings.
    `revision` is the stream sequence of the metadata: hand it to `expected_revision` to
    change the object only if nobody else has. `extra` holds fields of other clients that
    ADR-20 does not name; they are kept when the metadata is written again.
    """

    metadata: dict[str, str] | None = None
    revision: int = 0
    extra: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def meta(self) -> ObjectMeta:
        """The part that `update_meta` can change."""
        return ObjectMeta(
            name=self.name,
            description=self.description,
            headers=self.headers,
            options=self.options,
            metadata=self.metadata,
        )

    @property
    def link(self) -> ObjectLink | None:
        """Where a link points to: a bucket, and an object in it or none."""
        return self.options.link if self.options is not None else None

    @property
    def modified(self) -> datetime.datetime | None:
        """`mtime` as an aware datetime (microseconds; the server keeps nanoseconds)."""
        if not self.mtime:
            return None
        seconds, _, rest = self.mtime.rstrip("Z").partition(".")
        whole = datetime.datetime.fromisoformat(seconds).replace(tzinfo=datetime.UTC)
        return whole.replace(microsecond=int(rest[:6].ljust(6, "0")) if rest else 0)


@dataclass
class ObjectResult(_NatsObjectStore.ObjectResult):
    """What `get` returns: the object's info, and its bytes unless they went to a writer."""

    info: ObjectInfo
    data: bytes = b""


@dataclass
class BucketConfig(api.ObjectStoreConfig):
    """How a bucket is kept.

    `ttl` is in seconds (None or 0: for ever), `max_bytes` counts everything stored (None,
    0 or -1: no limit), `replicas` is 1 to 5, `compression` is S2 on disk where the server
    has it (2.10+), `metadata` maps strings to strings (2.10+), `fast_ingest` lets chunks
    come in batches (2.14+, and there unless it is False). What is None is left to the
    server when a bucket is made, and as it is when one is changed.
    """

    replicas: int | None = None  # type: ignore[assignment]
    compression: bool | Literal["s2", "none"] | StoreCompression | None = None
    metadata: dict[str, str] | None = None
    fast_ingest: bool | None = None


@dataclass(frozen=True)
class BucketStatus(_NatsObjectStore.ObjectStoreStatus):
    """The state of a bucket: nats-py's status, and what it leaves out."""

    @property
    def max_bytes(self) -> int:
        """The most that the bucket may hold, in bytes; -1 for no limit."""
        limit = self.stream_info.config.max_bytes
        return -1 if limit is None else limit

    @property
    def compressed(self) -> bool:
        """Whether the stream is compressed on disk."""
        return self.stream_info.config.compression in (StoreCompression.S2, "s2")

    @property
    def metadata(self) -> dict[str, str]:
        """What its users noted on the bucket. (The server's own `_nats.` notes are left out.)"""
        noted = self.stream_info.config.metadata or {}
        return {key: value for key, value in noted.items() if not key.startswith("_nats.")}

    @property
    def placement(self) -> Placement | None:
        """Where in the cluster the bucket asked to live."""
        return self.stream_info.config.placement

    @property
    def created(self) -> datetime.datetime | None:
        """When the bucket was made."""
        return self.stream_info.created


__all__ = [
    "BucketConfig",
    "BucketStatus",
    "Headers",
    "ObjectInfo",
    "ObjectLink",
    "ObjectMeta",
    "ObjectMetaOptions",
    "ObjectResult",
    "Placement",
    "Progress",
    "StorageType",
    "StoreCompression",
]
