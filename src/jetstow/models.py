"""What a bucket and an object look like to a user: nats-py's types, completed to ADR-20."""

from __future__ import annotations

import datetime
import mimetypes
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from nats.js import api
from nats.js.api import ObjectLink, ObjectMetaOptions, Placement, StorageType, StoreCompression
from nats.js.object_store import ObjectStore as _NatsObjectStore

from jetstow import _html

Headers = dict[str, list[str]]

# The headers that mean something. Those with our name are not for users to set.
CONTENT_TYPE: Final = "Content-Type"
TAGS: Final = "Tags"
EXPIRES: Final = "Jetstow-Expires"
ENCRYPTION: Final = "Jetstow-Encryption"


def is_store_header(name: str) -> bool:
    """Whether a header is the store's own."""
    return name.lower().startswith("jetstow-")


def header(headers: Headers | None, name: str) -> list[str]:
    """The values of a header, however it is written: upper and lower case are the same."""
    if not headers:
        return []
    if name not in headers:
        name = next((given for given in headers if given.lower() == name.lower()), name)
    return headers.get(name, [])


def expires(headers: Headers | None) -> datetime.datetime | None:
    """When an object with these headers will be gone."""
    if not (said := header(headers, EXPIRES)):
        return None
    try:
        moment = datetime.datetime.fromisoformat(said[0])
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=datetime.UTC)


@dataclass
class ObjectMeta(api.ObjectMeta):
    """What a user says about an object: name, description, headers, metadata, options.

    `headers` maps a name to a string or a list of strings, `metadata` a string to a string.
    `options.max_chunk_size` is the size in bytes that a `put` cuts its chunks to.
    `content_type` and `tags` are kept as the headers `Content-Type` and `Tags`: given here,
    they take the place of those in `headers`.
    """

    metadata: dict[str, str] | None = None
    content_type: str | None = None
    tags: list[str] | None = None


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
        named = (CONTENT_TYPE.lower(), TAGS.lower())
        others = {
            name: values
            for name, values in (self.headers or {}).items()
            if name.lower() not in named and not is_store_header(name)
        }
        return ObjectMeta(
            name=self.name,
            description=self.description,
            headers=others or None,
            options=self.options,
            metadata=self.metadata,
            content_type=next(iter(self._header(CONTENT_TYPE)), None),
            tags=self.tags or None,
        )

    @property
    def content_type(self) -> str | None:
        """What kind of bytes these are, as in `text/csv`: as it was said, else by the name."""
        said = next(iter(self._header(CONTENT_TYPE)), None)
        return said or mimetypes.guess_type(self.name, strict=False)[0]

    @property
    def tags(self) -> list[str]:
        """The words by which `find` finds it."""
        return self._header(TAGS)

    @property
    def expires(self) -> datetime.datetime | None:
        """When it will be gone; None for an object that stays."""
        return expires(self.headers)

    @property
    def encrypted(self) -> bool:
        """Whether its bytes need a key (see `ObjectStore.encrypted`)."""
        return bool(self._header(ENCRYPTION))

    def _header(self, name: str) -> list[str]:
        return header(self.headers, name)

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

    def _repr_html_(self) -> str:
        """A table of facts, for notebooks."""
        link = self.link
        return _html.facts(
            ("object", f"{self.bucket}/{self.name}"),
            ("description", self.description),
            ("link to", f"{link.bucket}/{link.name or ''}" if link else None),
            ("size", None if link else f"{self.size or 0:,} bytes"),
            ("content type", self.content_type),
            ("modified", self.modified),
            ("expires", self.expires),
            ("tags", ", ".join(self.tags)),
            ("encrypted", "yes" if self.encrypted else None),
            ("revision", self.revision or None),
            ("digest", self.digest),
            *((f"metadata {key}", value) for key, value in (self.metadata or {}).items()),
        )


class ObjectList(list[ObjectInfo]):
    """The objects of a bucket: a list, which notebooks show as a table."""

    def _repr_html_(self) -> str:
        rows = (
            (info.name, info.size or 0, info.modified, info.content_type, ", ".join(info.tags))
            for info in self
        )
        return _html.table(("name", "size", "modified", "content type", "tags"), rows, len(self))


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
    has it (2.10+), `metadata` maps strings to strings (2.10+). What is None is left to the
    server when a bucket is made, and as it is when one is changed.
    """

    replicas: int | None = None  # type: ignore[assignment]
    compression: bool | Literal["s2", "none"] | StoreCompression | None = None
    metadata: dict[str, str] | None = None


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

    def _repr_html_(self) -> str:
        """A table of facts, for notebooks."""
        return _html.facts(
            ("bucket", self.bucket),
            ("description", self.description),
            ("size", f"{self.size:,} bytes"),
            ("limit", f"{self.max_bytes:,} bytes" if self.max_bytes >= 0 else None),
            ("objects live for", f"{self.ttl:g} s" if self.ttl else None),
            ("replicas", self.replicas),
            ("storage", self.storage_type),
            ("compressed", "yes" if self.compressed else None),
            ("sealed", "yes" if self.sealed else None),
            ("created", self.created),
        )


__all__ = [
    "CONTENT_TYPE",
    "ENCRYPTION",
    "EXPIRES",
    "TAGS",
    "BucketConfig",
    "BucketStatus",
    "Headers",
    "ObjectInfo",
    "ObjectLink",
    "ObjectList",
    "ObjectMeta",
    "ObjectMetaOptions",
    "ObjectResult",
    "Placement",
    "StorageType",
    "StoreCompression",
]
