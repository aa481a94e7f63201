"""Copy a bucket into a folder."""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import aclosing
from pathlib import Path

from jetstow._core.aio.worker import run_in_thread
from jetstow._transfer.folders import local_tree
from jetstow._transfer.folders.result import (
    ProgressCounter,
    SyncOptions,
    folder_prefix,
    record_failure,
)
from jetstow._transfer.plan import map_in_order
from jetstow.errors import LinkIsABucketError, ObjectNotFoundError
from jetstow.models import ObjectInfo
from jetstow.store import ObjectStore
from jetstow.types import Progress, SyncResult


async def download_folder(
    store: ObjectStore,
    folder: str | os.PathLike[str],
    prefix: str = "",
    *,
    delete: bool = False,
    include: Collection[str] = (),
    exclude: Collection[str] = (),
    dry_run: bool = False,
    progress: Progress | None = None,
) -> SyncResult:
    """Copy the objects whose names start with `prefix` into a folder.

    The files get the names after the prefix, and the objects' times. `include` and `exclude`
    are glob patterns of these names; an excluded name is neither copied nor removed. `delete`
    removes files without an object, and folders that are then empty. `dry_run` changes nothing.

    A link is copied as a file with the bytes of its target. A link to a bucket is added to
    `skipped`. If an object cannot be copied, its error is added to `failed`: among others
    `InvalidObjectNameError`, if its name is not a safe path in the folder.

    Raises: `ObjectNotFoundError` (with `delete` and a prefix, if no name starts with it, since
    all files would be removed); an error that concerns the whole bucket.
    """
    root, prefix = Path(folder), folder_prefix(prefix)
    options = SyncOptions(delete, include, exclude, dry_run)
    infos = [
        info
        for info in await store.list()
        if info.name.startswith(prefix) and options.selects(info.name[len(prefix) :])
    ]
    if delete and prefix and not infos:
        raise ObjectNotFoundError(
            f"no object in bucket {store.bucket!r} starts with {prefix!r}: "
            "deleting would remove all files",
            bucket=store.bucket,
        )
    counter = ProgressCounter(sum(info.size or 0 for info in infos), progress)
    result = SyncResult()

    async def copy(info: ObjectInfo) -> None:
        name = info.name[len(prefix) :]
        try:
            path = await run_in_thread(local_tree.local_path, root, name, store.bucket)
            if info.link is not None:
                async with store.open(info.name) as reader:
                    info = reader.info
            if await run_in_thread(local_tree.has_same_bytes, path, info):
                result.unchanged.append(name)
                counter.add(info.size or 0)
                return
            if not dry_run:
                await _get(store, prefix + name, path, counter)
            result.copied.append(name)
            result.size += info.size or 0
        except LinkIsABucketError:
            result.skipped.append(name)
        except Exception as error:  # noqa: BLE001 - `record_failure` raises fatal errors
            record_failure(result, error)

    async with aclosing(map_in_order(infos, copy, lambda info: info.size or 0)) as copies:
        async for _ in copies:
            pass
    if delete:
        names = {info.name[len(prefix) :] for info in infos}
        await run_in_thread(_delete, root, options, names, result)
    return result


async def _get(store: ObjectStore, name: str, path: Path, counter: ProgressCounter) -> None:
    await run_in_thread(lambda: path.parent.mkdir(parents=True, exist_ok=True))
    info = await store.get_file(name, path, progress=counter.for_object())
    await run_in_thread(local_tree.set_modified_time, path, info)


def _delete(root: Path, options: SyncOptions, names: set[str], result: SyncResult) -> None:
    for name, path, _ in local_tree.scan_tree(root).files:
        if name not in names and options.selects(name):
            try:
                if not options.dry_run:
                    local_tree.remove_file(path, root)
                result.removed.append(name)
            except OSError as error:
                result.failed.append(error)
