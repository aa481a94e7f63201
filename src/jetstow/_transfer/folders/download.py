"""Copy a bucket into a folder."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Final

from jetstow._core.aio.atomic_file import atomic_file
from jetstow._core.aio.worker import run_in_thread
from jetstow._transfer.delete_limits import DeleteLimits, is_missing
from jetstow._transfer.folders import local_tree
from jetstow._transfer.folders.names import match_names
from jetstow._transfer.folders.result import (
    SyncOptions,
    copy_all,
    describe_objects,
    folder_prefix,
    record_failure,
    select_objects,
)
from jetstow._transfer.progress import ProgressCounter
from jetstow.errors import LinkIsABucketError, ObjectChangedError
from jetstow.models import ObjectInfo
from jetstow.store import ObjectStore
from jetstow.types import Progress, SyncResult

# The attempts to read an object that other clients change during each attempt.
MAX_ATTEMPTS: Final = 10


async def download_folder(
    store: ObjectStore,
    folder: str | os.PathLike[str],
    prefix: str = "",
    *,
    delete: bool = False,
    max_delete: int | None = None,
    force: bool = False,
    include: Collection[str] = (),
    exclude: Collection[str] = (),
    dry_run: bool = False,
    progress: Progress | None = None,
) -> SyncResult:
    """Copy the objects whose names start with `prefix` into a folder.

    The files get the names after the prefix, and the modification time and mode in the objects'
    metadata (`mtime`, `mode`), or the objects' times. Names are compared in Unicode normal form,
    and existing files keep their names. `include` and `exclude` are glob patterns of the names; an
    excluded name is neither copied nor removed. `delete` removes files without an object, and
    folders that are then empty. `dry_run` changes nothing.

    With `delete`, a prefix or bucket without selected objects is refused if files would be
    removed, unless `force` is set. `max_delete` is the highest number of files that may be
    removed, with or without `force`. Both are checked before anything is changed, with
    `dry_run` too.

    A link is copied as a file with the bytes of its target. A link to a bucket is added to
    `skipped`. Empty objects whose names end in a slash, which mark folders, are ignored. If an
    object cannot be copied, its error is added to `failed`: among others
    `InvalidObjectNameError`, if its name is not a safe path in the folder, and
    `BadObjectMetaError`, if its metadata cannot be read. `delete` keeps its file.

    Raises: `InvalidOptionError` (no selected objects without `force`, or more than `max_delete`
    files); an error that concerns the whole bucket.
    """
    root, prefix = Path(folder), folder_prefix(prefix)
    limits = DeleteLimits(max_delete, force)
    options = SyncOptions(delete, include, exclude, dry_run)
    infos, unreadable = await store._list_all(prefix)  # noqa: SLF001
    selected = select_objects(infos, prefix, options)
    failed = {
        name: error
        for error in unreadable
        if options.selects(name := (error.name or "")[len(prefix) :])
    }
    counter = ProgressCounter(sum(info.size or 0 for info in selected.values()), progress)
    files = {name for name, _, _ in (await run_in_thread(local_tree.scan_tree, root)).files}
    file_names = match_names(selected.keys() | failed.keys(), files)
    surplus = {
        name for name in files - set(file_names.values()) if delete and options.selects(name)
    }
    limits.check(
        len(surplus),
        "file",
        source=describe_objects(store.bucket, prefix),
        target=f"folder {str(root)!r}",
        source_is_empty=not selected,
        bucket=store.bucket,
    )
    download = _Download(store, root, prefix, options, counter, file_names)
    download.result.failed += failed.values()
    await copy_all(selected.items(), download.copy, lambda item: item[1].size or 0)
    if surplus:
        await copy_all(sorted(surplus), download.check_surplus, lambda _: 0)
        await run_in_thread(download.delete)
    return download.result


class _Download:
    def __init__(
        self,
        store: ObjectStore,
        root: Path,
        prefix: str,
        options: SyncOptions,
        counter: ProgressCounter,
        file_names: dict[str, str],
    ) -> None:
        self.result = SyncResult()
        self._store = store
        self._root = root
        self._prefix = prefix
        self._options = options
        self._counter = counter
        self._file_names = file_names
        self._surplus: set[str] = set()

    async def copy(self, item: tuple[str, ObjectInfo]) -> None:
        """Copy an object to a file, unless the file has the same bytes; record an error."""
        name, info = item
        try:
            await self._copy(name, info)
        except LinkIsABucketError:
            self.result.skipped.append(name)
        except Exception as error:  # noqa: BLE001 - `record_failure` raises fatal errors
            record_failure(self.result, error)

    async def _copy(self, name: str, info: ObjectInfo) -> None:
        store, object_name, dry_run = self._store, info.name, self._options.dry_run
        file_name = self._file_names[name]
        path = await run_in_thread(local_tree.local_path, self._root, file_name, store.bucket)
        if info.link is not None:
            async with store.open(object_name) as reader:
                info = reader.info
        if await run_in_thread(local_tree.has_same_bytes, path, info):
            self._counter.add(info.size or 0)
            is_updated = await run_in_thread(
                lambda: local_tree.update_attributes(path, info, dry_run=dry_run)
            )
            (self.result.updated if is_updated else self.result.unchanged).append(name)
            return
        if not dry_run:
            await run_in_thread(lambda: path.parent.mkdir(parents=True, exist_ok=True))
            await self._download(object_name, path, info)
        self.result.copied.append(name)
        self.result.size += info.size or 0

    async def _download(self, object_name: str, path: Path, info: ObjectInfo) -> None:
        """Write an object to a file. If it changes while it is read, write its current revision."""
        progress = self._counter.for_object()
        with local_tree.replaceable(path, info):
            for attempt in range(1, MAX_ATTEMPTS + 1):
                try:
                    with atomic_file(path, sets_mode=True) as file:
                        result = await self._store.get(object_name, file, progress=progress)
                        await run_in_thread(local_tree.finish_file, file, path, result.info)
                except ObjectChangedError:
                    if attempt == MAX_ATTEMPTS:
                        raise
                else:
                    return

    async def check_surplus(self, name: str) -> None:
        """Let `delete` remove a file if there is still no object of its name; record an error."""
        try:
            if await is_missing(self._store, self._prefix + name):
                self._surplus.add(name)
        except Exception as error:  # noqa: BLE001 - `record_failure` raises fatal errors
            record_failure(self.result, error)

    def delete(self) -> None:
        """Remove the files without an object.

        The folder is listed again: during the copying, a file may have become a symbolic link.
        """
        for name, path, _ in local_tree.scan_tree(self._root).files:
            if name in self._surplus:
                try:
                    if not self._options.dry_run:
                        local_tree.remove_file(path, self._root)
                    self.result.removed.append(name)
                except OSError as error:
                    self.result.failed.append(error)
