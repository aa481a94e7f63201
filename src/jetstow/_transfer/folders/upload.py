"""Copy a folder into a bucket."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

from jetstow._core.aio.worker import run_in_thread
from jetstow._core.protocol.digest import Digest, digests_equal
from jetstow._transfer.change_meta import change_meta
from jetstow._transfer.delete_limits import DeleteLimits
from jetstow._transfer.folders import local_tree
from jetstow._transfer.folders.file_attributes import FileAttributes
from jetstow._transfer.folders.names import match_names
from jetstow._transfer.folders.result import (
    SyncOptions,
    copy_all,
    describe_objects,
    folder_prefix,
    list_selected,
    record_failure,
)
from jetstow._transfer.progress import ProgressCounter
from jetstow.errors import ObjectChangedError
from jetstow.models import ObjectInfo, ObjectMeta
from jetstow.store import ObjectStore
from jetstow.types import Progress, SyncResult


@dataclass(frozen=True)
class _File:
    name: str
    object_name: str
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
    max_delete: int | None = None,
    force: bool = False,
    include: Collection[str] = (),
    exclude: Collection[str] = (),
    dry_run: bool = False,
    progress: Progress | None = None,
) -> SyncResult:
    """Copy the files of a folder into a bucket, as `prefix` and the path within the folder.

    `include` and `exclude` are glob patterns of the paths; an excluded name is neither copied
    nor removed. `delete` removes objects without a file, except those that may have a file in
    an unreadable folder or below a symbolic link. `dry_run` changes nothing. An object that is
    replaced keeps its metadata. Encrypted objects are read to compare them.

    The modification time and the mode of a file become the metadata entries `mtime` and `mode`,
    in the format of rclone. Names are compared in Unicode normal form, and existing objects keep
    their names.

    With `delete`, a folder without selected files is refused if objects would be deleted, unless
    `force` is set. `max_delete` is the highest number of objects that may be deleted, with or
    without `force`. Both are checked before anything is changed, with `dry_run` too.

    Symbolic links and special files are added to `skipped`; empty folders are ignored. If a
    file cannot be copied, its error is added to `failed`.

    Raises: `NotADirectoryError`, `FileNotFoundError`, `InvalidOptionError` (no selected files
    without `force`, or more than `max_delete` objects); an error that concerns the whole bucket.
    """
    root, prefix = Path(folder), folder_prefix(prefix)
    if not await run_in_thread(root.is_dir):
        code = errno.ENOTDIR if await run_in_thread(root.exists) else errno.ENOENT
        raise OSError(code, os.strerror(code), os.fspath(folder))
    limits = DeleteLimits(max_delete, force)
    options = SyncOptions(delete, include, exclude, dry_run)
    existing = await list_selected(store, prefix, options)
    tree = await run_in_thread(local_tree.scan_tree, root)
    selected = [file for file in tree.files if options.selects(file[0])]
    object_names = match_names([name for name, _, _ in selected], existing.keys())
    files = [
        _File(name, object_names[name], path, status, existing.get(object_names[name]))
        for name, path, status in selected
    ]
    surplus = _surplus(existing, files, tree) if delete else []
    limits.check(
        len(surplus),
        "object",
        source=f"folder {str(root)!r}",
        target=describe_objects(store.bucket, prefix),
        source_is_empty=not files,
        bucket=store.bucket,
    )
    counter = ProgressCounter(sum(file.size for file in files), progress)
    upload = _Upload(store, prefix, counter, dry_run=dry_run)
    upload.result.failed += tree.unreadable.values()
    upload.result.skipped += filter(options.selects, tree.special_files)
    await copy_all(files, upload.copy, lambda file: file.size)
    for name in surplus:
        await upload.delete(name, existing[name])
    return upload.result


def _surplus(
    existing: dict[str, ObjectInfo], files: list[_File], tree: local_tree.LocalTree
) -> list[str]:
    """Return the names of the objects that certainly have no file."""
    names = {file.object_name for file in files}
    return [name for name in sorted(existing.keys() - names) if not tree.may_contain(name)]


class _Upload:
    def __init__(
        self, store: ObjectStore, prefix: str, counter: ProgressCounter, *, dry_run: bool
    ) -> None:
        self.result = SyncResult()
        self._store = store
        self._prefix = prefix
        self._counter = counter
        self._dry_run = dry_run

    async def copy(self, file: _File) -> None:
        """Put a file, unless the object has the same bytes; record an error."""
        try:
            if await self._is_unchanged(file):
                self._counter.add(file.size)
                is_updated = await self._update_attributes(file)
                (self.result.updated if is_updated else self.result.unchanged).append(file.name)
                return
            if not self._dry_run:
                await self._put(file)
            self.result.copied.append(file.name)
            self.result.size += file.size
        except Exception as error:  # noqa: BLE001 - `record_failure` raises fatal errors
            record_failure(self.result, error)

    async def delete(self, name: str, info: ObjectInfo) -> None:
        """Delete an object, unless another client has changed it; record an error."""
        try:
            if not self._dry_run:
                await self._store.delete(info.name, expected_revision=info.revision)
            self.result.removed.append(name)
        except Exception as error:  # noqa: BLE001 - `record_failure` raises fatal errors
            record_failure(self.result, error)

    async def _is_unchanged(self, file: _File) -> bool:
        """Return whether the object has the file's bytes. An encrypted object is read for that."""
        existing = file.existing
        if existing is None or existing.link is not None or existing.size != file.size:
            return False
        # Through a view with a key, a plain object is not what was uploaded.
        if self._store._refuses_plain and not existing.encrypted:  # noqa: SLF001
            return False
        digest = existing.digest or ""
        if existing.encrypted:
            plain = Digest()
            async with aclosing(self._store.stream(existing.name)) as chunks:
                async for chunk in chunks:
                    plain.update(chunk)
            digest = str(plain)
        return digests_equal(digest, await run_in_thread(local_tree.file_digest, file.path))

    async def _update_attributes(self, file: _File) -> bool:
        """Record the attributes of a file whose bytes are unchanged. Return whether they differ."""
        attributes = FileAttributes.of_file(file.status)
        info = file.existing
        assert info is not None, "only an existing object is unchanged"
        if FileAttributes.of_object(info).includes(attributes):
            return False
        compared = info.nuid

        def change(info: ObjectInfo) -> ObjectMeta:
            if info.nuid != compared:
                raise ObjectChangedError(
                    f"object {info.name!r} in bucket {info.bucket!r} was replaced while it was "
                    "compared with its file: repeat the copy",
                    bucket=info.bucket,
                    name=info.name,
                )
            return _with_attributes(info.meta, attributes)

        if not self._dry_run:
            await change_meta(self._store, info.name, change)
        return True

    async def _put(self, file: _File) -> None:
        """Put a file. If it replaces an object, keep the object's metadata."""
        name, meta = self._prefix + file.object_name, ObjectMeta()
        if file.existing is not None and file.existing.link is None:
            meta = file.existing.meta
        with await run_in_thread(lambda: file.path.open("rb", buffering=0)) as opened:
            meta = _with_attributes(meta, FileAttributes.of_file(os.fstat(opened.fileno())))
            await self._store.put(name, opened, meta, progress=self._counter.for_object())


def _with_attributes(meta: ObjectMeta, attributes: FileAttributes) -> ObjectMeta:
    return replace(meta, metadata=(meta.metadata or {}) | attributes.metadata())
