"""The number of objects of each bucket, by watching it: the server counts messages only."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from jetstow._core.aio.background import stop

if TYPE_CHECKING:
    from jetstow import BucketStatus, JetStreamContext

_log = logging.getLogger("jetstow.cli")

# The smallest buckets are counted, each up to this number of objects: all of its metadata is read
# once, and a name takes about 200 bytes of memory.
MAX_BUCKETS: Final = 100
MAX_NAMES: Final = 250_000

# The delay before a bucket is watched again after an error, in seconds.
_RETRY_DELAY: Final = 2.0


class ObjectCounts:
    """Counts the objects of buckets until `close`."""

    def __init__(self, js: JetStreamContext) -> None:
        self._js = js
        self._counters: dict[str, _Counter] = {}

    def follow(self, statuses: Iterable[BucketStatus]) -> None:
        """Count the objects of these buckets, as far as the limits allow, and of no others."""
        ordered = sorted(statuses, key=lambda status: status.size)
        for bucket in self._counters.keys() - {status.bucket for status in ordered}:
            self._counters.pop(bucket).task.cancel()
        for status in ordered:
            if len(self._counters) >= MAX_BUCKETS:
                return
            if status.bucket not in self._counters:
                self._counters[status.bucket] = _Counter(self._js, status.bucket)

    def of(self, bucket: str) -> int | None:
        """Return the number of objects, links included; None if they are not counted."""
        counter = self._counters.get(bucket)
        return None if counter is None or not counter.is_known else len(counter.names)

    async def wait(self, seconds: float) -> None:
        """Wait until all buckets are counted, but not longer than this."""
        waits = [asyncio.ensure_future(each.settled.wait()) for each in self._counters.values()]
        if waits:
            _, pending = await asyncio.wait(waits, timeout=seconds)
            for wait in pending:
                wait.cancel()

    async def close(self) -> None:
        """Stop watching."""
        tasks = [counter.task for counter in self._counters.values()]
        self._counters.clear()
        await stop(*tasks)


class _Counter:
    """Counts the objects of one bucket. `settled` is set once they are counted, or too many."""

    def __init__(self, js: JetStreamContext, bucket: str) -> None:
        self.names: set[str] = set()
        self.settled = asyncio.Event()
        self.is_known = False
        self._js = js
        self._bucket = bucket
        self.task = asyncio.create_task(self._run(), name=f"count {bucket}")

    async def _run(self) -> None:
        from jetstow.errors import JetstowError

        while True:
            try:
                await self._watch()
            except JetstowError as error:  # the bucket was deleted, or the connection was lost
                _log.debug("cannot count the objects of %r: %s", self._bucket, error)
            self.is_known = False
            if len(self.names) > MAX_NAMES:
                self.names.clear()
                self.settled.set()
                return
            self.names.clear()
            await asyncio.sleep(_RETRY_DELAY)

    async def _watch(self) -> None:
        store = await self._js.object_store(self._bucket)
        async with store.watch() as changes:
            async for info in changes:
                if info is None:
                    self.is_known = True
                    self.settled.set()
                elif info.deleted:
                    self.names.discard(info.name)
                else:
                    self.names.add(info.name)
                    if len(self.names) > MAX_NAMES:
                        return
