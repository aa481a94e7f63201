"""Publish the events of all buckets that have a notification configuration (decision 0044)."""

from __future__ import annotations

import asyncio
import datetime
import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from typing import Final, NamedTuple

from nats.aio.msg import Msg

from jetstow import Client, JetStreamContext
from jetstow._core.aio.background import running, stop
from jetstow._core.protocol.subjects import bucket_name
from jetstow.errors import BucketNotFoundError
from jetstow.models import BucketStatus
from jetstow.s3.buckets import Buckets, s3_name
from jetstow.s3.errors import unexpected
from jetstow.s3.events.bucket_events import NATS_ERRORS, BucketEvents
from jetstow.s3.reserved import NOTIFICATION

_log = logging.getLogger("jetstow.s3.events")

# The server publishes these when a stream is created, updated or deleted.
_ADVISORIES: Final = "$JS.EVENT.ADVISORY.STREAM.*.*"
# How often all buckets are listed, in seconds, in case that advisories do not arrive.
_SCAN_INTERVAL: Final = 60.0


class _Running(NamedTuple):
    """The task of a bucket, and when the bucket was created."""

    created: datetime.datetime | None
    task: asyncio.Task[None]


@asynccontextmanager
async def publishing(client: Client, js: JetStreamContext) -> AsyncIterator[None]:
    """Publish the events of the buckets of a NATS connection until the block ends."""
    publisher = Publisher(client, js)
    async with running(publisher.run(), name="S3 events"):
        yield


class Publisher:
    """Runs a task for each bucket whose events are published."""

    def __init__(self, client: Client, js: JetStreamContext) -> None:
        self._client = client
        self._js = js
        self._buckets = Buckets(js)
        self._running: dict[str, _Running] = {}
        self._changed: asyncio.Queue[str] = asyncio.Queue()

    async def run(self) -> None:
        """Find the buckets, and follow the changes of their settings."""
        subscription = await self._client.subscribe(_ADVISORIES, cb=self._on_advisory)
        try:
            while True:
                await self._attempt(self._scan())
                with suppress(TimeoutError):
                    async with asyncio.timeout(_SCAN_INTERVAL):
                        while True:
                            await self._attempt(self._check(await self._changed.get()))
        finally:
            with suppress(*NATS_ERRORS):
                await subscription.unsubscribe()
            await self._stop(*self._running)

    async def _on_advisory(self, message: Msg) -> None:
        if (bucket := bucket_name(message.subject.rpartition(".")[2])) is not None:
            self._changed.put_nowait(bucket)

    async def _attempt(self, step: Awaitable[None]) -> None:
        try:
            await step
        except Exception as error:  # noqa: BLE001 - the next attempt may succeed
            trace = unexpected(error)
            _log.error("cannot read the notification configurations: %s", error, exc_info=trace)

    async def _scan(self) -> None:
        statuses = {status.bucket: status async for status in self._js.object_stores()}
        await self._stop(*(self._running.keys() - statuses.keys()))
        for status in statuses.values():
            await self._apply(status)

    async def _check(self, bucket: str) -> None:
        try:
            status = await (await self._js.object_store(bucket)).status()
        except BucketNotFoundError:
            await self._stop(bucket)
        else:
            await self._apply(status)

    async def _apply(self, status: BucketStatus) -> None:
        """Start or stop the task of a bucket, as its settings say."""
        bucket, current = status.bucket, self._running.get(status.bucket)
        is_wanted = NOTIFICATION in status.metadata
        if current is not None and (
            not is_wanted or current.created != status.created or current.task.done()
        ):
            await self._stop(bucket)
            current = None
        if is_wanted and current is None:
            events = BucketEvents(self._client, self._js, self._buckets, s3_name(status), bucket)
            task = asyncio.create_task(events.run(), name=f"S3 events of {bucket}")
            task.add_done_callback(_log_error)
            self._running[bucket] = _Running(status.created, task)

    async def _stop(self, *buckets: str) -> None:
        tasks = [self._running.pop(bucket).task for bucket in buckets if bucket in self._running]
        await stop(*tasks)


def _log_error(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("%s ended: %s", task.get_name(), error, exc_info=unexpected(error))
