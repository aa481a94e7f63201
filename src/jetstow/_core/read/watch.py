"""A bucket's changes as they happen: first what is there, then what is new.

Whatever disturbs the feed behind it (a silent server, a reconnect) is mended here, as long
as there is a connection and a bucket.
"""

from __future__ import annotations

import asyncio
import builtins
import logging
from collections import deque
from typing import Final, Self

from nats.js.object_store import ObjectStore as _NatsObjectStore

from jetstow._core.bucket.encryption import plain_info
from jetstow._core.bucket.stream import Stream
from jetstow._core.read.ordered_consumer import GapError, OrderedConsumer, Policy
from jetstow.errors import (
    ConnectionLostError,
    JetstowError,
    JetStreamUnavailableError,
    TimeoutError,
    WatcherStoppedError,
)
from jetstow.models import ObjectInfo

_log = logging.getLogger("jetstow.watch")

# Between two tries to get a consumer back, in seconds.
_REOPEN_DELAY: Final = 0.25

# Changes that wait for the user. Beyond them the server waits: see flow control.
_MAX_BUFFERED_CHANGES: Final = 256


class ObjectWatcher(_NatsObjectStore.ObjectWatcher):
    """Tells every change of a bucket: `ObjectInfo`s, and None where the present begins.

    Iterate it, or ask for `updates`. It lives until `stop`, or the end of `async with`.
    """

    def __init__(self, stream: Stream, policy: Policy, *, ignore_deletes: bool) -> None:
        self._context = stream.error_context()
        self._stream = stream
        self._consumer = OrderedConsumer(stream, policy)
        self._ignore_deletes = ignore_deletes
        self._changes: deque[ObjectInfo | None] = deque()
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopped = False

    async def start(self) -> Self:
        """Begin to watch. Raises what prevents it."""
        await self._consumer.open()
        self._task = asyncio.create_task(self._run(), name=f"watch {self._context}")
        self._task.add_done_callback(self._on_task_done)
        return self

    async def stop(self) -> None:
        """Tell nothing more. Whoever waits for a change is let go."""
        self._stopped = True
        self._changes.clear()
        self._arrived.set()
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._consumer.close()

    async def updates(self, timeout: float | None = 5.0) -> ObjectInfo | None:
        """The next change, waited for `timeout` seconds at most.

        Raises `TimeoutError`, `WatcherStoppedError`, or what ended the watch:
        `BucketNotFoundError`, `ConnectionLostError`.
        """
        try:
            async with asyncio.timeout(timeout):
                return await self._next()
        except builtins.TimeoutError as error:
            if isinstance(error, JetstowError):
                raise
            raise self._context.error(
                TimeoutError, f"nothing changed in {self._context} within {timeout:g} seconds"
            ) from None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ObjectInfo | None:
        try:
            return await self._next()
        except WatcherStoppedError:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _next(self) -> ObjectInfo | None:
        while not self._changes:
            self._check_running()
            self._arrived.clear()
            await self._arrived.wait()
        self._room.set()
        return self._changes.popleft()

    def _check_running(self) -> None:
        if self._stopped:
            raise self._context.error(
                WatcherStoppedError, f"the watcher of {self._context} was stopped"
            )
        if self._task is not None and self._task.done():
            self._task.result()

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            task.exception()  # kept for the next call, so asyncio need not complain of it
        self._arrived.set()

    async def _run(self) -> None:
        while True:
            try:
                change = await self._consumer.next()
            except (GapError, TimeoutError, ConnectionLostError) as error:
                _log.info("watching %s again after %s", self._context, str(error) or "a gap")
                await self._reopen()
                continue
            if change is not None and change.deleted and self._ignore_deletes:
                continue
            while len(self._changes) >= _MAX_BUFFERED_CHANGES:
                self._room.clear()
                await self._room.wait()
            self._changes.append(None if change is None else plain_info(self._stream, change))
            self._arrived.set()

    async def _reopen(self) -> None:
        while True:
            try:
                return await self._consumer.open()
            except (TimeoutError, ConnectionLostError, JetStreamUnavailableError):
                # nats-py reconnects, or gives up and closes.
                if self._stream.api.nc.is_closed:
                    raise
                await asyncio.sleep(_REOPEN_DELAY)
