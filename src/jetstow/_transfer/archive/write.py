"""A bucket into an archive: each object once it is verified, and a manifest at the end."""

from __future__ import annotations

import os
from contextlib import aclosing
from typing import Final, TypeAlias

from jetstow._transfer.archive import tar
from jetstow._transfer.archive.manifest import (
    BUCKET,
    LINKS,
    MANIFEST,
    MOST_JSON,
    OBJECTS,
    Bucket,
    Entry,
    Tally,
    encode,
)
from jetstow._transfer.archive.output import Out, landing
from jetstow._transfer.archive.safe_paths import Paths
from jetstow._transfer.archive.spool import Spool
from jetstow._transfer.plan import FATAL, config_like, in_order
from jetstow.errors import (
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

# What a get can raise of a name that has become something else since it was listed.
_CHANGED: Final = (ObjectChangedError, ObjectNotFoundError, LinkError, LinkIsABucketError)

# How often an object that changes while it is read is read anew.
_TRIES: Final = 10


Target: TypeAlias = str | os.PathLike[str] | Writable


async def backup(
    store: ObjectStore, file: Target, *, progress: Progress | None = None
) -> BackupResult:
    """Write a bucket to an archive: a path, or a file (binary or asynchronous).

    The archive holds what the bucket had when this began. An object that is replaced
    meanwhile is in it as it is then, one that is deleted is not; delete markers never are. A
    path's file appears once it is complete, compressed if it is called `.gz` or `.tgz`. Two
    backups of a bucket in which nothing has changed are the same, byte for byte.

    Until they are verified, larger objects wait in a file without a name, in the archive's
    folder or, where it has none, in the system's for temporary files (`TMPDIR`).

    An object whose bytes are not as they should be is left out and told of in `failed`. What
    concerns the whole bucket is raised: the errors of `list` and `status`,
    `InvalidOptionError` for a compression that there is not, `OSError` for the file.
    """
    store, status = store.as_stored(), await store.status()
    infos = sorted(await store.list(), key=lambda info: info.name)
    async with landing(file) as out:
        packing = _Packing(store, out, infos, progress)
        bucket = Bucket.of(config_like(status, store.bucket), sealed=bool(status.sealed))
        await packing.add_file(BUCKET, encode(bucket))
        await packing.add_all(infos)
        return await packing.finish()


class _Packing:
    def __init__(
        self, store: ObjectStore, out: Out, infos: list[ObjectInfo], progress: Progress | None
    ) -> None:
        self._store = store
        self._out = out
        self._paths = Paths(info.name for info in infos)
        self._total = sum(info.size or 0 for info in infos)
        self._progress = progress
        self._tally = Tally()
        self._spools: set[Spool] = set()
        self._failed: list[JetstowError] = []

    async def add_file(self, path: str, data: bytes) -> None:
        """A file of the archive's own. It has no time: the archive says nothing of today."""
        await self._out.write(tar.header(path, len(data)) + data + tar.filling(len(data)))

    async def add_all(self, infos: list[ObjectInfo]) -> None:
        """Objects and links."""
        links = [info for info in infos if info.link is not None]
        objects = [info for info in infos if info.link is None]
        try:
            reading = in_order(objects, self._read, lambda info: info.size or 0)
            async with aclosing(reading) as found:
                async for info, spool in found:
                    if info is not None:
                        await self._add(info, spool)
        finally:
            for spool in self._spools:
                await spool.close()
        # Whoever restores them needs to have what they lead to.
        for info in links:
            await self._add(info, None)

    async def finish(self) -> BackupResult:
        """The end, by which a whole archive is known."""
        manifest = self._tally.manifest(len(self._failed))
        await self.add_file(MANIFEST, encode(manifest))
        await self._out.write(tar.END)
        tally = self._tally
        return BackupResult(
            self._store.bucket, tally.objects, tally.links, tally.size, self._failed
        )

    async def _read(self, info: ObjectInfo) -> tuple[ObjectInfo | None, Spool | None]:
        """An object as it is now, with its bytes, verified; nothing, if there is none to keep."""
        try:
            return await self._settled(info.name)
        except ObjectNotFoundError:
            return None, None  # deleted since it was listed
        except JetstowError as error:
            if isinstance(error, FATAL):
                raise
            self._failed.append(error)
            return None, None

    async def _settled(self, name: str) -> tuple[ObjectInfo, Spool | None]:
        for _ in range(_TRIES):
            spool = Spool(self._out.folder)
            self._spools.add(spool)
            changed: JetstowError | None = None
            try:
                info = (await self._store.get(name, spool)).info
                if (info.bucket, info.name) == (self._store.bucket, name):
                    return info, spool
            except _CHANGED as error:
                changed = error
            except BaseException:
                await self._drop(spool)
                raise
            await self._drop(spool)
            # It may have become a link, perhaps to nowhere, or have gone.
            if (info := await self._store.get_info(name)).link is not None:
                return info, None
        raise changed or self._restless(name)

    def _restless(self, name: str) -> JetstowError:
        bucket = self._store.bucket
        message = f"object {name!r} in bucket {bucket!r} changed whenever it was read"
        return ObjectChangedError(message, bucket=bucket, name=name)

    async def _add(self, info: ObjectInfo, spool: Spool | None) -> None:
        entry = Entry.of(info)
        if spool is not None:
            # Some clients store no digest; in the archive, every object has one.
            entry.size, entry.digest = spool.size, spool.digest
        told = encode(entry)
        if len(told) > MOST_JSON:
            message = f"metadata of object {info.name!r} in bucket {info.bucket!r} is too large"
            self._failed.append(InvalidOptionError(message, bucket=info.bucket, name=info.name))
            return
        modified = 0.0 if info.modified is None else info.modified.timestamp()
        path = self._paths.path(info.name)
        if spool is None:
            assert info.link is not None, "only a link has no bytes"
            leads = f"{info.link.bucket}/{info.link.name or ''}\n".encode()
            head = tar.header(LINKS + path, len(leads), modified, told)
            await self._out.write(head + leads + tar.filling(len(leads)))
        else:
            await self._out.write(tar.header(OBJECTS + path, spool.size, modified, told))
            async for piece in spool.pieces():
                await self._out.write(piece)
            await self._out.write(tar.filling(spool.size))
            await self._drop(spool)
        self._tally.add(entry, told)
        if self._progress is not None:
            self._progress(self._tally.size, max(self._total, self._tally.size))

    async def _drop(self, spool: Spool) -> None:
        self._spools.discard(spool)
        await spool.close()


__all__ = ["Target", "backup"]
