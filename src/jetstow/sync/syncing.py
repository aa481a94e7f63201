"""Folders and buckets, the one as the other; blocking (see `jetstow._transfer.folders`)."""

from __future__ import annotations

import os
from collections.abc import Collection

from jetstow._transfer import folders
from jetstow._transfer.folders import Synced
from jetstow.models import Progress
from jetstow.sync.call import Call
from jetstow.sync.likeness import like
from jetstow.sync.store import ObjectStore


@like(folders.upload)
def upload(
    folder: str | os.PathLike[str],
    store: ObjectStore,
    prefix: str = "",
    *,
    delete: bool = False,
    include: Collection[str] = (),
    exclude: Collection[str] = (),
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Synced:
    bucket, call = store.here(), Call()
    return call.run(
        folders.upload,
        folder,
        bucket,
        prefix,
        delete=delete,
        include=include,
        exclude=exclude,
        dry_run=dry_run,
        progress=call.told(progress),
    )


@like(folders.download)
def download(
    store: ObjectStore,
    folder: str | os.PathLike[str],
    prefix: str = "",
    *,
    delete: bool = False,
    include: Collection[str] = (),
    exclude: Collection[str] = (),
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Synced:
    bucket, call = store.here(), Call()
    return call.run(
        folders.download,
        bucket,
        folder,
        prefix,
        delete=delete,
        include=include,
        exclude=exclude,
        dry_run=dry_run,
        progress=call.told(progress),
    )


__all__ = ["Synced", "download", "upload"]
