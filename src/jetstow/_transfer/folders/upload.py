"""A folder into a bucket."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread

from jetstow._transfer.folders import local_tree as local
from jetstow._transfer.folders.result import Tally, Wishes, record_failure, with_slash
from jetstow._transfer.plan import canonical, in_order, written
from jetstow.models import ObjectInfo
from jetstow.store import ObjectStore
from jetstow.types import Progress, SyncResult


@dataclass(frozen=True)
class _File:
    name: str
    path: Path
    status: os.stat_result
    there: ObjectInfo | None


async def upload_folder(
    folder: str | os.PathLike[str],
    store: ObjectStore,
    prefix: str = "",
    *,
    delete: bool = False,
    include: Collection[str] = (),
    exclude: Collection[str] = (),
    dry_run: bool = False,
    progress: Progress | None = None,
) -> SyncResult:
    """Let a bucket have a folder's files, under their paths behind `prefix`.

    Of all names behind the prefix, `include` and `exclude` are patterns of those that count;
    what is excluded does not. `delete` removes objects that count and have no file; not those
    of which a folder that cannot be read may have one. Symbolic links are told of and passed
    over, empty folders too. Objects that are encrypted are read to be compared. Raises
    `NotADirectoryError`, and what concerns the whole bucket; what concerns one file is told in
    `failed`.
    """
    root, prefix = Path(folder), with_slash(prefix)
    if not await to_thread.run_sync(root.is_dir):
        raise NotADirectoryError(20, os.strerror(20), str(root))
    wishes = Wishes(delete, include, exclude, dry_run)
    there = {
        info.name[len(prefix) :]: info
        for info in await store.list()
        if info.name.startswith(prefix) and wishes.counts(info.name[len(prefix) :])
    }
    found = await to_thread.run_sync(local.contents, root)
    files = [
        _File(name, path, status, there.get(name))
        for name, path, status in found.files
        if wishes.counts(name)
    ]
    tally = Tally(sum(file.status.st_size for file in files), progress)
    report = SyncResult(failed=list(found.unread.values()))
    report.skipped += [name for name in found.others if wishes.counts(name)]

    async def bring(file: _File) -> None:
        try:
            if await _is_there(store, file):
                report.unchanged.append(file.name)
                tally.add(file.status.st_size)
                return
            if not dry_run:
                await _put(store, prefix, file, tally)
            report.copied.append(file.name)
            report.size += file.status.st_size
        except Exception as error:  # noqa: BLE001 - `fail` raises what ends all
            record_failure(report, error)

    async with aclosing(in_order(files, bring, lambda file: file.status.st_size)) as done:
        async for _ in done:
            pass
    if delete:
        names = {file.name for file in files}
        gone = [n for n in there if n not in names and not found.may_have(n)]
        await _delete(store, {name: there[name] for name in gone}, report, dry_run)
    return report


async def _is_there(store: ObjectStore, file: _File) -> bool:
    """Whether the object has the file's bytes. Of an encrypted one they have to be read."""
    there = file.there
    if there is None or there.link is not None or there.size != file.status.st_size:
        return False
    digest = there.digest or ""
    if there.encrypted:
        sha = hashlib.sha256()
        async with aclosing(store.stream(there.name)) as pieces:
            async for piece in pieces:
                sha.update(piece)
        digest = written(sha.digest())
    mine = await to_thread.run_sync(local.digest_of, file.path)
    return canonical(digest) == canonical(mine)


async def _put(store: ObjectStore, prefix: str, file: _File, tally: Tally) -> None:
    """Put a file; what is said of the object stays."""
    meta = None
    if file.there is not None and file.there.link is None:
        meta = file.there.meta
    async with aclosing(local.pieces(file.path, prefix + file.name)) as pieces:
        await store.put(prefix + file.name, pieces, meta, progress=tally.one())


async def _delete(
    store: ObjectStore, gone: dict[str, ObjectInfo], report: SyncResult, dry_run: bool
) -> None:
    for name, info in sorted(gone.items()):
        try:
            if not dry_run:
                await store.delete(info.name, expected_revision=info.revision)
            report.removed.append(name)
        except Exception as error:  # noqa: BLE001 - `fail` raises what ends all
            record_failure(report, error)
