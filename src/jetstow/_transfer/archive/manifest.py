"""What the archive says of a bucket, an object and itself: JSON, checked when it is read."""

from __future__ import annotations

import hashlib
from typing import Annotated, Final, Literal, TypeVar

import msgspec

from jetstow._transfer.plan import Wanted, written
from jetstow.errors import BadArchiveError
from jetstow.models import BucketConfig, ObjectInfo, ObjectLink, Placement, StorageType

FORMAT: Final = "jetstow backup"
VERSION: Final = 1

BUCKET: Final = "bucket.json"
MANIFEST: Final = "manifest.json"
OBJECTS: Final = "objects/"
LINKS: Final = "links/"

# Metadata is one message, of a MiB at most unless the server is told otherwise.
MOST_JSON: Final = 16 * 1024 * 1024

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
T = TypeVar("T")


class Link(msgspec.Struct, omit_defaults=True):
    """Where a link leads."""

    bucket: str
    name: str | None = None


class Entry(msgspec.Struct, omit_defaults=True):
    """An object or a link. Revision and time are told, and cannot be given back."""

    name: str
    size: Count = 0
    digest: str = ""
    mtime: str | None = None
    revision: Count = 0
    chunk_size: Count | None = None
    description: str | None = None
    headers: dict[str, list[str]] | None = None
    metadata: dict[str, str] | None = None
    link: Link | None = None

    @classmethod
    def of(cls, info: ObjectInfo) -> Entry:
        """What there is to say of an object."""
        link = info.link
        return cls(
            name=info.name,
            size=info.size or 0,
            digest=info.digest or "",
            mtime=info.mtime,
            revision=info.revision,
            chunk_size=info.options.max_chunk_size if info.options else None,
            description=info.description,
            headers=info.headers,
            metadata=info.metadata,
            link=None if link is None else Link(link.bucket, link.name),
        )

    @property
    def wanted(self) -> Wanted:
        """What is to stand under the name."""
        return Wanted(
            name=self.name,
            size=self.size,
            digest=self.digest,
            chunk_size=self.chunk_size or None,
            description=self.description,
            headers=self.headers,
            metadata=self.metadata,
            link=None if self.link is None else ObjectLink(self.link.bucket, self.link.name),
        )


class Place(msgspec.Struct, omit_defaults=True):
    """Where in a cluster a bucket asks to live."""

    cluster: str | None = None
    tags: list[str] | None = None


class Bucket(msgspec.Struct, omit_defaults=True):
    """How the bucket is kept, and that this is an archive of ours."""

    bucket: str
    format: str = ""
    version: Count = 0
    description: str | None = None
    ttl: Annotated[float, msgspec.Meta(ge=0)] | None = None
    max_bytes: Count | None = None
    storage: Literal["file", "memory"] = "file"
    replicas: Count = 1
    compression: Literal["s2"] | None = None
    metadata: dict[str, str] | None = None
    placement: Place | None = None
    sealed: bool = False

    @classmethod
    def of(cls, config: BucketConfig, *, sealed: bool) -> Bucket:
        """What there is to say of a bucket."""
        place = config.placement
        return cls(
            format=FORMAT,
            version=VERSION,
            bucket=config.bucket or "",
            description=config.description,
            ttl=config.ttl,
            max_bytes=config.max_bytes,
            storage="memory" if config.storage is StorageType.MEMORY else "file",
            replicas=config.replicas or 1,
            compression="s2" if config.compression else None,
            metadata=config.metadata,
            placement=None if place is None else Place(place.cluster, place.tags),
            sealed=sealed,
        )

    def config(self, bucket: str) -> BucketConfig:
        """The configuration that makes such a bucket."""
        place = self.placement
        return BucketConfig(
            bucket=bucket,
            description=self.description,
            ttl=self.ttl,
            max_bytes=self.max_bytes,
            storage=StorageType(self.storage),
            replicas=self.replicas,
            compression=self.compression,
            metadata=self.metadata,
            placement=None if place is None else Placement(place.cluster, place.tags),
        )


class Manifest(msgspec.Struct):
    """What the archive holds, so that a part of one is not taken for the whole."""

    objects: Count
    links: Count
    size: Count
    left_out: Count
    digest: str


class Tally:
    """The manifest as it grows, from the entries that pass."""

    def __init__(self) -> None:
        self.objects = self.links = self.size = 0
        self._sha = hashlib.sha256()

    def add(self, entry: Entry, told: bytes) -> None:
        """Count an entry, whose JSON was `told`."""
        if entry.link is None:
            self.objects += 1
            self.size += entry.size
        else:
            self.links += 1
        self._sha.update(hashlib.sha256(told).digest())

    def manifest(self, left_out: int) -> Manifest:
        """The manifest of what was added."""
        return Manifest(self.objects, self.links, self.size, left_out, written(self._sha.digest()))


encode = msgspec.json.Encoder().encode


def decode(kind: type[T], told: bytes, what: str) -> T:
    """JSON of the right types. Raises `BadArchiveError`."""
    try:
        return msgspec.json.decode(told, type=kind)
    except (ValueError, RecursionError) as error:  # msgspec's own, and bad UTF-8
        raise BadArchiveError(f"{what} cannot be read: {error}") from None


__all__ = [
    "BUCKET",
    "LINKS",
    "MANIFEST",
    "MOST_JSON",
    "OBJECTS",
    "Bucket",
    "Entry",
    "Manifest",
    "Tally",
    "decode",
    "encode",
]
