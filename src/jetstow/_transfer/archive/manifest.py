"""The JSON in an archive: the bucket, its entries and the manifest, with checked types."""

from __future__ import annotations

import hashlib
from typing import Annotated, Final, Literal, TypeVar

import msgspec

from jetstow._core.protocol.digest import Digest
from jetstow._core.protocol.duration import seconds
from jetstow._transfer.plan import ObjectSpec
from jetstow.errors import BadArchiveError
from jetstow.models import (
    BucketConfig,
    ObjectHeaders,
    ObjectInfo,
    ObjectLink,
    Placement,
    StorageType,
)

FORMAT: Final = "jetstow backup"
VERSION: Final = 1

BUCKET_PATH: Final = "bucket.json"
MANIFEST_PATH: Final = "manifest.json"
OBJECTS_FOLDER: Final = "objects/"
LINKS_FOLDER: Final = "links/"

# In bytes. Metadata is one NATS message, and max_payload is 1 MiB by default and rarely more.
MAX_JSON_SIZE: Final = 16 * 1024 * 1024

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
T = TypeVar("T")


class LinkTarget(msgspec.Struct, omit_defaults=True):
    """The target of a link: an object, or a bucket if `name` is None."""

    bucket: str
    name: str | None = None


class Entry(msgspec.Struct, omit_defaults=True):
    """An object or a link. `revision` and `mtime` are informational: a restore sets new ones."""

    name: str
    size: Count = 0
    digest: str = ""
    mtime: str | None = None
    revision: Count = 0
    chunk_size: Count | None = None
    description: str | None = None
    headers: dict[str, list[str]] | None = None
    metadata: dict[str, str] | None = None
    link: LinkTarget | None = None

    @classmethod
    def from_info(cls, info: ObjectInfo) -> Entry:
        """Return the entry of an object or a link."""
        link = info.link
        return cls(
            name=info.name,
            size=info.size or 0,
            digest=info.digest or "",
            mtime=info.mtime,
            revision=info.revision,
            chunk_size=info.options.max_chunk_size if info.options else None,
            description=info.description,
            headers=info.headers.to_lists() if info.headers else None,
            metadata=info.metadata,
            link=None if link is None else LinkTarget(link.bucket, link.name),
        )

    @property
    def spec(self) -> ObjectSpec:
        """The object or link to restore."""
        return ObjectSpec(
            name=self.name,
            size=self.size,
            digest=self.digest,
            chunk_size=self.chunk_size or None,
            description=self.description,
            headers=ObjectHeaders(self.headers) if self.headers else None,
            metadata=self.metadata,
            link=None if self.link is None else ObjectLink(self.link.bucket, self.link.name),
        )


class PlacementEntry(msgspec.Struct, omit_defaults=True):
    """The placement of a bucket in a cluster."""

    cluster: str | None = None
    tags: list[str] | None = None


class BucketEntry(msgspec.Struct, omit_defaults=True):
    """The format of the archive, and the configuration of its bucket."""

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
    placement: PlacementEntry | None = None
    sealed: bool = False
    versioned: bool = False

    @classmethod
    def from_config(cls, config: BucketConfig, *, sealed: bool) -> BucketEntry:
        """Return the entry of a bucket."""
        placement = config.placement
        return cls(
            format=FORMAT,
            version=VERSION,
            bucket=config.bucket or "",
            description=config.description,
            ttl=seconds(config.ttl),
            max_bytes=config.max_bytes,
            storage="memory" if config.storage is StorageType.MEMORY else "file",
            replicas=config.replicas or 1,
            compression="s2" if config.compression else None,
            metadata=config.metadata,
            placement=None if placement is None else _placement_entry(placement),
            sealed=sealed,
            versioned=bool(config.versioned),
        )

    def config(self, bucket: str) -> BucketConfig:
        """Return the configuration for a new bucket."""
        placement = self.placement
        return BucketConfig(
            bucket=bucket,
            description=self.description,
            ttl=self.ttl,
            max_bytes=self.max_bytes,
            storage=StorageType(self.storage),
            replicas=self.replicas,
            compression=self.compression,
            metadata=self.metadata,
            placement=None if placement is None else Placement(placement.cluster, placement.tags),
            versioned=self.versioned or None,
        )


def _placement_entry(placement: Placement) -> PlacementEntry:
    return PlacementEntry(placement.cluster, placement.tags)


class Manifest(msgspec.Struct):
    """The contents of the archive, by which a restore detects missing entries.

    `left_out` counts the objects that the backup could not read.
    """

    objects: Count
    links: Count
    size: Count
    left_out: Count
    digest: str


class ManifestBuilder:
    """Builds a manifest from the entries as they are written or read."""

    def __init__(self) -> None:
        self.objects = self.links = self.size = 0
        self._digest = Digest()

    def add(self, entry: Entry, encoded: bytes) -> None:
        """Add an entry. `encoded` is its JSON in the archive."""
        if entry.link is None:
            self.objects += 1
            self.size += entry.size
        else:
            self.links += 1
        self._digest.update(hashlib.sha256(encoded).digest())

    def build(self, left_out: int) -> Manifest:
        """Return the manifest of the entries so far."""
        return Manifest(self.objects, self.links, self.size, left_out, str(self._digest))


encode = msgspec.json.Encoder().encode


def decode(kind: type[T], encoded: bytes, subject: str) -> T:
    """Decode JSON. `subject` describes it in the error message.

    Raises: `BadArchiveError` (it is not valid JSON, or has wrong types).
    """
    try:
        return msgspec.json.decode(encoded, type=kind)
    except (ValueError, RecursionError) as error:  # includes msgspec's errors and invalid UTF-8
        raise BadArchiveError(f"{subject} is not valid: {error}") from None


__all__ = [
    "BUCKET_PATH",
    "FORMAT",
    "LINKS_FOLDER",
    "MANIFEST_PATH",
    "MAX_JSON_SIZE",
    "OBJECTS_FOLDER",
    "VERSION",
    "BucketEntry",
    "Entry",
    "Manifest",
    "ManifestBuilder",
    "decode",
    "encode",
]
