"""Buckets as archives, and as other buckets; blocking."""

from __future__ import annotations

import os
from typing import TypeAlias

import jetstow
from jetstow.sync import adapters
from jetstow.sync.adapters import Readable, Writable
from jetstow.sync.call import Call
from jetstow.sync.context import JetStreamContext
from jetstow.sync.likeness import like
from jetstow.sync.store import ObjectStore
from jetstow.types import BackupResult, MirrorResult, Progress, RestoreResult

Target: TypeAlias = str | os.PathLike[str] | Writable
Source: TypeAlias = str | os.PathLike[str] | Readable


@like(jetstow.backup)
def backup(store: ObjectStore, file: Target, *, progress: Progress | None = None) -> BackupResult:
    bucket, call = store.here(), Call()
    return call.run(
        jetstow.backup, bucket, adapters.writable(call, file), progress=call.told(progress)
    )


@like(jetstow.restore)
def restore(
    js: JetStreamContext,
    file: Source,
    bucket: str | None = None,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> RestoreResult:
    context, call = js.here(), Call()
    return call.run(
        jetstow.restore,
        context,
        adapters.readable(call, file),
        bucket,
        overwrite=overwrite,
        progress=call.told(progress),
    )


@like(jetstow.mirror)
def mirror(
    source: ObjectStore,
    target: ObjectStore | None,
    *,
    delete: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> MirrorResult:
    here, there, call = source.here(), None if target is None else target.here(), Call()
    return call.run(
        jetstow.mirror,
        here,
        there,
        delete=delete,
        dry_run=dry_run,
        progress=call.told(progress),
    )
