"""The results of calls that concern many objects."""

from __future__ import annotations

from dataclasses import dataclass, field

from jetstow.errors import JetstowError


@dataclass(frozen=True)
class Finding:
    """A problem that `verify` or `collect_garbage` found.

    `name` is the object concerned, or None for metadata that no name leads to. `error` is what
    reading the object raises: an `IntegrityError`, or for a broken link an `ObjectNotFoundError`,
    a `BucketNotFoundError` or a `LinkError`. `version` is the id of the version concerned, None if
    it is the current one.
    """

    name: str | None
    error: JetstowError
    version: str | None = None


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
    `names` are old names that an interrupted rename left. `markers` counts delete markers, and
    `versions` what interrupted changes kept of versions that are still current. `findings` is
    unreadable metadata, which may refer to any chunk: if there is any, no chunk is removed.
    """

    bucket: str
    uploads: int = 0
    messages: int = 0
    recent: int = 0
    names: tuple[str, ...] = ()
    markers: int = 0
    findings: tuple[Finding, ...] = ()
    versions: int = 0


@dataclass(frozen=True)
class StoredChunks:
    """The part of an object that `ObjectWriter.checkpoint` found stored, before it has a name.

    `name` is that of the object, `nuid` that of its chunks: `chunks` of `chunk_size` bytes each.
    `remainder` is what was written behind them, and is not stored.
    """

    name: str
    nuid: str
    chunk_size: int
    chunks: int
    remainder: bytes = b""

    @property
    def size(self) -> int:
        """How many bytes were written up to the checkpoint."""
        return self.chunks * self.chunk_size + len(self.remainder)


@dataclass
class DeleteResult:
    """What `delete_many` did with each name.

    `missing` had no object, or it was deleted by another client in the meantime. `failed` has an
    error for each object that could not be deleted.
    """

    bucket: str
    deleted: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    failed: list[JetstowError] = field(default_factory=list)


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
    "BackupResult",
    "DeleteResult",
    "Finding",
    "GarbageResult",
    "MirrorResult",
    "RestoreResult",
    "StoredChunks",
    "SyncResult",
    "VerifyResult",
]
