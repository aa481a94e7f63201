"""Reads a folder from the index of its bucket, and keeps it current by a watch."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

from jetstow._core.aio.background import stop
from jetstow.cli.browse.rows import Folder

if TYPE_CHECKING:
    from jetstow import BucketIndex, ObjectInfo, ObjectStore

PAGE_SIZE: Final = 2_000

# Changes are shown together after this time, in seconds, or after a multiple of the time that the
# last update of the screen took: a folder with many names leaves time for keys.
_MIN_PAUSE: Final = 0.1
_PAUSE_FACTOR: Final = 5

# The delay before another attempt after an error, in seconds.
_RETRY_DELAY: Final = 1.0


class BucketFeed:
    """The folders of one bucket, one at a time.

    `on_change` is called when the rows have changed, `on_error` with an error, or with None when
    the listing works again. Both run in the event loop.
    """

    def __init__(
        self,
        store: ObjectStore,
        on_change: Callable[[], None],
        on_error: Callable[[Exception | None], None],
    ) -> None:
        self.store = store
        self.folder = Folder(store.bucket, "")
        self.is_complete = False
        self._on_change = on_change
        self._on_error = on_error
        self._task: asyncio.Task[None] | None = None
        self._prefix_changed = asyncio.Event()
        self._changes: asyncio.Queue[ObjectInfo] = asyncio.Queue()

    @property
    def bucket(self) -> str:
        """The name of the bucket."""
        return self.store.bucket

    def open(self, prefix: str) -> None:
        """Show the folder with this prefix."""
        self.folder = Folder(self.bucket, prefix)
        self.is_complete = False
        self._prefix_changed.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"browse {self.bucket}")

    async def close(self) -> None:
        """Stop watching the bucket."""
        if self._task is not None:
            await stop(self._task)

    async def _run(self) -> None:
        """Read and watch the bucket; after an error, begin again."""
        while True:
            try:
                async with AsyncExitStack() as stack:
                    index = await stack.enter_async_context(self.store.index())
                    changes = await stack.enter_async_context(self.store.watch(updates_only=True))
                    group = await stack.enter_async_context(asyncio.TaskGroup())
                    group.create_task(self._show(index))
                    async for info in changes:
                        if info is not None:
                            self._changes.put_nowait(info)
            except* Exception as errors:  # noqa: BLE001 - shown; the next attempt may succeed
                self._on_error(_first(errors))
            await asyncio.sleep(_RETRY_DELAY)
            self.open(self.folder.prefix)

    async def _show(self, index: BucketIndex) -> None:
        """Read the folder, then apply changes to it, until another one is opened."""
        while True:
            self._prefix_changed.clear()
            await self._read(index)
            self._on_error(None)
            while not self._prefix_changed.is_set():
                info = await self._next_change()
                if info is None:
                    break
                started = time.monotonic()
                await self._apply(index, info)
                self._on_change()
                took = time.monotonic() - started
                await self._pause(max(_MIN_PAUSE, _PAUSE_FACTOR * took))

    async def _read(self, index: BucketIndex) -> None:
        """Read all pages of the folder. The first one is shown at once."""
        folder, after = self.folder, ""
        while folder is self.folder:
            page = await index.page(folder.prefix, delimiter="/", after=after, limit=PAGE_SIZE)
            folder.add_page(page.prefixes, page.entries)
            if page.next is None:
                self.is_complete = folder is self.folder
                break
            if not after:
                self._on_change()
            after = page.next
            await asyncio.sleep(0)  # keys come first
        self._on_change()

    async def _next_change(self) -> ObjectInfo | None:
        """Return the next change, or None if another folder was opened."""
        change = asyncio.create_task(self._changes.get())
        opened = asyncio.create_task(self._prefix_changed.wait())
        try:
            await asyncio.wait((change, opened), return_when=asyncio.FIRST_COMPLETED)
            return change.result() if change.done() else None
        finally:
            change.cancel()
            opened.cancel()

    async def _apply(self, index: BucketIndex, info: ObjectInfo) -> None:
        """Apply a change and all others that have arrived."""
        folder, doubtful = self.folder, {self.folder.apply(info)}
        while not self._changes.empty():
            doubtful.add(folder.apply(self._changes.get_nowait()))
        for prefix in filter(None, doubtful):
            page = await index.page(prefix, limit=1)
            if not page.entries:
                folder.remove_folder(prefix)

    async def _pause(self, seconds: float) -> None:
        """Wait, unless another folder is opened."""
        opened = asyncio.create_task(self._prefix_changed.wait())
        await asyncio.wait((opened,), timeout=seconds)
        opened.cancel()


def _first(errors: BaseExceptionGroup[Exception]) -> Exception:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error if isinstance(error, Exception) else RuntimeError(str(error))
