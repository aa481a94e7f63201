"""Folders and buckets, the one as the other; blocking (see `jetstow.syncing`)."""

from __future__ import annotations

import os
from collections.abc import Collection

from jetstow import syncing
from jetstow.models import Progress
from jetstow.sync.calls import Call
from jetstow.sync.likeness import like
from jetstow.sync.store import ObjectStore
from jetstow.syncing import Synced


@like(syncing.upload)
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
        syncing.upload,
        folder,
        bucket,
        prefix,
        delete=delete,
        include=include,
        exclude=exclude,
        dry_run=dry_run,
        progress=call.told(progress),
    )


@like(syncing.download)
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
        syncing.download,
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
