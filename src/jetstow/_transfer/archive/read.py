"""Restore a bucket from an archive. An object is committed after its digest is verified."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final, TypeAlias

from jetstow._core.aio.map_in_order import map_in_order
from jetstow._core.aio.worker import run_in_thread
from jetstow._core.protocol.api_errors import FATAL_ERRORS
from jetstow._core.protocol.digest import Digest
from jetstow._transfer.archive.input import read_input
from jetstow._transfer.archive.manifest import (
    BUCKET_PATH,
    FORMAT,
    MANIFEST_PATH,
    MAX_JSON_SIZE,
    VERSION,
    BucketEntry,
    Entry,
    Manifest,
    ManifestBuilder,
    decode,
)
from jetstow._transfer.archive.tar import Member, TarReader
from jetstow._transfer.plan import ObjectSpec, create_bucket
from jetstow.client import JetStreamContext
from jetstow.errors import (
    BadArchiveError,
    BucketNotFoundError,
    DigestMismatchError,
    JetstowError,
    ObjectAlreadyExists,
)
from jetstow.models import ObjectInfo
from jetstow.store import ObjectStore
from jetstow.types import Progress, Readable, RestoreResult

# Objects up to this size in bytes are read into memory, and several are put concurrently.
MAX_BUFFERED_OBJECT_SIZE: Final = 1024 * 1024

BufferedObject: TypeAlias = tuple[ObjectSpec, bytes]
ArchiveSource: TypeAlias = "str | os.PathLike[str] | Readable | AsyncIterable[bytes]"


async def restore(
    js: JetStreamContext,
    file: ArchiveSource,
    bucket: str | None = None,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> RestoreResult:
    """Restore a bucket from an archive: a path, a file, or an asynchronous iterable of bytes.

    `bucket` is the archived name by default. A bucket that does not exist is created with the
    archived configuration. Objects get new times and revisions. Links within the archived
    bucket become links within the restored one.

    An object that the bucket has with the same digest and metadata is left unchanged, so an
    interrupted restore can be repeated and continues. If an object differs, it is kept and an
    `ObjectAlreadyExists` error is added to `failed`; with `overwrite`, it is replaced. Other
    objects of the bucket are not changed. An object that is damaged in the archive is not
    restored, and a `DigestMismatchError` is added to `failed`.

    Raises: `BadArchiveError` (not an archive, damaged or truncated; the objects before the
    damage are restored), `OSError` (the file cannot be read), the errors of
    `create_object_store`.
    """
    total = await run_in_thread(_file_size, file)

    def on_read(count: int) -> None:
        if progress is not None:
            progress(count, total)

    async with aclosing(read_input(file, on_read)) as blocks:
        reader = _ArchiveReader(TarReader(blocks), overwrite=overwrite)
        try:
            await reader.open_bucket(js, bucket)
            return await reader.restore_entries()
        except BadArchiveError as error:
            error.bucket = error.bucket or reader.result.bucket or bucket
            raise


def _file_size(file: object) -> int | None:
    """Return the size of a regular file in bytes; None if there is none or it is unknown."""
    try:
        return Path(file).stat().st_size or None if isinstance(file, str | os.PathLike) else None
    except OSError:
        return None  # opening the file raises the error


class _ArchiveReader:
    """Restores the entries of one archive."""

    def __init__(self, tar: TarReader, *, overwrite: bool) -> None:
        self.result = RestoreResult("")
        self._tar = tar
        self._overwrite = overwrite
        self._builder = ManifestBuilder()
        self._manifest: Manifest | None = None
        self._existing: dict[str, ObjectInfo] = {}
        self._archived_bucket = ""
        self._store: ObjectStore

    async def open_bucket(self, js: JetStreamContext, bucket: str | None) -> None:
        """Read the bucket's entry. Open the bucket, or create it."""
        member = await self._tar.next_member()
        if member is None or member.path != BUCKET_PATH:
            raise BadArchiveError("the archive is not a jetstow backup: it has no bucket.json")
        encoded = await self._tar.read_all(member, MAX_JSON_SIZE)
        entry = decode(BucketEntry, encoded, "the archive's bucket.json")
        if entry.format != FORMAT or entry.version != VERSION:
            raise BadArchiveError(
                f"the archive has the format {entry.format!r}, version {entry.version}; "
                f"only {FORMAT!r}, version {VERSION}, is supported"
            )
        self._archived_bucket, self.result.sealed = entry.bucket, entry.sealed
        self.result.bucket = entry.bucket if bucket is None else bucket
        try:
            self._store = (await js.object_store(self.result.bucket)).as_stored()
        except BucketNotFoundError:
            store = await create_bucket(js, entry.config(self.result.bucket))
            self._store = store.as_stored()
        else:
            self._existing = {info.name: info for info in await self._store.list()}

    async def restore_entries(self) -> RestoreResult:
        """Restore all objects and links, and check the manifest."""
        restored = map_in_order(self._buffered_objects(), self._restore_one, _buffered_size)
        async with aclosing(restored) as results:
            async for _ in results:
                pass
        manifest = self._manifest
        if manifest is None or manifest != self._builder.build(manifest.left_out):
            raise BadArchiveError(
                "the archive is not complete: its entries do not match its manifest"
            )
        self.result.omitted = manifest.left_out
        return self.result

    async def _buffered_objects(self) -> AsyncGenerator[BufferedObject, None]:
        """Yield links and small objects. Larger objects are restored from here, one at a time."""
        while (member := await self._tar.next_member()) is not None:
            if self._manifest is not None:
                raise BadArchiveError("the archive has entries after its manifest")
            if member.path == MANIFEST_PATH:
                encoded = await self._tar.read_all(member, MAX_JSON_SIZE)
                self._manifest = decode(Manifest, encoded, "the archive's manifest")
                continue
            entry = self._entry(member)
            spec = entry.spec.retarget_link(self._archived_bucket, self._store.bucket)
            if entry.link is not None:
                await self._tar.read_all(member, MAX_BUFFERED_OBJECT_SIZE)  # for human readers
                yield spec, b""
            elif entry.size <= MAX_BUFFERED_OBJECT_SIZE:
                data = await self._tar.read_all(member, MAX_BUFFERED_OBJECT_SIZE)
                if Digest(data).matches(entry.digest):
                    yield spec, data
                else:
                    self.result.failed.append(self._damaged_error(entry.name))
            else:
                await self._restore_large(member, spec)

    def _entry(self, member: Member) -> Entry:
        if not member.comment:
            raise BadArchiveError(f"the archive has no metadata for {member.path!r}")
        if len(member.comment) > MAX_JSON_SIZE:
            raise BadArchiveError(f"the archive's metadata for {member.path!r} is too large")
        entry = decode(Entry, member.comment, f"the archive's metadata for {member.path!r}")
        if entry.link is None and entry.size != member.size:
            raise BadArchiveError(
                f"{member.path!r} in the archive has {member.size} bytes, its metadata {entry.size}"
            )
        self._builder.add(entry, member.comment)
        return entry

    async def _restore_large(self, member: Member, spec: ObjectSpec) -> None:
        blocks = self._verified_blocks(member, spec)
        async with aclosing(blocks):
            await self._restore_one((spec, blocks))
            # Read the rest of an object that was not put, or only in part: entries follow.
            try:
                async for _ in blocks:
                    pass
            except DigestMismatchError as error:
                self.result.failed.append(error)

    async def _verified_blocks(
        self, member: Member, spec: ObjectSpec
    ) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of an object.

        Raises: `DigestMismatchError` (after the last block, so that `put` does not commit).
        """
        digest = Digest()
        async with aclosing(self._tar.blocks(member)) as blocks:
            async for block in blocks:
                digest.update(block)
                yield block
        if not digest.matches(spec.digest):
            raise self._damaged_error(spec.name)

    def _damaged_error(self, name: str) -> DigestMismatchError:
        return DigestMismatchError(
            f"object {name!r} of bucket {self._archived_bucket!r} is damaged in the archive",
            bucket=self.result.bucket,
            name=name,
        )

    async def _restore_one(self, item: tuple[ObjectSpec, Any]) -> None:
        """Restore an object or a link; record its error."""
        spec, data = item
        try:
            await self._do_step(spec, data)
        except BadArchiveError:
            raise
        except JetstowError as error:
            if isinstance(error, FATAL_ERRORS):
                raise
            self.result.failed.append(error)

    async def _do_step(self, spec: ObjectSpec, data: Any) -> None:
        existing = self._existing.get(spec.name)
        step = spec.plan_step(existing)
        if step == "skip":
            self.result.unchanged += 1
            return
        if existing is not None and not self._overwrite:
            raise self._exists_error(spec.name)
        if step == "update_meta":
            await spec.update_meta(self._store)
        elif step == "link":
            await spec.put_link(self._store, existing)
        else:
            # Do not replace an object that another client has created since the listing.
            expected_revision = None if self._overwrite else 0
            await spec.put(self._store, data, expected_revision=expected_revision)
            self.result.size += spec.size
        if spec.link is None:
            self.result.objects += 1
        else:
            self.result.links += 1

    def _exists_error(self, name: str) -> ObjectAlreadyExists:
        bucket = self._store.bucket
        return ObjectAlreadyExists(
            f"object {name!r} in bucket {bucket!r} differs from the archive: it is kept",
            bucket=bucket,
            name=name,
        )


def _buffered_size(item: BufferedObject) -> int:
    return len(item[1])


__all__ = ["ArchiveSource", "restore"]
