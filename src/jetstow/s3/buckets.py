"""The buckets of S3 as NATS buckets: names, settings in the stream's metadata, open stores.

An existing NATS bucket appears under its name. A name with dots, which stream names cannot have,
is that of the stream with underscores instead, and is in the stream's metadata.
"""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Unpack

from jetstow import JetStreamContext, ObjectStore
from jetstow.errors import (
    BucketExistsError,
    BucketNotFoundError,
    InvalidBucketNameError,
)
from jetstow.models import BucketStatus
from jetstow.s3.customer_key import CustomerKey, encrypted_store
from jetstow.s3.errors import S3Error
from jetstow.s3.indexes import Indexes
from jetstow.s3.reserved import LISTED_ENTRIES, LOCATION, NAME, OBJECT_LOCK, OWNER, RESERVED
from jetstow.s3.settings_lock import SettingsLock
from jetstow.types import BucketOptions

DEFAULT_REGION: Final = "us-east-1"

# Buckets with this prefix are the gateway's own (uploads, locks). Names that S3 allows cannot
# have it, and no request reaches them.
HIDDEN_PREFIX: Final = "JETSTOW_S3_"
LOCKS: Final = f"{HIDDEN_PREFIX}LOCKS"

# nats-server limits the metadata of a stream to 128 KiB, its own keys included.
MAX_SETTINGS_SIZE: Final = 120 * 1024

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_OPEN_STORES: Final = 4096

# How old the status may be that a request for an object uses, in seconds: it costs a request to
# the leader of the stream. Changes through this connection apply at once, those of other gateways
# after this time.
OBJECT_STATUS_AGE: Final = 1.0


@dataclass(frozen=True)
class BucketState:
    """The name of a bucket in S3, and its status when the request began."""

    name: str
    status: BucketStatus

    @cached_property  # a request reads it ten times, and many requests share the state
    def settings(self) -> dict[str, str]:
        """The settings that the gateway keeps: keys that begin with `jetstow.s3.`."""
        return {k: v for k, v in self.status.metadata.items() if k.startswith(RESERVED)}

    @property
    def owner(self) -> str | None:
        """The id of the owner; None for a bucket that another NATS client created."""
        return self.settings.get(OWNER)

    @property
    def region(self) -> str:
        """The location constraint that the bucket was created with, or the default region."""
        return self.settings.get(LOCATION, DEFAULT_REGION)


@dataclass(frozen=True)
class Bucket(BucketState):
    """A bucket that is open: its state, its store, and the customer's key of the request."""

    store: ObjectStore
    customer_key: CustomerKey | None = None

    @property
    def data_store(self) -> ObjectStore:
        """The store that reads and writes bytes: it encrypts with the customer's key."""
        return encrypted_store(self.store, self.customer_key)

    @property
    def key_headers(self) -> dict[str, str]:
        """The headers of a response to a request with a key of the customer."""
        return {} if self.customer_key is None else self.customer_key.headers

    def with_key(self, key: CustomerKey | None) -> Bucket:
        """Return the bucket with another key; with the same one, itself and what it has cached."""
        return self if key == self.customer_key else replace(self, customer_key=key)


class Buckets:
    """The buckets that one NATS connection can see. New ones have a number of replicas."""

    def __init__(self, js: JetStreamContext, replicas: int = 1) -> None:
        self.js = js
        self.replicas = replicas
        self.indexes = Indexes(LISTED_ENTRIES)
        self._stores: dict[str, ObjectStore] = {}
        self._opened: dict[str, tuple[float, Bucket]] = {}
        # A status that was requested before the last change of a bucket is not used again.
        self._changed = 0.0
        self._lock = SettingsLock(js, LOCKS)

    @property
    def is_closed(self) -> bool:
        """Whether the NATS connection is closed, and does not connect again."""
        return self.js._nc.is_closed  # noqa: SLF001 - nats-py has no public name for it

    async def open(self, name: str, *, max_age: float = 0.0) -> Bucket:
        """Return a bucket with its status, which is at most `max_age` seconds old.

        Raises: `S3Error` (NoSuchBucket).
        """
        now = time.monotonic()
        requested, bucket = self._opened.get(name, (0.0, None))
        if bucket is not None and requested > self._changed and now - requested < max_age:
            return bucket
        bucket = await self._open(name)
        if len(self._opened) >= _OPEN_STORES:
            self._opened.clear()
        self._opened[name] = now, bucket
        return bucket

    async def open_stream(self, stream: str) -> Bucket:
        """Return the bucket of a NATS bucket. Raises: `S3Error` (NoSuchBucket)."""
        if stream.startswith(HIDDEN_PREFIX):
            raise S3Error("NoSuchBucket", BucketName=stream)
        store = await self.js.object_store(stream)
        return await self.open(s3_name(await store.status()), max_age=OBJECT_STATUS_AGE)

    async def _open(self, name: str) -> Bucket:
        stream = stream_bucket(name)
        if stream.startswith(HIDDEN_PREFIX):
            raise S3Error("NoSuchBucket", BucketName=name)
        try:
            store = self._stores.get(stream)
            if store is None:
                store = await self.js.object_store(stream)
                if len(self._stores) >= _OPEN_STORES:
                    self._stores.clear()
                self._stores[stream] = store
            status = await store.status()
        except (BucketNotFoundError, InvalidBucketNameError):
            self._stores.pop(stream, None)
            raise S3Error("NoSuchBucket", BucketName=name) from None
        if s3_name(status) != name:
            raise S3Error("NoSuchBucket", BucketName=name)
        return Bucket(name, status, store)

    async def create(
        self, name: str, settings: dict[str, str], **options: Unpack[BucketOptions]
    ) -> Bucket:
        """Create a bucket with settings, and with options of NATS.

        Raises: `S3Error` (InvalidBucketName, BucketAlreadyExists), what `create_object_store`
        raises.
        """
        check_new_name(name)
        metadata = dict(settings)
        if "." in name:
            metadata[NAME] = name
        try:
            options = {"replicas": self.replicas, **options, "metadata": metadata}
            store = await self.js.create_object_store(stream_bucket(name), **options)
        except BucketExistsError:
            raise S3Error("BucketAlreadyExists", BucketName=name) from None
        return Bucket(name, await store.status(), store)

    async def delete(self, bucket: Bucket) -> None:
        """Delete a bucket and everything in it."""
        self._stores.pop(bucket.store.bucket, None)
        try:
            await self.js.delete_object_store(bucket.store.bucket)
        finally:
            self._changed = time.monotonic()
            await self.indexes.discard(bucket.store.bucket)

    async def list(self) -> list[BucketState]:
        """Return all buckets but the gateway's own, sorted by name."""
        statuses = [status async for status in self.js.object_stores()]
        return sorted(
            (
                BucketState(s3_name(status), status)
                for status in statuses
                if not status.bucket.startswith(HIDDEN_PREFIX)
            ),
            key=lambda bucket: bucket.name,
        )

    def least_replicas(self, bucket: Bucket) -> int:
        """Return how many replicas the gateway's own buckets need, as they serve a bucket."""
        return max(self.replicas, bucket.status.replicas or 1)

    @asynccontextmanager
    async def changing(self, bucket: Bucket) -> AsyncIterator[dict[str, str]]:
        """Change settings of a bucket: edit the dict, which is stored at the end.

            async with buckets.changing(bucket) as settings:
                settings[LOCATION] = "eu-west-1"

        Changes of all gateways are made one after another (decision 0039).

        Raises: `S3Error` (NoSuchBucket; OperationAborted: another change takes too long;
        InvalidRequest: the settings are too large).
        """
        stream = bucket.store.bucket
        async with self._lock.hold(stream, self.least_replicas(bucket)):
            current = (await self.open(bucket.name)).status.metadata
            changed = dict(current)
            yield changed
            if changed == current:
                return
            if sum(len(text.encode()) for item in changed.items() for text in item) > (
                MAX_SETTINGS_SIZE
            ):
                raise S3Error("InvalidRequest", "The settings of the bucket exceed 120 KiB.")
            try:
                await self.js.update_object_store(stream, metadata=changed)
            finally:
                self._changed = time.monotonic()

    async def update(self, bucket: Bucket, **options: Unpack[BucketOptions]) -> None:
        """Change options of NATS, as `changing` changes settings.

        Raises: `S3Error` (OperationAborted), what `update_object_store` raises.
        """
        stream = bucket.store.bucket
        async with self._lock.hold(stream, self.least_replicas(bucket)):
            try:
                await self.js.update_object_store(stream, **options)
            finally:
                self._changed = time.monotonic()

    async def seal(self, bucket: Bucket) -> None:
        """Make a bucket read-only, permanently. Raises: what `seal` of the store raises."""
        try:
            await bucket.store.seal()
        finally:
            self._changed = time.monotonic()

    async def set_versioning(self, bucket: Bucket, *, is_enabled: bool) -> None:
        """Enable or suspend the versions of a bucket, as `changing` changes other settings.

        Raises: `S3Error` (OperationAborted; InvalidBucketState: it has object lock), what
        `update_object_store` raises.
        """
        stream = bucket.store.bucket
        async with self._lock.hold(stream, self.least_replicas(bucket)):
            if not is_enabled and OBJECT_LOCK in (await self.open(bucket.name)).settings:
                message = "The bucket has object lock, so its versions cannot be suspended."
                raise S3Error("InvalidBucketState", message, BucketName=bucket.name)
            try:
                await self.js.update_object_store(stream, versioned=is_enabled)
            finally:
                self._changed = time.monotonic()


def stream_bucket(name: str) -> str:
    """Return the NATS bucket for a bucket name of S3."""
    return name.replace(".", "_")


def s3_name(status: BucketStatus) -> str:
    """Return the name under which S3 has a NATS bucket."""
    return status.metadata.get(NAME, status.bucket)


def check_new_name(name: str) -> None:
    """Check the name of a bucket to create by S3's rules.

    Raises: `S3Error` (InvalidBucketName).
    """
    valid = _NAME.fullmatch(name) and not any(pair in name for pair in ("..", ".-", "-."))
    if not valid or name.startswith("xn--") or name.endswith("-s3alias") or _is_address(name):
        raise S3Error("InvalidBucketName", BucketName=name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True
