"""The verbs that change objects."""

from __future__ import annotations

import os

from nats.js import api

import jetstow
from jetstow.models import ObjectInfo
from jetstow.sync import adapters
from jetstow.sync.adapters import Data
from jetstow.sync.base import BucketBase
from jetstow.sync.call import Call, run
from jetstow.sync.likeness import like
from jetstow.types import Progress


class Writes(BucketBase):
    """A blocking store's verbs that change objects."""

    @like(jetstow.ObjectStore.put)
    def put(
        self,
        name: str | None,
        data: Data,
        meta: api.ObjectMeta | None = None,
        *,
        expected_revision: int | None = None,
        ttl: float | None = None,
        progress: Progress | None = None,
    ) -> ObjectInfo:
        store, call = self.here(), Call()
        return call.run(
            store.put,
            name,
            adapters.source(call, data),
            meta,
            expected_revision=expected_revision,
            ttl=ttl,
            progress=call.told(progress),
        )

    @like(jetstow.ObjectStore.put_file)
    def put_file(
        self,
        path: str | os.PathLike[str],
        name: str | None = None,
        meta: api.ObjectMeta | None = None,
        *,
        expected_revision: int | None = None,
        ttl: float | None = None,
        resume: bool = False,
        progress: Progress | None = None,
    ) -> ObjectInfo:
        store, call = self.here(), Call()
        return call.run(
            store.put_file,
            path,
            name,
            meta,
            expected_revision=expected_revision,
            ttl=ttl,
            resume=resume,
            progress=call.told(progress),
        )

    @like(jetstow.ObjectStore.copy)
    def copy(
        self,
        name: str,
        new_name: str | None = None,
        *,
        to: BucketBase | None = None,
        expected_revision: int | None = None,
        progress: Progress | None = None,
    ) -> ObjectInfo:
        store, target, call = self.here(), None if to is None else to.here(), Call()
        return call.run(
            store.copy,
            name,
            new_name,
            to=target,
            expected_revision=expected_revision,
            progress=call.told(progress),
        )

    @like(jetstow.ObjectStore.update_meta)
    def update_meta(self, name: str, meta: api.ObjectMeta) -> ObjectInfo:
        return run(self.here().update_meta, name, meta)

    @like(jetstow.ObjectStore.delete)
    def delete(self, name: str, *, expected_revision: int | None = None) -> None:
        return run(self.here().delete, name, expected_revision=expected_revision)

    @like(jetstow.ObjectStore.add_link)
    def add_link(self, name: str, target: api.ObjectInfo | str) -> ObjectInfo:
        return run(self.here().add_link, name, target)

    @like(jetstow.ObjectStore.add_bucket_link)
    def add_bucket_link(self, name: str, bucket: BucketBase | str) -> ObjectInfo:
        linked = bucket if isinstance(bucket, str) else bucket.bucket
        return run(self.here().add_bucket_link, name, linked)
