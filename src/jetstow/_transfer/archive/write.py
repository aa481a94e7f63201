"""Back up a bucket to an archive. Each object is verified before it is written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import aclosing
from typing import Final, TypeAlias

from jetstow._core.aio.cancellation import uncancelled
from jetstow._core.aio.map_in_order import map_in_order
from jetstow._core.protocol.api_errors import FATAL_ERRORS
from jetstow._transfer.archive import tar
from jetstow._transfer.archive.manifest import (
    BUCKET_PATH,
    LINKS_FOLDER,
    MANIFEST_PATH,
    MAX_JSON_SIZE,
    OBJECTS_FOLDER,
    BucketEntry,
    Entry,
    ManifestBuilder,
    encode,
)
from jetstow._transfer.archive.output import ArchiveOutput, open_output
from jetstow._transfer.archive.safe_paths import SafePaths
from jetstow._transfer.archive.spool import Spool
from jetstow._transfer.plan import config_from_status
from jetstow._transfer.progress import ProgressCounter
from jetstow.errors import (
    BadObjectMetaError,
    InvalidOptionError,
    JetstowError,
    LinkError,
    LinkIsABucketError,
    ObjectChangedError,
    ObjectNotFoundError,
)
from jetstow.models import ObjectInfo
from jetstow.store import ObjectStore
from jetstow.types import BackupResult, Progress, Writable

# The errors of `get` for an object that was changed, deleted or replaced by a link after the
# listing.
_CHANGED_ERRORS: Final = (ObjectChangedError, ObjectNotFoundError, LinkError, LinkIsABucketError)

# The attempts to read an object that other clients change during each attempt.
MAX_ATTEMPTS: Final = 10


ArchiveTarget: TypeAlias = str | os.PathLike[str] | Writable


async def backup(
    store: ObjectStore, file: ArchiveTarget, *, progress: Progress | None = None
) -> BackupResult:
    """Back up a bucket to an archive: a path, or a file (binary or asynchronous).

    The archive has the objects and links that were in the bucket at the start. An object that
    is replaced during the backup is archived with its new bytes, one that is deleted is not
    archived. Delete markers are not archived. Backups of an unchanged bucket are identical.

    A file appears at the path when it is complete. It is compressed with gzip if its name ends
    in `.gz` or `.tgz`. Until they are verified, objects of more than 1 MiB are in an unnamed
    temporary file. It is in the archive's folder or, if `file` is not a path, in `TMPDIR`.

    If an object cannot be read, its error is added to `failed` and the object is left out.

    Raises: `InvalidOptionError` (the compression that the file name asks for is not supported),
    `OSError` (the file cannot be written), the errors of `ObjectStore.list` and `status`.
    """
    store, status = store.as_stored(), await store.status()
    infos, unreadable = await store._list_all()  # noqa: SLF001
    infos.sort(key=lambda info: info.name)
    async with open_output(file) as output:
        writer = _ArchiveWriter(store, output, infos, unreadable, progress)
        config = config_from_status(status, store.bucket)
        bucket = BucketEntry.from_config(config, sealed=bool(status.sealed))
        await writer.add_file(BUCKET_PATH, encode(bucket))
        await writer.add_all(infos)
        return await writer.finish()


class _ArchiveWriter:
    """Writes the entries of one archive."""

    def __init__(
        self,
        store: ObjectStore,
        output: ArchiveOutput,
        infos: list[ObjectInfo],
        unreadable: Sequence[BadObjectMetaError],
        progress: Progress | None,
    ) -> None:
        self._store = store
        self._output = output
        self._paths = SafePaths(info.name for info in infos)
        self._counter = ProgressCounter(sum(info.size or 0 for info in infos), progress)
        self._builder = ManifestBuilder()
        self._spools: set[Spool] = set()
        self._failed: list[JetstowError] = [*unreadable]

    async def add_file(self, path: str, data: bytes) -> None:
        """Write a file of the archive itself, without a time, so that backups are reproducible."""
        await self._output.write(tar.file_header(path, len(data)) + data + tar.padding(len(data)))

    async def add_all(self, infos: list[ObjectInfo]) -> None:
        """Write all objects, and then all links."""
        links = [info for info in infos if info.link is not None]
        objects = [info for info in infos if info.link is None]
        try:
            reads = map_in_order(objects, self._read, lambda info: info.size or 0)
            async with aclosing(reads) as results:
                async for info, spool in results:
                    if info is not None:
                        await self._add(info, spool)
        finally:
            await uncancelled(self._close_spools())
        # A restore creates links after their objects.
        for info in links:
            await self._add(info, None)

    async def _close_spools(self) -> None:
        for spool in self._spools:
            await spool.close()

    async def finish(self) -> BackupResult:
        """Write the manifest and the end of the archive."""
        manifest = self._builder.build(len(self._failed))
        await self.add_file(MANIFEST_PATH, encode(manifest))
        await self._output.write(tar.END_OF_ARCHIVE)
        return BackupResult(
            self._store.bucket, manifest.objects, manifest.links, manifest.size, self._failed
        )

    async def _read(self, info: ObjectInfo) -> tuple[ObjectInfo | None, Spool | None]:
        """Return an object's current info and verified bytes; (None, None) to leave it out."""
        try:
            return await self._read_current(info.name)
        except ObjectNotFoundError:
            return None, None  # deleted after it was listed
        except JetstowError as error:
            if isinstance(error, FATAL_ERRORS):
                raise
            self._failed.append(error)
            return None, None

    async def _read_current(self, name: str) -> tuple[ObjectInfo, Spool | None]:
        """Read an object, and repeat the read if it changed. For a link, return (info, None)."""
        progress = self._counter.for_object()
        for _ in range(MAX_ATTEMPTS):
            spool = Spool(self._output.folder)
            self._spools.add(spool)
            changed: JetstowError | None = None
            try:
                info = (await self._store.get(name, spool, progress=progress)).info
                if (info.bucket, info.name) == (self._store.bucket, name):
                    return info, spool
            except _CHANGED_ERRORS as error:
                changed = error
            except BaseException:
                await self._close_spool(spool)
                raise
            await self._close_spool(spool)
            # The name may have become a link, perhaps a broken one, or may have been deleted.
            if (info := await self._store.get_info(name)).link is not None:
                return info, None
        raise changed or self._changed_error(name)

    def _changed_error(self, name: str) -> JetstowError:
        bucket = self._store.bucket
        message = f"object {name!r} in bucket {bucket!r} changed in each of {MAX_ATTEMPTS} reads"
        return ObjectChangedError(message, bucket=bucket, name=name)

    async def _add(self, info: ObjectInfo, spool: Spool | None) -> None:
        entry = Entry.from_info(info)
        if spool is not None:
            # Some clients store objects without a digest. In the archive, each object has one.
            entry.size, entry.digest = spool.size, spool.digest
        encoded = encode(entry)
        if len(encoded) > MAX_JSON_SIZE:
            message = f"metadata of object {info.name!r} in bucket {info.bucket!r} is too large"
            self._failed.append(InvalidOptionError(message, bucket=info.bucket, name=info.name))
            return
        modified = 0.0 if info.modified is None else info.modified.timestamp()
        path = self._paths.path(info.name)
        if spool is None:
            assert info.link is not None, "only a link has no bytes"
            target = f"{info.link.bucket}/{info.link.name or ''}\n".encode()
            header = tar.file_header(LINKS_FOLDER + path, len(target), modified, encoded)
            await self._output.write(header + target + tar.padding(len(target)))
        else:
            header = tar.file_header(OBJECTS_FOLDER + path, spool.size, modified, encoded)
            await self._output.write(header)
            async for block in spool.blocks():
                await self._output.write(block)
            await self._output.write(tar.padding(spool.size))
            await self._close_spool(spool)
        self._builder.add(entry, encoded)

    async def _close_spool(self, spool: Spool) -> None:
        self._spools.discard(spool)
        await spool.close()


__all__ = ["ArchiveTarget", "backup"]
