"""Watch a bucket: its current objects, then every change as it happens.

A watcher survives lost connections and servers that fall silent: it creates another consumer, which
continues after the last change.
"""

from __future__ import annotations

import asyncio
import builtins
import logging
from collections import deque
from collections.abc import Callable
from typing import Final, Self

from nats.js.object_store import ObjectStore as _NatsObjectStore

from jetstow._core.aio.background import stop
from jetstow._core.aio.cancellation import CLEANUP_GRACE, uncancelled
from jetstow._core.aio.deadline import deadline
from jetstow._core.bucket.encryption import plain_info
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol import subjects
from jetstow._core.protocol.duration import seconds
from jetstow._core.protocol.message import Message
from jetstow._core.protocol.metadata import decode_info
from jetstow._core.protocol.msg_metadata import MsgMetadata
from jetstow._core.read.filters import NameFilter
from jetstow._core.read.ordered_consumer import GapError, OrderedConsumer, Policy
from jetstow.errors import (
    BadObjectMetaError,
    ConnectionLostError,
    JetstowError,
    TimeoutError,
    WatcherStoppedError,
)
from jetstow.models import ObjectInfo
from jetstow.types import Duration

_log = logging.getLogger("jetstow.watch")

# Changes buffered for the user. While the buffer is full, flow control stops the server.
_MAX_BUFFERED_CHANGES: Final = 256


class ObjectWatcher(_NatsObjectStore.ObjectWatcher):
    """The changes of a bucket: an `ObjectInfo` each, and None after the current objects.

    Iterate over it, or call `updates`. Iteration ends with `stop`. It is an async context manager,
    which stops it.
    """

    def __init__(
        self,
        stream: Stream,
        policy: Policy,
        names: NameFilter,
        match: Callable[[ObjectInfo], object] | None,
        *,
        ignore_deletes: bool,
    ) -> None:
        self._context = stream.error_context()
        self._stream = stream
        self._consumer = OrderedConsumer(stream, policy, self._decode)
        self._names = names
        self._match = match
        self._ignore_deletes = ignore_deletes
        self._changes: deque[ObjectInfo | None] = deque()
        self._change_added = asyncio.Event()
        self._change_taken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopped = False

    async def start(self) -> Self:
        """Start watching, and return the watcher.

        Raises: `BucketNotFoundError`, `ConnectionLostError`, `PermissionDeniedError`,
        `TimeoutError`.
        """
        await self._consumer.open()
        self._task = asyncio.create_task(self._run(), name=f"watch {self._context}")
        self._task.add_done_callback(self._on_task_done)
        return self

    async def stop(self) -> None:
        """Stop watching. Tasks that wait for a change stop waiting.

        A call that is cancelled stops it, too.

        Raises: `WrongEventLoopError`.
        """
        self._stream.api.inbox.loop.check(self._context)
        self._stopped = True
        self._changes.clear()
        self._change_added.set()
        await uncancelled(self._close(), CLEANUP_GRACE)

    async def updates(self, timeout: Duration | None = 5.0) -> ObjectInfo | None:
        """Return the next change; wait up to `timeout` seconds, or without limit if it is None.

        Raises: `TimeoutError`, `WatcherStoppedError`, `BucketNotFoundError`,
        `ConnectionLostError`.
        """
        try:
            async with deadline(seconds(timeout)):
                return await self._next()
        except builtins.TimeoutError as error:
            if isinstance(error, JetstowError):
                raise
            raise self._context.error(
                TimeoutError,
                f"nothing changed in {self._context} within {seconds(timeout):g} seconds",
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

    async def _close(self) -> None:
        try:
            if self._task is not None and not self._task.done():
                await stop(self._task)
        finally:
            await self._consumer.close()

    async def _next(self) -> ObjectInfo | None:
        self._stream.api.inbox.loop.check(self._context)
        while True:
            while not self._changes:
                self._check_running()
                self._change_added.clear()
                await self._change_added.wait()
            self._change_taken.set()
            change = self._changes.popleft()
            # Called here, and not by the watcher's task: the caller gets its exceptions.
            if change is None or self._match is None or self._match(change):
                return change

    def _check_running(self) -> None:
        if self._stopped:
            raise self._context.error(
                WatcherStoppedError, f"the watcher of {self._context} was stopped"
            )
        if self._task is not None and self._task.done():
            self._task.result()

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            task.exception()  # the next call raises it, so asyncio does not have to log it
        self._change_added.set()

    async def _run(self) -> None:
        while True:
            try:
                change = await self._consumer.next()
            except (GapError, TimeoutError, ConnectionLostError) as error:
                reason = str(error) or "its consumer skipped a message"
                _log.info("restarting the watcher of %s: %s", self._context, reason)
                await self._consumer.reopen()
                continue
            if change is not None and not self._selects(change):
                continue
            while len(self._changes) >= _MAX_BUFFERED_CHANGES:
                self._change_taken.clear()
                await self._change_taken.wait()
            self._changes.append(None if change is None else plain_info(self._stream, change))
            self._change_added.set()

    def _decode(self, message: Message, metadata: MsgMetadata) -> ObjectInfo | None:
        bucket, revision = self._stream.bucket, metadata.stream_seq
        name = subjects.object_name(self._stream.subject_bucket, message.subject)
        try:
            if name is not None:
                return decode_info(
                    bucket, name, message.data, revision=revision, mtime=metadata.timestamp
                )
        except BadObjectMetaError as error:
            _log.warning("skipped: %s", error)
        return None

    def _selects(self, change: ObjectInfo) -> bool:
        if change.deleted and self._ignore_deletes:
            return False
        return self._names.selects(change.name)
