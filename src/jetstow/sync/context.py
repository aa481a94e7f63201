"""Contexts, blocking: where buckets are made and found."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nats.js import api

import jetstow
from jetstow.models import BucketStatus
from jetstow.sync.call import Call, run
from jetstow.sync.likeness import like
from jetstow.sync.store import ObjectStore
from jetstow.types import Progress, VerifyResult

if TYPE_CHECKING:
    from jetstow.sync.client import Client


class JetStreamContext:
    """Where buckets are made and found; `Client.jetstream` makes it.

    `timeout`, in seconds, is the longest silence of the server that a call waits through;
    no transfer is bounded by it as a whole.
    """

    def __init__(self, client: Client, **opts: Any) -> None:
        self._client = client
        self._opts = opts
        self._of: jetstow.Client | None = None
        self._js: jetstow.JetStreamContext

    def here(self) -> jetstow.JetStreamContext:
        """The asynchronous context of this process."""
        nc = self._client.here()
        if self._of is not nc:
            self._js, self._of = nc.jetstream(**self._opts), nc
        return self._js

    @like(jetstow.JetStreamContext.create_object_store)
    def create_object_store(
        self,
        bucket: str | None = None,
        config: api.ObjectStoreConfig | None = None,
        **params: Any,
    ) -> ObjectStore:
        return self._opened(self.here().create_object_store, bucket, config, **params)

    @like(jetstow.JetStreamContext.update_object_store)
    def update_object_store(
        self,
        bucket: str | None = None,
        config: api.ObjectStoreConfig | None = None,
        **params: Any,
    ) -> ObjectStore:
        return self._opened(self.here().update_object_store, bucket, config, **params)

    @like(jetstow.JetStreamContext.create_or_update_object_store)
    def create_or_update_object_store(
        self,
        bucket: str | None = None,
        config: api.ObjectStoreConfig | None = None,
        **params: Any,
    ) -> ObjectStore:
        return self._opened(self.here().create_or_update_object_store, bucket, config, **params)

    @like(jetstow.JetStreamContext.object_store)
    def object_store(self, bucket: str) -> ObjectStore:
        return self._opened(self.here().object_store, bucket)

    @like(jetstow.JetStreamContext.delete_object_store)
    def delete_object_store(self, bucket: str) -> bool:
        return run(self.here().delete_object_store, bucket)

    def object_store_names(self) -> list[str]:
        """The names of the account's buckets."""
        return run(self.here().object_store_names)

    def object_stores(self) -> list[BucketStatus]:
        """The states of the account's buckets."""
        return run(self.here().object_stores)

    @like(jetstow.JetStreamContext.verify_object_stores)
    def verify_object_stores(
        self, *, quick: bool = False, progress: Progress | None = None
    ) -> list[VerifyResult]:
        call, js = Call(), self.here()
        return call.run(js.verify_object_stores, quick=quick, progress=call.told(progress))

    def _opened(self, how: Callable[..., Any], *args: Any, **params: Any) -> ObjectStore:
        store: jetstow.ObjectStore = run(how, *args, **params)
        return ObjectStore(self, store.bucket, store)

    def __reduce__(self) -> tuple[Any, ...]:
        return _same_context, (self._client, self._opts)


def _same_context(client: Client, opts: dict[str, Any]) -> JetStreamContext:
    return JetStreamContext(client, **opts)
