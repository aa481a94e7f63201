"""The configuration and the state of a bucket."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Final, Literal

from nats.js import api
from nats.js.api import Placement, StoreCompression
from nats.js.object_store import ObjectStore as _NatsObjectStore

from jetstow import _html

# The key in a stream's metadata with the state of versioning: see `docs/wire.md`.
VERSIONING: Final = "jetstow.versioning"


@dataclass
class BucketConfig(api.ObjectStoreConfig):
    """The configuration of a bucket.

    `ttl` is in seconds, or a timedelta (None or 0: objects do not expire). `max_bytes` limits the
    stored bytes, subjects and headers included (None, 0 or -1: no limit). `replicas` is 1 to 5.
    `compression` is S2 compression on disk (server 2.10+), `metadata` maps strings to strings
    (server 2.10+).
    `versioned` keeps what is replaced and deleted as versions (server 2.10+); False suspends that.
    A field that is None gets the server's default when a bucket is created, and stays unchanged
    when a bucket is updated.
    """

    ttl: float | datetime.timedelta | None = None  # type: ignore[assignment]
    replicas: int | None = None  # type: ignore[assignment]
    compression: bool | Literal["s2", "none"] | StoreCompression | None = None
    metadata: dict[str, str] | None = None
    versioned: bool | None = None


@dataclass(frozen=True, repr=False)
class BucketStatus(_NatsObjectStore.ObjectStoreStatus):
    """The state of a bucket: nats-py's status with further fields of the stream's configuration."""

    def __repr__(self) -> str:
        limits = f", max_bytes={self.max_bytes}" if self.max_bytes >= 0 else ""
        limits += f", ttl={self.ttl:g}" if self.ttl else ""
        return (
            f"BucketStatus({self.bucket!r}, size={self.size}{limits}, sealed={bool(self.sealed)}, "
            f"storage={getattr(self.storage_type, 'value', self.storage_type)!r}, "
            f"replicas={self.replicas})"
        )

    @property
    def max_bytes(self) -> int:
        """The limit of stored bytes; -1 if there is no limit."""
        limit = self.stream_info.config.max_bytes
        return -1 if limit is None else limit

    @property
    def compressed(self) -> bool:
        """Whether the stream is compressed on disk."""
        return self.stream_info.config.compression in (StoreCompression.S2, "s2")

    @property
    def metadata(self) -> dict[str, str]:
        """The bucket's metadata, without the keys of versioning and of the server (`_nats.*`)."""
        metadata = self.stream_info.config.metadata or {}
        return {
            key: value
            for key, value in metadata.items()
            if not key.startswith("_nats.") and key != VERSIONING
        }

    @property
    def versioning(self) -> Literal["enabled", "suspended"] | None:
        """Whether the bucket keeps versions; None if it never did."""
        metadata = self.stream_info.config.metadata or {}
        state = metadata.get(VERSIONING, "").partition(":")[0]
        return state if state in ("enabled", "suspended") else None  # type: ignore[return-value]

    @property
    def placement(self) -> Placement | None:
        """The requested placement in the cluster: a cluster name and server tags."""
        return self.stream_info.config.placement

    @property
    def created(self) -> datetime.datetime | None:
        """The time at which the bucket was created."""
        return self.stream_info.created

    def _repr_html_(self) -> str:
        """Return an HTML table for notebooks."""
        return _html.facts_table(
            ("bucket", self.bucket),
            ("description", self.description),
            ("size", f"{self.size:,} bytes"),
            ("limit", f"{self.max_bytes:,} bytes" if self.max_bytes >= 0 else None),
            ("ttl", f"{self.ttl:g} s" if self.ttl else None),
            ("replicas", self.replicas),
            ("storage", self.storage_type),
            ("compressed", "yes" if self.compressed else None),
            ("versioning", self.versioning),
            ("sealed", "yes" if self.sealed else None),
            ("created", self.created),
        )
