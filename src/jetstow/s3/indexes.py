"""The indexes of buckets that are listed, shared by all requests of a NATS connection."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from jetstow import BucketIndex, ObjectStore

# Each open index watches its bucket, and has about 500 bytes of memory for each name.
_MAX_OPEN: Final = 64
_MAX_NAMES: Final = 1_000_000
# How long an index stays open without a request, in seconds.
_IDLE: Final = 600.0

_ANY_KEY: Final = bytes(32)


@dataclass(slots=True)
class _Open:
    """An open index, and how many requests use it."""

    index: BucketIndex
    users: int = 0
    used_at: float = 0.0


def as_listed(store: ObjectStore) -> ObjectStore:
    """Return a view of a bucket that has the sizes of objects as lists have them.

    A view with a key has the sizes of the plaintext, also of objects of other keys: those that a
    GET with the customer's key has.
    """
    return store.encrypted(_ANY_KEY, allow_plain=True)


class Indexes:
    """Indexes by bucket, the least recently used first. Their entries have values of `metadata`."""

    def __init__(self, metadata: Sequence[str]) -> None:
        self._metadata = metadata
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._opening = asyncio.Lock()

    @asynccontextmanager
    async def use(self, store: ObjectStore) -> AsyncIterator[BucketIndex]:
        """Open the index of a bucket, or use the one that is open.

        Raises: what `index` raises.
        """
        opened = await self._acquire(store)
        try:
            await self._discard_unused()
            yield opened.index
        finally:
            opened.users -= 1
            opened.used_at = time.monotonic()
            if not opened.users and self._open.get(store.bucket) is not opened:
                await opened.index.close()  # it was discarded while it was used

    def opened(self) -> list[tuple[str, BucketIndex]]:
        """Return the NATS buckets whose indexes are open, with these."""
        return [(bucket, opened.index) for bucket, opened in self._open.items()]

    async def discard(self, bucket: str) -> None:
        """Close the index of a bucket that is deleted."""
        opened = self._open.pop(bucket, None)
        if opened is not None and not opened.users:
            await opened.index.close()

    async def close(self) -> None:
        """Close all indexes."""
        for bucket in list(self._open):
            await self.discard(bucket)

    async def _acquire(self, store: ObjectStore) -> _Open:
        async with self._opening:
            opened = self._open.get(store.bucket)
            if opened is None:
                view = as_listed(store)
                index = await view.index(metadata=self._metadata, max_names=_MAX_NAMES)
                self._open[store.bucket] = opened = _Open(index)
            self._open.move_to_end(store.bucket)
            opened.users += 1
            return opened

    async def _discard_unused(self) -> None:
        now = time.monotonic()
        for bucket, opened in list(self._open.items()):
            is_idle = now - opened.used_at > _IDLE
            if not opened.users and (is_idle or len(self._open) > _MAX_OPEN):
                await self.discard(bucket)
