"""The verbs that read objects."""

from __future__ import annotations

import datetime
import os
from collections.abc import Generator
from typing import TypeAlias

import jetstow
from jetstow.models import ObjectInfo, ObjectResult
from jetstow.sync import adapters, iterate
from jetstow.sync.adapters import Writable
from jetstow.sync.base import BucketBase
from jetstow.sync.call import Call, run
from jetstow.sync.likeness import like
from jetstow.types import Progress

Since: TypeAlias = int | datetime.datetime


class Reads(BucketBase):
    """A blocking store's verbs that read objects."""

    @like(jetstow.ObjectStore.get_info)
    def get_info(self, name: str, show_deleted: bool | None = False) -> ObjectInfo:
        return run(self.here().get_info, name, show_deleted)

    @like(jetstow.ObjectStore.get)
    def get(
        self,
        name: str,
        writeinto: Writable | None = None,
        show_deleted: bool | None = False,
        *,
        expected_revision: int | None = None,
        if_changed_since: Since | None = None,
        progress: Progress | None = None,
    ) -> ObjectResult:
        store, call = self.here(), Call()
        return call.run(
            store.get,
            name,
            None if writeinto is None else adapters.writable(call, writeinto),
            show_deleted,
            expected_revision=expected_revision,
            if_changed_since=if_changed_since,
            progress=call.told(progress),
        )

    @like(jetstow.ObjectStore.get_file)
    def get_file(
        self,
        name: str,
        path: str | os.PathLike[str],
        *,
        expected_revision: int | None = None,
        if_changed_since: Since | None = None,
        resume: bool = False,
        progress: Progress | None = None,
    ) -> ObjectInfo:
        store, call = self.here(), Call()
        return call.run(
            store.get_file,
            name,
            path,
            expected_revision=expected_revision,
            if_changed_since=if_changed_since,
            resume=resume,
            progress=call.told(progress),
        )

    @like(jetstow.ObjectStore.stream)
    def stream(
        self,
        name: str,
        *,
        expected_revision: int | None = None,
        if_changed_since: Since | None = None,
    ) -> Generator[bytes, None, None]:
        store = self.here()
        return iterate.pieces(
            self,
            store.stream(
                name, expected_revision=expected_revision, if_changed_since=if_changed_since
            ),
        )

    @like(jetstow.ObjectStore.get_range)
    def get_range(
        self,
        name: str,
        start: int,
        length: int | None = None,
        *,
        expected_revision: int | None = None,
        if_changed_since: Since | None = None,
    ) -> bytes:
        return run(
            self.here().get_range,
            name,
            start,
            length,
            expected_revision=expected_revision,
            if_changed_since=if_changed_since,
        )
