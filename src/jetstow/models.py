"""The models of buckets and objects: nats-py's types with the fields of ADR-20 that they lack."""

from __future__ import annotations

import datetime
import mimetypes
from dataclasses import dataclass, field, fields
from typing import Any

from nats.js import api
from nats.js.api import ObjectLink, ObjectMetaOptions, Placement, StorageType, StoreCompression
from nats.js.object_store import ObjectStore as _NatsObjectStore

from jetstow import _html
from jetstow._bucket_models import BucketConfig, BucketStatus
from jetstow._digest import parse_digest
from jetstow._headers import (
    CONTENT_TYPE_HEADER,
    ENCRYPTION_HEADER,
    TAGS_HEADER,
    ObjectHeaders,
    expiry_from_headers,
    header_values,
    is_reserved_header,
)
from jetstow._object_lock import Retention, has_legal_hold, retention_of

# The longest data that the repr of a result has, in bytes.
_MAX_REPR_DATA = 64


@dataclass
class ObjectMeta(api.ObjectMeta):
    """The metadata of an object that a user can set.

    `headers` maps a name to a string or a list of strings, `metadata` a string to a string.
    `options.max_chunk_size` is the chunk size of a `put` in bytes (default 128 KiB).
    `content_type` and `tags` are stored as the headers `Content-Type` and `Tags` and replace
    those in `headers`.

    `retention` and `legal_hold` lock the version that is stored, in a versioned bucket.
    `update_meta` does not change a lock: see `set_retention` and `set_legal_hold`.
    """

    metadata: dict[str, str] | None = None
    content_type: str | None = None
    tags: list[str] | None = None
    retention: Retention | None = None
    legal_hold: bool | None = None


@dataclass
class ObjectInfo(api.ObjectInfo):
    """An object's metadata and the facts of its stored bytes (ADR-20).

    `size` is in bytes, `chunks` is the number of messages, `digest` is `SHA-256=` and base64url.
    `mtime` is the server's timestamp of the metadata message in RFC 3339, UTC. `nuid`
    identifies the chunks.

    `revision` is the stream sequence of the metadata. Pass it as `expected_revision` to change
    the object only if no other client has changed it.

    `replaced` is set after a write with `keep_replaced`: the object that it replaced, whose chunks
    are still in the bucket.

    `extra` contains fields of other clients that ADR-20 does not define. They are kept when the
    metadata is written again.

    `version` is the id of the version, or None in a bucket without versioning. Objects that were
    written before versioning, or while it is suspended, have the id "null".
    """

    headers: ObjectHeaders | None = None
    metadata: dict[str, str] | None = None
    revision: int = 0
    extra: dict[str, Any] = field(default_factory=dict, repr=False)
    replaced: ObjectInfo | None = field(default=None, repr=False, compare=False)
    version: str | None = None

    @property
    def meta(self) -> ObjectMeta:
        """The part that `update_meta` can change."""
        excluded = (CONTENT_TYPE_HEADER.lower(), TAGS_HEADER.lower())
        headers = ObjectHeaders(
            (name, values)
            for name, values in ObjectHeaders(self.headers or {}).items()
            if name.lower() not in excluded and not is_reserved_header(name)
        )
        return ObjectMeta(
            name=self.name,
            description=self.description,
            headers=headers or None,
            options=self.options,
            metadata=self.metadata,
            content_type=next(iter(self._header_values(CONTENT_TYPE_HEADER)), None),
            tags=self.tags or None,
        )

    @property
    def content_type(self) -> str | None:
        """The media type, for example `text/csv`: the header, or a guess from the name."""
        value = next(iter(self._header_values(CONTENT_TYPE_HEADER)), None)
        return value or mimetypes.guess_type(self.name, strict=False)[0]

    @property
    def tags(self) -> list[str]:
        """The tags, by which `find` can select objects."""
        return self._header_values(TAGS_HEADER)

    @property
    def expires(self) -> datetime.datetime | None:
        """The time at which the server removes the object; None if it does not expire."""
        return expiry_from_headers(self.headers)

    @property
    def retention(self) -> Retention | None:
        """Until when this version is kept; None if it has no retention (`set_retention`)."""
        return retention_of(self.headers)

    @property
    def legal_hold(self) -> bool:
        """Whether this version is kept until its legal hold is removed (`set_legal_hold`)."""
        return has_legal_hold(self.headers)

    @property
    def encrypted(self) -> bool:
        """Whether the bytes are encrypted (see `ObjectStore.encrypted`)."""
        return bool(self._header_values(ENCRYPTION_HEADER))

    def _header_values(self, name: str) -> list[str]:
        return header_values(self.headers, name)

    @property
    def sha256(self) -> str | None:
        """The SHA-256 digest of the stored bytes in hexadecimal; None if there is no digest."""
        raw = parse_digest(self.digest or "")
        return None if raw is None else raw.hex()

    @property
    def link(self) -> ObjectLink | None:
        """The target of a link: a bucket, and the name of an object in it or None."""
        return self.options.link if self.options is not None else None

    @property
    def modified(self) -> datetime.datetime | None:
        """`mtime` as an aware datetime, truncated from nanoseconds to microseconds."""
        return datetime.datetime.fromisoformat(self.mtime) if self.mtime else None

    def _repr_html_(self) -> str:
        """Return an HTML table for notebooks."""
        link = self.link
        return _html.facts_table(
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


@dataclass(eq=False)
class FileInfo(ObjectInfo):
    """The info of an object that `get_file` read into a file.

    `written` is false if the file had the object's bytes already, so that nothing was done. The
    other fields are those of `ObjectInfo`, which a comparison uses.
    """

    written: bool = True

    @classmethod
    def of(cls, info: ObjectInfo, *, written: bool) -> FileInfo:
        """Return the info with the result of a `get_file`."""
        return cls(
            **{each.name: getattr(info, each.name) for each in _INFO_FIELDS}, written=written
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ObjectInfo):
            return NotImplemented
        return all(getattr(self, each.name) == getattr(other, each.name) for each in _INFO_FIELDS)

    __hash__ = None  # type: ignore[assignment]


_INFO_FIELDS = fields(ObjectInfo)


class ObjectList(list[ObjectInfo]):
    """A list of `ObjectInfo` that notebooks render as a table."""

    def _repr_html_(self) -> str:
        rows = (
            (info.name, info.size or 0, info.modified, info.content_type, ", ".join(info.tags))
            for info in self
        )
        return _html.rows_table(
            ("name", "size", "modified", "content type", "tags"), rows, len(self)
        )


@dataclass(repr=False)
class ObjectResult(_NatsObjectStore.ObjectResult):
    """The result of `get`. `data` is empty if `get` wrote the bytes to a file."""

    info: ObjectInfo
    data: bytes = b""

    def __repr__(self) -> str:
        data = repr(self.data) if len(self.data) <= _MAX_REPR_DATA else f"<{len(self.data)} bytes>"
        info = self.info
        return f"ObjectResult({info.name!r}, bucket={info.bucket!r}, size={info.size}, data={data})"


__all__ = [
    "BucketConfig",
    "BucketStatus",
    "FileInfo",
    "ObjectHeaders",
    "ObjectInfo",
    "ObjectLink",
    "ObjectList",
    "ObjectMeta",
    "ObjectMetaOptions",
    "ObjectResult",
    "Placement",
    "Retention",
    "StorageType",
    "StoreCompression",
]
