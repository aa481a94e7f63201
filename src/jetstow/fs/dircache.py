"""The listing of a bucket, kept in memory and kept current by a watch.

The server cannot list only the names with a prefix, so all names are read once, and the watch
delivers later changes. This process's own changes are entered at once, so that a listing
includes an object as soon as its write has returned.
"""

from __future__ import annotations

import asyncio
import datetime
from bisect import bisect_left
from collections.abc import Iterator

import jetstow
from jetstow import ObjectInfo, ObjectWatcher


class ListingCache:
    """The objects of one bucket.

    Await `wait_until_filled` before `infos`, and `stop` at the end. The event `changed` is set
    by every change that the watch delivers. `is_stale` requests a new listing.
    """

    def __init__(self, store: jetstow.ObjectStore) -> None:
        self.changed = asyncio.Event()
        self.is_stale = False
        self._store = store
        self._infos: dict[str, ObjectInfo] = {}
        self._sorted: list[str] | None = None
        # The last revision of each name that this process removed. The watch may still deliver
        # revisions up to that one, which must not bring the name back.
        self._removed_at: dict[str, int] = {}
        self._filled = asyncio.Event()
        self._task = asyncio.create_task(self._watch())

    @property
    def has_ended(self) -> bool:
        """Whether the watch has ended, for example because the bucket was deleted."""
        return self._task.done()

    async def wait_until_filled(self) -> None:
        """Wait until all names have been read.

        Raises: the errors of `ObjectStore.watch`.
        """
        filled = asyncio.create_task(self._filled.wait())
        try:
            await asyncio.wait([filled, self._task], return_when=asyncio.FIRST_COMPLETED)
        finally:
            filled.cancel()
        if not self._filled.is_set():
            await self._task

    def infos(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects whose names start with `prefix`, sorted by name."""
        if self._sorted is None:
            self._sorted = sorted(self._infos)
        now = datetime.datetime.now(datetime.UTC)
        for index in range(bisect_left(self._sorted, prefix), len(self._sorted)):
            info = self._infos[self._sorted[index]]
            if not info.name.startswith(prefix):
                break
            # The server does not notify watchers when an object expires.
            if info.expires is None or info.expires > now:
                yield info

    def update(self, info: ObjectInfo) -> None:
        """Enter an object's new state, unless a later one is already in the listing."""
        current = self._infos.get(info.name)
        latest = max(self._removed_at.get(info.name, 0), current.revision if current else 0)
        if info.revision < latest or (info.revision == latest and current is None):
            return
        if bool(info.deleted) != (current is None):
            self._sorted = None
        if info.deleted:
            self._infos.pop(info.name, None)
        else:
            self._infos[info.name] = info
        self._removed_at.pop(info.name, None)

    def remove(self, name: str) -> None:
        """Remove a name that this process has deleted or renamed."""
        removed = self._infos.pop(name, None)
        if removed is not None:
            self._removed_at[name] = removed.revision
            self._sorted = None

    async def stop(self) -> None:
        """Stop the watch."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        watcher: ObjectWatcher = await self._store.watch()
        async with watcher:
            async for change in watcher:
                if change is None:
                    self._filled.set()
                else:
                    self.update(change)
                    self.changed.set()
