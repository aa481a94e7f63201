"""Folders and buckets, the one as the other; blocking ."""

from __future__ import annotations

import os
from collections.abc import Collection

import jetstow
from jetstow.sync.call import Call
from jetstow.sync.likeness import like
from jetstow.sync.store import ObjectStore
from jetstow.types import Progress, SyncResult


@like(jetstow.upload_folder)
def upload_folder(
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
    bucket, call = store.here(), Call()
    return call.run(
        jetstow.upload_folder,
        folder,
        bucket,
        prefix,
        delete=delete,
        include=include,
        exclude=exclude,
        dry_run=dry_run,
        progress=call.told(progress),
    )


@like(jetstow.download_folder)
def download_folder(
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
    bucket, call = store.here(), Call()
    return call.run(
        jetstow.download_folder,
        bucket,
        folder,
        prefix,
        delete=delete,
        include=include,
        exclude=exclude,
        dry_run=dry_run,
        progress=call.told(progress),
    )


__all__ = ["download_folder", "upload_folder"]
