"""Connections and contexts: where buckets are made and found."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any, Self

import nats.errors
import nats.js.client
from nats.aio.client import (
    Client as _NatsClient,
)
from nats.js import api

from jetstow import _embedded
from jetstow._core.aio.awaitables import Listing
from jetstow._core.bucket import admin
from jetstow._core.bucket.config import parse_config
from jetstow._core.transport.api import JetStreamAPI
from jetstow._core.transport.client import FastPathClient
from jetstow.errors import BucketNotFoundError
from jetstow.models import BucketStatus
from jetstow.store import ObjectStore
from jetstow.types import Progress, VerifyResult

_log = logging.getLogger("jetstow.client")


class JetStreamContext(nats.js.client.JetStreamContext):
    """nats-py's JetStream context, with an object store that is all of ADR-20.

    `timeout`, in seconds, is the longest silence of the server that a call waits through;
    no transfer is bounded by it as a whole.
    """

    @property
    def _jetstream(self) -> JetStreamAPI:
        return JetStreamAPI(self._nc, self._prefix, self._timeout)

    async def create_object_store(
        self,
        bucket: str | None = None,
        config: api.ObjectStoreConfig | None = None,
        **params: Any,
    ) -> ObjectStore:
        """Make a bucket, or open it if it is there with the same configuration.

        The configuration's fields can be given by name: description, ttl (seconds),
        max_bytes, storage, replicas, placement, compression, metadata.

        Raises `InvalidBucketNameError`, `InvalidOptionError`, `BucketExistsError` (it is
        there with another configuration).
        """
        wanted = parse_config(bucket, config, params)
        return ObjectStore(self, await admin.create(self._jetstream, wanted))

    async def update_object_store(
        self,
        bucket: str | None = None,
        config: api.ObjectStoreConfig | None = None,
        **params: Any,
    ) -> ObjectStore:
        """Change a bucket's configuration: what is given changes, what is None stays.

        Raises `BucketNotFoundError`, `InvalidOptionError` (such as another storage).
        """
        wanted = parse_config(bucket, config, params)
        return ObjectStore(self, await admin.update(self._jetstream, wanted))

    async def create_or_update_object_store(
        self,
        bucket: str | None = None,
        config: api.ObjectStoreConfig | None = None,
        **params: Any,
    ) -> ObjectStore:
        """Make a bucket, or change the one that is there. Raises as these two do."""
        wanted = parse_config(bucket, config, params)
        return ObjectStore(self, await admin.create_or_update(self._jetstream, wanted))

    async def object_store(self, bucket: str) -> ObjectStore:
        """Open a bucket. Raises `BucketNotFoundError`, `InvalidBucketNameError`."""
        return ObjectStore(self, await admin.open_stream(self._jetstream, bucket))

    async def delete_object_store(self, bucket: str) -> bool:
        """Drop a bucket and all that is in it, for ever. Raises `BucketNotFoundError`."""
        return await admin.delete(self._jetstream, bucket)

    def object_store_names(self) -> Listing[str]:
        """The names of the account's buckets: `await` the list, or iterate."""
        return Listing(lambda: admin.list_names(self._jetstream))

    def object_stores(self) -> Listing[BucketStatus]:
        """The states of the account's buckets: `await` the list, or iterate."""
        return Listing(lambda: admin.list_statuses(self._jetstream))

    async def verify_object_stores(
        self, *, quick: bool = False, progress: Progress | None = None
    ) -> list[VerifyResult]:
        """Check every bucket of the account, as `ObjectStore.verify` does."""
        reports = []
        for bucket in sorted(await self.object_store_names()):
            # One that is deleted meanwhile is nobody's finding.
            with suppress(BucketNotFoundError):
                store = await self.object_store(bucket)
                reports.append(await store.verify(quick=quick, progress=progress))
        return reports


class Client(FastPathClient):
    """A nats-py connection whose JetStream context has jetstow's object store."""

    def __init__(self) -> None:
        super().__init__()
        self._hold: _embedded.Hold | None = None
        self._context_options: dict[str, Any] = {}

    def jetstream(self, **opts: Any) -> JetStreamContext:
        """A JetStream context; `prefix`, `domain` and `timeout` as in nats-py."""
        named = {} if {"prefix", "domain"} & opts.keys() else self._context_options
        return JetStreamContext(self, **named, **opts)

    async def __aenter__(self) -> Self:
        return self  # as nats-py does, whose annotation takes it for a client of nats-py

    async def _close(self, status: int, do_cbs: bool = True) -> None:
        if self.is_reconnecting:
            # What waits has nobody to go to. Sending it to the socket that is dead, nats-py
            # would stop half-way, with an error of that socket and without its callbacks.
            self._pending, self._pending_data_size = [], 0
        try:
            await super()._close(status, do_cbs)
        finally:
            # nats-py closes half-way between its tries to connect, too.
            if status == self.CLOSED:
                await self._release()

    async def _give_up(self) -> None:
        """Leave nothing of a connection that was never made. No callback hears of it."""
        try:
            if self._flush_queue is not None:  # else nats-py did not even begin
                self._status = self.DISCONNECTED  # it may take itself for closed between tries
                await super()._close(self.CLOSED, do_cbs=False)
        finally:
            await self._release()

    async def _release(self) -> None:
        if self._hold is not None:
            hold, self._hold = self._hold, None
            await hold.arelease()


def jetstream(nc: _NatsClient, **opts: Any) -> JetStreamContext:
    """jetstow's JetStream context on a nats-py connection that exists already."""
    return JetStreamContext(nc, **opts)
