"""A lock for the settings of a bucket, which all gateways and workers of a NATS account share.

The configuration of a stream has no compare-and-set (decision 0039). The lock is an object in a
bucket of the gateway's own: its creation is a compare-and-set, and the bucket's TTL removes the
lock of a gateway that was killed.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from weakref import WeakValueDictionary

from jetstow import JetStreamContext, ObjectStore
from jetstow._core.aio.background import running
from jetstow.errors import (
    BucketExistsError,
    BucketNotFoundError,
    JetstowError,
    ObjectAlreadyExists,
    ObjectNotFoundError,
    RevisionMismatchError,
)
from jetstow.s3.errors import S3Error

_log = logging.getLogger("jetstow.s3")

# When a lock expires, in seconds. A change takes two requests to the server, each of which may
# wait 5 s, so that its end is limited to less than this.
LOCK_TTL: Final = 30
CHANGE_TIMEOUT: Final = 15
# How long a change waits for others, in seconds, and the longest pause between its attempts.
WAIT_TIMEOUT: Final = 10
_MAX_PAUSE: Final = 0.05


@dataclass(slots=True)
class _Held:
    """The revision of a lock that is renewed."""

    revision: int


class SettingsLock:
    """The locks of the buckets that one NATS connection can see."""

    def __init__(self, js: JetStreamContext, bucket: str) -> None:
        self._js = js
        self._bucket = bucket
        self._store: ObjectStore | None = None
        self._local: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def hold(self, name: str, replicas: int) -> AsyncIterator[None]:
        """Hold the lock with a name, for at most `CHANGE_TIMEOUT`.

        The first lock creates the bucket with a number of replicas.

        Raises: `S3Error` (OperationAborted: another gateway holds it too long), what `put` raises.
        """
        local = self._local.get(name)
        if local is None:
            self._local[name] = local = asyncio.Lock()
        async with local:
            revision = await self._acquire(name, replicas)
            try:
                async with asyncio.timeout(CHANGE_TIMEOUT):
                    yield
            except TimeoutError:
                raise S3Error("ServiceUnavailable") from None
            finally:
                await self._release(name, revision)

    @asynccontextmanager
    async def try_hold(self, name: str, replicas: int) -> AsyncIterator[bool]:
        """Hold the lock with a name until the block ends, if it is free. Yield whether it is.

        Raises: what `put` raises.
        """
        store = await self._open(replicas)
        try:
            held = _Held((await store.put(name, b"", expected_revision=0)).revision)
        except (ObjectAlreadyExists, RevisionMismatchError):
            yield False
            return
        try:
            async with running(self._renew(name, held)):
                yield True
        finally:
            await self._release(name, held.revision)

    async def _renew(self, name: str, held: _Held) -> None:
        """Publish the lock again before it expires."""
        assert self._store is not None, "the lock is held"
        while True:
            await asyncio.sleep(LOCK_TTL / 3)
            try:
                info = await self._store.put(name, b"", expected_revision=held.revision)
                held.revision = info.revision
            except JetstowError as error:
                _log.warning("the lock %r was not renewed: %s", name, error)

    async def _acquire(self, name: str, replicas: int) -> int:
        """Create the lock. Return its revision."""
        try:
            async with asyncio.timeout(WAIT_TIMEOUT) as timeout:
                while True:
                    store = await self._open(replicas)
                    try:
                        return (await store.put(name, b"", expected_revision=0)).revision
                    except (ObjectAlreadyExists, RevisionMismatchError):
                        await asyncio.sleep(random.uniform(0, _MAX_PAUSE))  # noqa: S311
                    except BucketNotFoundError:
                        self._store = None
        except TimeoutError:
            if timeout.expired():
                raise S3Error("OperationAborted") from None
            raise

    async def _open(self, replicas: int) -> ObjectStore:
        if self._store is None:
            try:
                self._store = await self._js.object_store(self._bucket)
            except BucketNotFoundError:
                try:
                    self._store = await self._js.create_object_store(
                        self._bucket,
                        description="locks of the S3 gateways",
                        ttl=LOCK_TTL,
                        replicas=replicas,
                    )
                except BucketExistsError:  # another gateway has created it now
                    self._store = await self._js.object_store(self._bucket)
        return self._store

    async def _release(self, name: str, revision: int) -> None:
        assert self._store is not None, "the lock is held"
        try:
            await self._store.delete(name, expected_revision=revision)
        except (ObjectNotFoundError, RevisionMismatchError, BucketNotFoundError):
            _log.warning("the lock of the settings of %r had expired before its release", name)
