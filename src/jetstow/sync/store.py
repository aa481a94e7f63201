"""A bucket of objects, blocking: every verb of the object store."""

from __future__ import annotations

import builtins
import datetime
from collections.abc import Iterable
from typing import Literal, TypeAlias, overload

from nats.js import api

import jetstow
from jetstow.models import BucketStatus, ObjectInfo
from jetstow.sync.call import Call, run
from jetstow.sync.likeness import like, like_class
from jetstow.sync.reader import ObjectReader, open_reader
from jetstow.sync.reads import Reads
from jetstow.sync.watcher import ObjectWatcher
from jetstow.sync.writer import ObjectWriter, open_writer
from jetstow.sync.writes import Writes
from jetstow.types import GarbageResult, Progress, Since, VerifyResult

Age: TypeAlias = datetime.timedelta | datetime.datetime


@like_class(jetstow.ObjectStore)
class ObjectStore(Writes, Reads):
    @overload
    def open(
        self,
        name: str,
        mode: Literal["rb"] = "rb",
        *,
        expected_revision: int | None = None,
        if_changed_since: Since | None = None,
    ) -> ObjectReader: ...

    @overload
    def open(
        self,
        name: str,
        mode: Literal["wb"],
        meta: api.ObjectMeta | None = None,
        *,
        expected_revision: int | None = None,
        ttl: float | None = None,
    ) -> ObjectWriter: ...

    @like(jetstow.ObjectStore.open)
    def open(
        self,
        name: str,
        mode: Literal["rb", "wb"] = "rb",
        meta: api.ObjectMeta | None = None,
        *,
        expected_revision: int | None = None,
        if_changed_since: Since | None = None,
        ttl: float | None = None,
    ) -> ObjectReader | ObjectWriter:
        if mode == "wb":
            options = {"expected_revision": expected_revision, "ttl": ttl}
            return open_writer(self, name, meta, options)
        terms = {"expected_revision": expected_revision, "if_changed_since": if_changed_since}
        return open_reader(self, name, mode, terms)

    def list(self, ignore_deletes: bool = True) -> builtins.list[ObjectInfo]:
        """Every object's info, the one longest unchanged first; delete markers too, if asked.

        A list, in which a name is once. Whoever would rather have the infos of a large bucket
        as they arrive iterates `watch()` up to its None.
        """
        return run(self.here().list, ignore_deletes)

    @like(jetstow.ObjectStore.find)
    def find(
        self,
        pattern: str | None = None,
        *,
        tags: Iterable[str] = (),
        min_size: int | None = None,
        max_size: int | None = None,
        newer_than: Age | None = None,
        older_than: Age | None = None,
    ) -> builtins.list[ObjectInfo]:
        return run(
            self.here().find,
            pattern,
            tags=tuple(tags) if not isinstance(tags, str) else tags,
            min_size=min_size,
            max_size=max_size,
            newer_than=newer_than,
            older_than=older_than,
        )

    @like(jetstow.ObjectStore.watch)
    def watch(
        self,
        ignore_deletes: bool = False,
        include_history: bool = False,
        meta_only: bool = False,
        updates_only: bool = False,
    ) -> ObjectWatcher:
        store, call = self.here(), Call(undo=jetstow.ObjectWatcher.stop)
        return ObjectWatcher(
            self, call.run(store.watch, ignore_deletes, include_history, meta_only, updates_only)
        )

    @like(jetstow.ObjectStore.status)
    def status(self) -> BucketStatus:
        return run(self.here().status)

    @like(jetstow.ObjectStore.verify)
    def verify(
        self, name: str | None = None, *, quick: bool = False, progress: Progress | None = None
    ) -> VerifyResult:
        store, call = self.here(), Call()
        return call.run(store.verify, name, quick=quick, progress=call.told(progress))

    @like(jetstow.ObjectStore.collect_garbage)
    def collect_garbage(self, *, grace: float = 3600.0, dry_run: bool = False) -> GarbageResult:
        return run(self.here().collect_garbage, grace=grace, dry_run=dry_run)

    @like(jetstow.ObjectStore.seal)
    def seal(self) -> None:
        return run(self.here().seal)
