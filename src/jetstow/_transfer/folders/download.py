"""A bucket into a folder."""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import aclosing
from pathlib import Path

from anyio import to_thread

from jetstow._transfer.folders import local_tree as local
from jetstow._transfer.folders.result import Tally, Wishes, record_failure, with_slash
from jetstow._transfer.plan import in_order
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
    """Let a folder have a bucket's objects behind `prefix`, as files with the objects' times.

    The patterns are as in `upload`. `delete` removes files that count and have no object, and
    folders that are empty then. A link becomes a file of what it leads to; one to a bucket is
    passed over. An object whose name leads out of the folder, or behind a symbolic link in it,
    is told of in `failed` and not written. Raises `ObjectNotFoundError` where `delete` would
    remove everything because there is nothing behind the prefix.
    """
    root, prefix = Path(folder), with_slash(prefix)
    wishes = Wishes(delete, include, exclude, dry_run)
    infos = [
        info
        for info in await store.list()
        if info.name.startswith(prefix) and wishes.counts(info.name[len(prefix) :])
    ]
    if delete and prefix and not infos:
        raise ObjectNotFoundError(
            f"there is nothing behind {prefix!r} in bucket {store.bucket!r}: all files would go",
            bucket=store.bucket,
        )
    tally = Tally(sum(info.size or 0 for info in infos), progress)
    report = SyncResult()

    async def bring(info: ObjectInfo) -> None:
        name = info.name[len(prefix) :]
        try:
            path = await to_thread.run_sync(local.path_of, root, name, store.bucket)
            if info.link is not None:
                async with store.open(info.name) as file:
                    info = file.info
            if await to_thread.run_sync(local.is_same, path, info):
                report.unchanged.append(name)
                tally.add(info.size or 0)
                return
            if not dry_run:
                await _get(store, prefix + name, path, tally)
            report.copied.append(name)
            report.size += info.size or 0
        except LinkIsABucketError:
            report.skipped.append(name)
        except Exception as error:  # noqa: BLE001 - `fail` raises what ends all
            record_failure(report, error)

    async with aclosing(in_order(infos, bring, lambda info: info.size or 0)) as done:
        async for _ in done:
            pass
    if delete:
        names = {info.name[len(prefix) :] for info in infos}
        await to_thread.run_sync(_delete, root, wishes, names, report)
    return report


async def _get(store: ObjectStore, name: str, path: Path, tally: Tally) -> None:
    await to_thread.run_sync(lambda: path.parent.mkdir(parents=True, exist_ok=True))
    info = await store.get_file(name, path, progress=tally.one())
    await to_thread.run_sync(local.date, path, info)


def _delete(root: Path, wishes: Wishes, names: set[str], report: SyncResult) -> None:
    for name, path, _ in local.contents(root).files:
        if name not in names and wishes.counts(name):
            try:
                if not wishes.dry_run:
                    local.remove(path, root)
                report.removed.append(name)
            except OSError as error:
                report.failed.append(error)
