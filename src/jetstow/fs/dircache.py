"""The names of a bucket, kept in memory and kept true by a watch.

The server cannot list a part of the names, so all of them are read once, and whatever changes
arrives by itself. One's own changes are noted at once: who has written something finds it.
"""

from __future__ import annotations

import asyncio
import datetime
from bisect import bisect_left
from collections.abc import Iterator

import jetstow
from jetstow import ObjectInfo, ObjectWatcher


class Names:
    """What is in one bucket now. To be `complete` before it is asked, and stopped in the end.

    `changed` is set whenever somebody has changed something.
    """

    def __init__(self, store: jetstow.ObjectStore) -> None:
        self.changed = asyncio.Event()
        self.is_stale = False
        self._store = store
        self._infos: dict[str, ObjectInfo] = {}
        self._sorted: list[str] | None = None
        # Revisions up to which a name is gone: older news of it are still on their way.
        self._gone: dict[str, int] = {}
        self._filled = asyncio.Event()
        self._task = asyncio.create_task(self._follow())

    @property
    def has_ended(self) -> bool:
        """Whether nothing is heard any more, as of a bucket that is no more."""
        return self._task.done()

    async def complete(self) -> None:
        """Wait until all names are there. Raises what keeps them from being read."""
        filled = asyncio.create_task(self._filled.wait())
        try:
            await asyncio.wait([filled, self._task], return_when=asyncio.FIRST_COMPLETED)
        finally:
            filled.cancel()
        if not self._filled.is_set():
            await self._task

    def below(self, prefix: str) -> Iterator[ObjectInfo]:
        """The objects whose names begin like that, sorted by name."""
        if self._sorted is None:
            self._sorted = sorted(self._infos)
        now = datetime.datetime.now(datetime.UTC)
        for index in range(bisect_left(self._sorted, prefix), len(self._sorted)):
            info = self._infos[self._sorted[index]]
            if not info.name.startswith(prefix):
                break
            # The server says nothing of objects that expire.
            if info.expires is None or info.expires > now:
                yield info

    def put(self, info: ObjectInfo) -> None:
        """An object has been written, by whomever."""
        known = self._infos.get(info.name)
        latest = max(self._gone.get(info.name, 0), known.revision if known else 0)
        if info.revision < latest or (info.revision == latest and known is None):
            return
        if bool(info.deleted) != (known is None):
            self._sorted = None
        if info.deleted:
            self._infos.pop(info.name, None)
        else:
            self._infos[info.name] = info
        self._gone.pop(info.name, None)

    def remove(self, name: str) -> None:
        """An object has been deleted or renamed by ourselves."""
        known = self._infos.pop(name, None)
        if known is not None:
            self._gone[name] = known.revision
            self._sorted = None

    async def stop(self) -> None:
        """Hear of nothing any more."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _follow(self) -> None:
        watcher: ObjectWatcher = await self._store.watch()
        async with watcher:
            async for change in watcher:
                if change is None:
                    self._filled.set()
                else:
                    self.put(change)
                    self.changed.set()
