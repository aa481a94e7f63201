"""Copy a folder into a bucket."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from jetstow._core.aio.worker import run_in_thread
from jetstow._core.protocol.digest import Digest, digests_equal
from jetstow._transfer.folders import local_tree
from jetstow._transfer.folders.result import (
    ProgressCounter,
    SyncOptions,
    folder_prefix,
    record_failure,
)
from jetstow._transfer.plan import map_in_order
from jetstow.models import ObjectInfo
from jetstow.store import ObjectStore
from jetstow.types import Progress, SyncResult


@dataclass(frozen=True)
class _File:
    name: str
    path: Path
    status: os.stat_result
    existing: ObjectInfo | None

    @property
    def size(self) -> int:
        return self.status.st_size


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
    """Copy the files of a folder into a bucket, as `prefix` and the path within the folder.

    `include` and `exclude` are glob patterns of the paths; an excluded name is neither copied
    nor removed. `delete` removes objects without a file, except those that may have a file in
    an unreadable folder. `dry_run` changes nothing. An object that is replaced keeps its
    metadata. Encrypted objects are read to compare them.

    Symbolic links and special files are added to `skipped`; empty folders are ignored. If a
    file cannot be copied, its error is added to `failed`.

    Raises: `NotADirectoryError`; an error that concerns the whole bucket.
    """
    root, prefix = Path(folder), folder_prefix(prefix)
    if not await run_in_thread(root.is_dir):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(root))
    options = SyncOptions(delete, include, exclude, dry_run)
    existing = {
        info.name[len(prefix) :]: info
        for info in await store.list()
        if info.name.startswith(prefix) and options.selects(info.name[len(prefix) :])
    }
    tree = await run_in_thread(local_tree.scan_tree, root)
    files = [
        _File(name, path, status, existing.get(name))
        for name, path, status in tree.files
        if options.selects(name)
    ]
    counter = ProgressCounter(sum(file.size for file in files), progress)
    result = SyncResult(failed=list(tree.unreadable.values()))
    result.skipped += [name for name in tree.special_files if options.selects(name)]

    async def copy(file: _File) -> None:
        try:
            if await _is_unchanged(store, file):
                result.unchanged.append(file.name)
                counter.add(file.size)
                return
            if not dry_run:
                await _put(store, prefix, file, counter)
            result.copied.append(file.name)
            result.size += file.size
        except Exception as error:  # noqa: BLE001 - `record_failure` raises fatal errors
            record_failure(result, error)

    async with aclosing(map_in_order(files, copy, lambda file: file.size)) as copies:
        async for _ in copies:
            pass
    if delete:
        names = {file.name for file in files}
        removed = [n for n in existing if n not in names and not tree.may_contain(n)]
        await _delete(store, {name: existing[name] for name in removed}, result, dry_run)
    return result


async def _is_unchanged(store: ObjectStore, file: _File) -> bool:
    """Return whether the object has the file's bytes. An encrypted object is read for that."""
    existing = file.existing
    if existing is None or existing.link is not None or existing.size != file.size:
        return False
    digest = existing.digest or ""
    if existing.encrypted:
        plain = Digest()
        async with aclosing(store.stream(existing.name)) as chunks:
            async for chunk in chunks:
                plain.update(chunk)
        digest = str(plain)
    return digests_equal(digest, await run_in_thread(local_tree.file_digest, file.path))


async def _put(store: ObjectStore, prefix: str, file: _File, counter: ProgressCounter) -> None:
    """Put a file. If it replaces an object, keep the object's metadata."""
    meta = None
    if file.existing is not None and file.existing.link is None:
        meta = file.existing.meta
    async with aclosing(local_tree.read_blocks(file.path, prefix + file.name)) as blocks:
        await store.put(prefix + file.name, blocks, meta, progress=counter.for_object())


async def _delete(
    store: ObjectStore, infos: dict[str, ObjectInfo], result: SyncResult, dry_run: bool
) -> None:
    for name, info in sorted(infos.items()):
        try:
            if not dry_run:
                await store.delete(info.name, expected_revision=info.revision)
            result.removed.append(name)
        except Exception as error:  # noqa: BLE001 - `record_failure` raises fatal errors
            record_failure(result, error)
