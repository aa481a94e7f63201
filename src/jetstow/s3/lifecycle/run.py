"""Apply the lifecycle rules of all buckets: one gateway or command at a time (decision 0045)."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import nats.errors
import nats.js.errors

from jetstow import JetStreamContext
from jetstow._core.aio.background import running
from jetstow.errors import JetstowError
from jetstow.s3.buckets import LOCKS, Bucket, Buckets, s3_name
from jetstow.s3.errors import S3Error, unexpected
from jetstow.s3.lifecycle.clock import server_time
from jetstow.s3.lifecycle.expire import expire
from jetstow.s3.lifecycle.removal import Removal
from jetstow.s3.multipart.uploads import Uploads
from jetstow.s3.reserved import LIFECYCLE
from jetstow.s3.settings_lock import SettingsLock

_log = logging.getLogger("jetstow.s3.lifecycle")

# How often `jetstow serve` applies the rules, in seconds.
INTERVAL: Final = 3600.0

# A dot makes it different from the locks of buckets.
_LOCK: Final = "lifecycle.run"

# What may go wrong with one bucket, and leaves the others.
ERRORS: Final = (JetstowError, S3Error, nats.errors.Error, nats.js.errors.Error, TimeoutError)


class AlreadyRunningError(Exception):
    """Another gateway or command applies the rules."""


@dataclass(slots=True)
class Lifecycle:
    """Applies the rules of the buckets that a NATS connection can see."""

    js: JetStreamContext
    buckets: Buckets = field(init=False)
    uploads: Uploads = field(init=False)

    def __post_init__(self) -> None:
        self.buckets = Buckets(self.js)
        self.uploads = Uploads(self.buckets)

    async def run(
        self,
        bucket: str | None = None,
        *,
        dry_run: bool = False,
        on_error: Callable[[str, Exception], None],
    ) -> AsyncIterator[tuple[str, Removal]]:
        """Apply the rules of a NATS bucket, or of all. Yield what is removed, with its bucket.

        `on_error` is called with the bucket and the error if one fails.

        Raises: `AlreadyRunningError`, `BucketNotFoundError`.
        """
        buckets = await self._with_rules(bucket)
        if dry_run or not buckets:
            async for removal in self._run(buckets, on_error, dry_run=True):
                yield removal
            return
        replicas = max(self.buckets.least_replicas(each) for each in buckets)
        async with SettingsLock(self.js, LOCKS).try_hold(_LOCK, replicas) as is_held:
            if not is_held:
                raise AlreadyRunningError
            async for removal in self._run(buckets, on_error, dry_run=False):
                yield removal

    async def _with_rules(self, bucket: str | None) -> list[Bucket]:
        """Return the buckets with rules. Nothing can be removed from a sealed bucket."""
        if bucket is not None:
            statuses = [await (await self.js.object_store(bucket)).status()]
        else:
            statuses = [state.status for state in await self.buckets.list()]
        return [
            await self.buckets.open(s3_name(status))
            for status in statuses
            if LIFECYCLE in status.metadata and not status.sealed
        ]

    async def _run(
        self, buckets: list[Bucket], on_error: Callable[[str, Exception], None], *, dry_run: bool
    ) -> AsyncIterator[tuple[str, Removal]]:
        for bucket in buckets:
            try:
                now = await server_time(self.js, bucket.store.bucket)
                async for removal in expire(self.js, bucket, self.uploads, now, dry_run=dry_run):
                    yield bucket.store.bucket, removal
            except ERRORS as error:
                on_error(bucket.store.bucket, error)


@asynccontextmanager
async def expiring(js: JetStreamContext) -> AsyncIterator[None]:
    """Apply the rules now and then every hour, until the block ends."""
    async with running(_run_periodically(js), name="S3 lifecycle"):
        yield


async def _run_periodically(js: JetStreamContext) -> None:
    lifecycle = Lifecycle(js)
    while True:
        removed: Counter[tuple[str, str]] = Counter()
        try:
            async for bucket, removal in lifecycle.run(on_error=_log_error):
                removed[bucket, removal.kind] += 1
        except AlreadyRunningError:
            pass
        except Exception as error:  # noqa: BLE001 - no error ends the periodic runs
            _log.error("cannot apply the lifecycle rules: %s", error, exc_info=unexpected(error))
        for (bucket, kind), count in removed.items():
            _log.info("removed %d expired %ss from bucket %r", count, kind, bucket)
        await asyncio.sleep(INTERVAL)


def _log_error(bucket: str, error: Exception) -> None:
    _log.error("cannot apply the lifecycle rules of bucket %r: %s", bucket, error)
