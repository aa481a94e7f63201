"""An archive into a bucket: no object gets its name before its digest is right."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

from jetstow._transfer.archive.input import arriving
from jetstow._transfer.archive.manifest import (
    BUCKET,
    FORMAT,
    MANIFEST,
    MOST_JSON,
    VERSION,
    Bucket,
    Entry,
    Manifest,
    Tally,
    decode,
)
from jetstow._transfer.archive.tar import Member, Tar
from jetstow._transfer.archive.threads import in_thread
from jetstow._transfer.plan import FATAL, Wanted, in_order, make_bucket, written
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
from jetstow.types import Progress, RestoreResult

# Objects up to this size are taken into memory, and put several at a time.
_SMALL: Final = 1024 * 1024

Item: TypeAlias = tuple[Wanted, bytes]


class Readable(Protocol):
    """A file, of this thread or asynchronous: `read(n)` returns bytes."""

    def read(self, size: int, /) -> Any: ...


Source: TypeAlias = "str | os.PathLike[str] | Readable | AsyncIterable[bytes]"


async def restore(
    js: JetStreamContext,
    file: Source,
    bucket: str | None = None,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> RestoreResult:
    """Read an archive (a path, a file, or an asynchronous iterable of bytes) into a bucket.

    The bucket has the archived name unless another one is given, and is made with the
    archived configuration if it is not there. What is there already as in the archive is
    left alone, so that a restore that broke off goes on where it was. What is there
    otherwise is kept and told of in `failed` as `ObjectAlreadyExists`, or replaced with
    `overwrite`. Nothing else in the bucket changes. Links within the archived bucket lead
    into the new one. Times and revisions are new.

    Raises `BadArchiveError` for a file that is no archive, or not a whole one; objects that
    came before the damage are in the bucket, each of them whole. An object that is damaged
    in the archive is not restored, and is told of in `failed`. Also raises what
    `create_object_store` raises, and `OSError` for the file.
    """
    total = await in_thread(_size, file)

    def seen(count: int) -> None:
        if progress is not None:
            progress(count, total)

    async with aclosing(arriving(file, seen)) as pieces:
        unpacking = _Unpacking(Tar(pieces), overwrite=overwrite)
        try:
            await unpacking.open(js, bucket)
            return await unpacking.run()
        except BadArchiveError as error:
            error.bucket = error.bucket or unpacking.report.bucket or bucket
            raise


def _size(file: object) -> int | None:
    try:
        return Path(file).stat().st_size or None if isinstance(file, str | os.PathLike) else None
    except OSError:
        return None  # whoever opens it finds out


class _Unpacking:
    def __init__(self, tar: Tar, *, overwrite: bool) -> None:
        self.report = RestoreResult("")
        self._tar = tar
        self._overwrite = overwrite
        self._tally = Tally()
        self._manifest: Manifest | None = None
        self._there: dict[str, ObjectInfo] = {}
        self._old = ""
        self._store: ObjectStore

    async def open(self, js: JetStreamContext, bucket: str | None) -> None:
        """Find the bucket, or make it."""
        member = await self._tar.next()
        if member is None or member.path != BUCKET:
            raise BadArchiveError("the archive is no backup of a bucket: it has no bucket.json")
        told = await self._tar.whole(member, MOST_JSON)
        archived = decode(Bucket, told, "the archive's bucket.json")
        if archived.format != FORMAT or archived.version != VERSION:
            raise BadArchiveError(
                f"the archive has the format {archived.format!r}, version {archived.version}; "
                f"only {FORMAT!r}, version {VERSION}, can be read"
            )
        self._old, self.report.sealed = archived.bucket, archived.sealed
        self.report.bucket = archived.bucket if bucket is None else bucket
        try:
            self._store = (await js.object_store(self.report.bucket)).as_stored()
        except BucketNotFoundError:
            made = await make_bucket(js, archived.config(self.report.bucket))
            self._store = made.as_stored()
        else:
            self._there = {info.name: info for info in await self._store.list()}

    async def run(self) -> RestoreResult:
        """Everything else, up to the manifest."""
        putting = in_order(self._items(), self._settle, lambda item: len(item[1]))
        async with aclosing(putting) as done:
            async for _ in done:
                pass
        manifest = self._manifest
        if manifest is None or manifest != self._tally.manifest(manifest.left_out):
            raise BadArchiveError(
                "the archive is not complete: its entries are not those of its manifest"
            )
        self.report.omitted = manifest.left_out
        return self.report

    async def _items(self) -> AsyncGenerator[Item, None]:
        """What the archive brings. Large objects are put as they come, and are not in it."""
        while (member := await self._tar.next()) is not None:
            if self._manifest is not None:
                raise BadArchiveError("the archive has more entries after its manifest")
            if member.path == MANIFEST:
                told = await self._tar.whole(member, MOST_JSON)
                self._manifest = decode(Manifest, told, "the archive's manifest")
                continue
            entry = self._entry(member)
            wanted = entry.wanted.moved(self._old, self._store.bucket)
            if entry.link is not None:
                await self._tar.whole(member, _SMALL)  # it is for people
                yield wanted, b""
            elif entry.size <= _SMALL:
                data = await self._tar.whole(member, _SMALL)
                if written(hashlib.sha256(data).digest()) == entry.digest:
                    yield wanted, data
                else:
                    self.report.failed.append(self._damaged(entry.name))
            else:
                await self._settle_large(member, wanted)

    def _entry(self, member: Member) -> Entry:
        if not member.comment:
            raise BadArchiveError(f"the archive does not say what {member.path!r} is")
        if len(member.comment) > MOST_JSON:
            raise BadArchiveError(f"the archive says too much of {member.path!r}")
        entry = decode(Entry, member.comment, f"what the archive says of {member.path!r}")
        if entry.link is None and entry.size != member.size:
            raise BadArchiveError(f"{member.path!r} has another size than the archive says")
        self._tally.add(entry, member.comment)
        return entry

    async def _settle_large(self, member: Member, wanted: Wanted) -> None:
        pieces = self._verified(member, wanted)
        async with aclosing(pieces):
            await self._settle((wanted, pieces))
            # Where it is not put, or not to its end, the rest is still in the way.
            try:
                async for _ in pieces:
                    pass
            except DigestMismatchError as error:
                self.report.failed.append(error)

    async def _verified(self, member: Member, wanted: Wanted) -> AsyncGenerator[bytes, None]:
        """The bytes. At their end it raises if they are not the right ones: no name is given."""
        sha = hashlib.sha256()
        async with aclosing(self._tar.data(member)) as pieces:
            async for piece in pieces:
                sha.update(piece)
                yield piece
        if written(sha.digest()) != wanted.digest:
            raise self._damaged(wanted.name)

    def _damaged(self, name: str) -> DigestMismatchError:
        return DigestMismatchError(
            f"object {name!r} of bucket {self._old!r} is damaged in the archive",
            bucket=self.report.bucket,
            name=name,
        )

    async def _settle(self, item: tuple[Wanted, Any]) -> None:
        """Let the bucket have one object or link, unless it has it, or another."""
        wanted, data = item
        try:
            await self._bring(wanted, data)
        except BadArchiveError:
            raise
        except JetstowError as error:
            if isinstance(error, FATAL):
                raise
            self.report.failed.append(error)

    async def _bring(self, wanted: Wanted, data: Any) -> None:
        there = self._there.get(wanted.name)
        step = wanted.step(there)
        if step == "nothing":
            self.report.unchanged += 1
            return
        if there is not None and not self._overwrite:
            raise self._in_the_way(wanted.name)
        if step == "describe":
            await wanted.describe(self._store)
        elif step == "link":
            await wanted.place_link(self._store, there)
        else:
            # Somebody else may have been faster: theirs is not to be lost unasked.
            expected = None if self._overwrite else 0
            await wanted.put(self._store, data, expected_revision=expected)
            self.report.size += wanted.size
        if wanted.link is None:
            self.report.objects += 1
        else:
            self.report.links += 1

    def _in_the_way(self, name: str) -> ObjectAlreadyExists:
        bucket = self._store.bucket
        return ObjectAlreadyExists(
            f"object {name!r} in bucket {bucket!r} is another one than in the archive: it is kept",
            bucket=bucket,
            name=name,
        )


__all__ = ["Source", "restore"]
