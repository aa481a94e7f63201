"""The changes of a folder as they happen, as server-sent events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jetstow import ObjectWatcher
from jetstow._core.aio.background import running
from jetstow.console.access import open_bucket, open_call, signed_in
from jetstow.console.context import context_of
from jetstow.console.errors import ConsoleError
from jetstow.console.open_responses import count_open
from jetstow.console.queries import iso_time
from jetstow.console.streaming import Streamed
from jetstow.errors import BucketNotFoundError, JetstowError
from jetstow.models import ObjectInfo
from jetstow.s3.buckets import Bucket
from jetstow.s3.errors import S3Error
from jetstow.s3.indexes import as_listed
from jetstow.s3.objects import modified_time

# How long changes are collected before they are sent, and how many in one event at most.
_BATCH_TIME: Final = 0.1
_MAX_BATCH: Final = 1_000
# The time between two checks of the session and the bucket, each with a comment line: proxies
# close connections that are silent for a minute. In seconds.
_CHECK_INTERVAL: Final = 15.0
# The feeds of an access key in a worker. Each of them is a consumer of the NATS server.
MAX_FEEDS: Final = 64
# After how many milliseconds a browser connects again.
_RETRY: Final = b"retry: 1000\n"


class Change(msgspec.Struct):
    """A change of a name. Of several changes in a batch, it is the last."""

    name: str
    deleted: bool
    size: int
    modified: str | None
    revision: int


class Changes(msgspec.Struct):
    """A batch of changes. `revision` is that of the last one."""

    changes: list[Change]
    revision: int


async def changes(request: Request) -> Response:
    """Send the changes of the names that begin with a prefix."""
    prefix = request.query_params.get("prefix", "")
    name = request.path_params["bucket"]
    call = await open_call(request, name, "ListObjectsV2", query={"prefix": prefix})
    message = f"The key has {MAX_FEEDS} feeds open: close one."
    on_end = count_open(request, "feed", MAX_FEEDS, message)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    events = _Feed(request, call.bucket, prefix).events()
    return Streamed(events, "text/event-stream", headers, on_end=on_end)


class _Feed:
    """The changes of a bucket for one client."""

    def __init__(self, request: Request, bucket: Bucket, prefix: str) -> None:
        self._request = request
        self._bucket = bucket
        self._prefix = prefix
        self._batch: dict[str, Change] = {}
        self._added = asyncio.Event()
        self._taken = asyncio.Event()
        self._check_at = time.monotonic() + _CHECK_INTERVAL

    async def events(self) -> AsyncGenerator[bytes, None]:
        """Yield events until the gateway drains, the bucket is deleted, or the session ends."""
        watch = as_listed(self._bucket.store).watch(self._prefix, updates_only=True)
        try:
            async with watch as watcher:
                yield _RETRY + _event("open", {})
                async with (
                    running(self._collect(watcher)) as collecting,
                    running(context_of(self._request).draining.wait()) as draining,
                ):
                    while not draining.done():
                        await self._wait(collecting, draining)
                        if collecting.done():
                            collecting.result()
                        if self._batch:
                            await asyncio.sleep(_BATCH_TIME)
                            yield self._take()
                        if time.monotonic() >= self._check_at:
                            await self._check()
                            yield b":\n\n"
        except BucketNotFoundError:
            yield _event("gone", {})
        except S3Error as error:
            if error.code == "NoSuchBucket":
                yield _event("gone", {})
        except (ConsoleError, JetstowError):
            pass  # the browser connects again, and gets the error then

    async def _collect(self, watcher: ObjectWatcher) -> None:
        """Add changes to the batch. While it is full, the server keeps those that follow."""
        async for info in watcher:
            if info is None:
                continue
            while len(self._batch) >= _MAX_BATCH:
                self._taken.clear()
                await self._taken.wait()
            self._batch.pop(info.name, None)
            self._batch[info.name] = _change(info)
            self._added.set()

    async def _wait(self, *ends: asyncio.Task[Any]) -> None:
        """Wait for a change, for one of the ends, or until the next check."""
        timeout = max(0.0, self._check_at - time.monotonic())
        async with running(self._added.wait()) as added:
            await asyncio.wait([added, *ends], timeout=timeout, return_when=asyncio.FIRST_COMPLETED)

    def _take(self) -> bytes:
        batch, self._batch = [*self._batch.values()], {}
        self._added.clear()
        self._taken.set()
        return _event("changes", Changes(batch, batch[-1].revision))

    async def _check(self) -> None:
        """Check that the caller may still list the bucket, and that it is the same one.

        Raises: `ConsoleError` (SignInRequired), `S3Error` (AccessDenied, NoSuchBucket).
        """
        signed_in(self._request).check()
        query = {"prefix": self._prefix}
        current = await open_bucket(self._request, self._bucket.name, "ListObjectsV2", query=query)
        if current.status.created != self._bucket.status.created:
            raise S3Error("NoSuchBucket")
        self._check_at = time.monotonic() + _CHECK_INTERVAL


def _change(info: ObjectInfo) -> Change:
    deleted = bool(info.deleted)
    size = 0 if deleted else info.size or 0
    return Change(info.name, deleted, size, iso_time(modified_time(info)), info.revision)


def _event(name: str, data: object) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), msgspec.json.encode(data))


ROUTES: Final = [Route("/buckets/{bucket}/changes", changes, methods=["GET"])]
