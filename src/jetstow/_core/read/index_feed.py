"""The names of a bucket in memory, kept current by an ordered consumer."""

from __future__ import annotations

import asyncio
import builtins
import logging
import time
from collections import deque
from contextlib import suppress
from typing import Any, Final

from jetstow._core.aio.background import stop
from jetstow._core.aio.cancellation import CLEANUP_GRACE, uncancelled
from jetstow._core.bucket.stream import OFFSET_PAST_END, Stream
from jetstow._core.protocol.subjects import all_meta_subject
from jetstow._core.protocol.timestamps import parse_timestamp
from jetstow._core.protocol.versions import hidden_name, split_hidden_name
from jetstow._core.read.index_entry import Change, EntryDecoder, IndexEntry, Removed, stored_name
from jetstow._core.read.name_index import NameIndex
from jetstow._core.read.ordered_consumer import GapError, OrderedConsumer
from jetstow._core.read.version_index import VersionIndex
from jetstow.errors import ConnectionLostError, TimeoutError

_log = logging.getLogger("jetstow.index")

# How many of the last changes are kept.
_MAX_RECENT: Final = 10_000

# How many names are read before other tasks run: about 5 ms.
_FILLED_AT_ONCE: Final = 256


class Outdated(Exception):  # noqa: N818 - it never leaves the index
    """The names cannot be kept current any more: read all of them again."""


class IndexFeed:
    """The names since the creation of one bucket, until `has_ended`.

    `is_too_large` is whether the bucket has more than `max_names` names. Then none is kept.
    """

    def __init__(self, stream: Stream, decoder: EntryDecoder, max_names: int) -> None:
        self.names = NameIndex()
        self.versions = VersionIndex()
        self.versioning = stream.versioning
        self.is_too_large = False
        self.created: str | None = None
        # The server's clock minus the one of this process, in nanoseconds.
        self.clock_offset = 0
        self._stream = stream
        self._max_names = max_names
        self._consumer = OrderedConsumer[Change](stream, "last_per_subject", decoder.decode)
        # Names without an object: they count as names that the stream has.
        self._removed: set[str] = set()
        self._removals = 0
        # The last changes of objects: revision and name. All since `_recent_from` are there.
        self._recent: deque[tuple[int, str]] = deque(maxlen=_MAX_RECENT)
        self._recent_from = 0
        self._initial: dict[str, IndexEntry] | None = {}
        self._filled = asyncio.Event()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_resuming = False

    async def start(self) -> None:
        """Create the consumer.

        Raises: what `OrderedConsumer.open` raises.
        """
        info = await self._stream.info()
        self.versioning = self._stream.versioning
        self.created = info.get("created")
        self._removals = _removals(info)
        await self._consumer.open()
        self.clock_offset = parse_timestamp(self._consumer.opened_at) - time.time_ns()
        self._start_task()

    async def stop(self) -> None:
        """Stop, and delete the consumer."""
        await uncancelled(self._close(), CLEANUP_GRACE)

    @property
    def has_ended(self) -> bool:
        """Whether the names are not kept current any more."""
        return not self._is_resuming and (self._task is None or self._task.done())

    @property
    def applied(self) -> int:
        """The revision up to which all changes are in `names`."""
        return self._consumer.revision

    async def wait_filled(self) -> None:
        """Wait until all names have been read.

        Raises: what ended the task, `Outdated`.
        """
        while not self._filled.is_set():
            if self._task is not None and self._task.done():
                if not self._task.cancelled():
                    self._task.result()
                raise Outdated
            await self.wait_changed(None)

    async def wait_changed(self, timeout: float | None) -> bool:
        """Wait for the next change. Return false if there is none for `timeout` seconds."""
        self._changed.clear()
        with suppress(builtins.TimeoutError):
            async with asyncio.timeout(timeout):
                await self._changed.wait()
                return True
        return False

    def changed_since(self, revision: int) -> set[str] | None:
        """Return the names whose objects changed after a revision; None if that is unknown."""
        if self.is_too_large or revision < self._recent_from:
            return None
        found = set()
        for changed, name in reversed(self._recent):
            if changed <= revision:
                break
            found.add(name)
        return found

    async def resume(self) -> None:
        """Replace the consumer by another one, which continues after the last change."""
        if self._is_resuming:
            return  # another page does so
        self._is_resuming = True
        try:
            await self._cancel_task()
            self._start_task(reopen=True)
        finally:
            self._is_resuming = False

    async def drop_missing(self, info: dict[str, Any]) -> None:
        """Remove the names that the server has removed without a message.

        `info` is the state of the stream, up to which all changes are in `names`.
        """
        removals = _removals(info)
        if removals == self._removals:
            return
        pattern = all_meta_subject(self._stream.subject_bucket)
        reply = await self._stream.info(subjects_filter=pattern, offset=OFFSET_PAST_END)
        if reply.get("total", 0) != len(self.names) + len(self.versions) + len(self._removed):
            last = int(info["state"]["last_seq"])
            stored = {
                stored_name(self._stream, subject)
                async for subject, _ in self._stream.subject_counts(pattern)
            }
            missing = [
                entry.name
                for entry in self.names.values()
                if entry.name not in stored and entry.revision <= last
            ]
            for name in missing:
                self.names.discard(name)
            if missing:  # without a revision: what was read before cannot be brought up to date
                self._recent_from = self.applied + 1
            for entry in list(self.versions.kept()):
                if hidden_name(entry.name, entry.version) not in stored and entry.revision <= last:
                    self.versions.discard(entry.name, entry.version)
            for name in self._removed - stored:
                self.versions.mark(name, None)
            self._removed &= stored
        self._removals = removals

    # -- the task ----------------------------------------------------------------------------

    def _start_task(self, *, reopen: bool = False) -> None:
        name = f"index {self._stream.error_context()}"
        self._task = asyncio.create_task(self._run(reopen=reopen), name=name)
        self._task.add_done_callback(self._on_task_done)

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            task.exception()  # the next page raises it, or starts again
        self._changed.set()

    async def _run(self, *, reopen: bool) -> None:
        if reopen:
            await self._reopen()
        while True:
            try:
                change = await self._consumer.next()
            except (GapError, TimeoutError, ConnectionLostError) as error:
                reason = str(error) or "its consumer skipped a message"
                _log.info("restarting the index of %s: %s", self._stream.error_context(), reason)
                await self._reopen()
                continue
            if change is None:
                self._end_fill()
            else:
                self._apply(change)
                self._note(change.name)
            if self._initial is None:
                self._changed.set()
            elif len(self._initial) % _FILLED_AT_ONCE == 0:
                await asyncio.sleep(0)  # the next messages are there, so `next` does not wait
            if len(self._removed) + self._count() > self._max_names:
                self._give_up()
                await self._consumer.close()
                return

    def _apply(self, change: Change) -> None:
        initial = self._initial
        if isinstance(change, Removed):
            self._removed.add(change.name)
            if self.versioning is not None and (split := split_hidden_name(change.name)):
                self.versions.discard(*split)
                return
            self.versions.mark(change.name, change.marker)
            if initial is None:
                self.names.discard(change.name)
            else:
                initial.pop(change.name, None)
            return
        if change.is_kept:
            self._removed.discard(hidden_name(change.name, change.version))
            self.versions.keep(change)
            return
        self._removed.discard(change.name)
        self.versions.mark(change.name, None)
        if initial is None:
            self.names.set(change)
        else:
            initial[change.name] = change

    def _note(self, name: str) -> None:
        """Remember a change of an object."""
        is_hidden = self.versioning is not None and split_hidden_name(name) is not None
        if self._initial is None and not is_hidden:
            if len(self._recent) == _MAX_RECENT:
                self._recent_from = self._recent[0][0]
            self._recent.append((self.applied, name))

    def _end_fill(self) -> None:
        # Sorting all names at once takes less time than inserting them in order.
        self.names, self._initial = NameIndex(self._initial), None
        self._recent_from = self.applied
        self._filled.set()

    def _count(self) -> int:
        names = len(self.names) if self._initial is None else len(self._initial)
        return names + len(self.versions)

    def _give_up(self) -> None:
        _log.warning(
            "%s has more than %d names: its index reads all of them for each page",
            self._stream.error_context(),
            self._max_names,
        )
        self.is_too_large = True
        self.names, self._initial, self._removed = NameIndex(), None, set()
        self.versions = VersionIndex()
        self._filled.set()
        self._changed.set()

    async def _reopen(self) -> None:
        before = self.applied
        await self._consumer.reopen()
        if self.applied < before:
            raise Outdated  # the bucket lost messages in a crash, and names with them

    async def _close(self) -> None:
        try:
            await self._cancel_task()
        finally:
            await self._consumer.close()

    async def _cancel_task(self) -> None:
        if self._task is not None and not self._task.done():
            await stop(self._task)


def _removals(info: dict[str, Any]) -> int:
    """Return how many messages were removed since the stream was created."""
    return int(info["state"]["last_seq"]) - int(info["state"]["messages"])
