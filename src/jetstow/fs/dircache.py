"""The listing of a bucket, kept in memory and kept current by a watch.

The server cannot list only the names with a prefix, so all names are read once, and the watch
delivers later changes. This process's own changes are entered at once, so that a listing
includes an object as soon as its write has returned.

The server sends no message when it removes an object because of its age (the bucket's `ttl`, a
message TTL) or because an administrator purges it. Ages are computed here. For the rest, the
state of the stream is read when the listing is used, at most once per `check_interval`.
"""

from __future__ import annotations

import asyncio
import datetime
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Final

import jetstow
from jetstow import BucketStatus, ObjectInfo, ObjectWatcher
from jetstow._core.aio import background
from jetstow._core.protocol import subjects
from jetstow.errors import BucketNotFoundError

# The state of the stream is read at most this often, in seconds. If messages were removed, the
# server then sends the names of the bucket, about 80 bytes each: at most `_NAMES_PER_SECOND`.
_MIN_CHECK_INTERVAL: Final = 10.0
_NAMES_PER_SECOND: Final = 1_000

# The server sends no more subjects than this in one reply (JSMaxSubjectDetails).
_MAX_SUBJECTS: Final = 100_000

# The metadata in a stream: in a mirror, the subjects may have the name of another bucket.
_ALL_METADATA: Final = "$O.*.M.>"

# How late the server may remove what has expired. What is still there later shows that the clock
# of this machine is ahead, or that of the client that wrote the object was behind.
_MAX_EXPIRY_DELAY: Final = datetime.timedelta(seconds=2)


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
        # The last revision of each name that was removed. The watch may still deliver revisions
        # up to that one, which must not bring the name back.
        self._removed_at: dict[str, int] = {}
        self._filled = asyncio.Event()
        self._fill_revision = 0
        self._bucket = _BucketAge()
        self._checked_at = 0.0
        self._check_lock = asyncio.Lock()
        self._task = asyncio.create_task(self._watch())

    @property
    def has_ended(self) -> bool:
        """Whether the watch has ended, for example because the bucket was deleted."""
        return self._task.done()

    @property
    def check_interval(self) -> float:
        """How long, in seconds, a purged object may stay in the listing."""
        return max(_MIN_CHECK_INTERVAL, len(self._infos) / _NAMES_PER_SECOND)

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

    async def check_if_due(self) -> None:
        """Drop what the server removed without a message, once per `check_interval`.

        Sets `is_stale` if the bucket was deleted and created again.

        Raises: the errors of `ObjectStore.status`.
        """
        async with self._check_lock:
            if self._now() - self._checked_at >= self.check_interval:
                await self.check()

    async def check(self) -> None:
        """Drop what the server removed without a message.

        Raises: the errors of `ObjectStore.status`.
        """
        status = await self._store.status()
        self._checked_at = self._now()
        if self._bucket.is_recreated(status):
            self.is_stale = True
            return
        expired = [info for info in self._infos.values() if self._bucket.has_expired(info)]
        if self._bucket.has_lost_messages(status) or expired:
            await self._drop_missing()
            self._bucket.check_clock(info for info in expired if info.name in self._infos)

    def infos(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects whose names start with `prefix`, sorted by name."""
        if self._sorted is None:
            self._sorted = sorted(self._infos)
        names = self._sorted
        for index in range(bisect_left(names, prefix), len(names)):
            if not names[index].startswith(prefix):
                break
            info = self._infos.get(names[index])
            if info is not None and not self._bucket.has_expired(info):
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

    def enter(self, info: ObjectInfo) -> None:
        """Enter an object that this process has written."""
        if self._filled.is_set() and info.revision <= self._fill_revision:
            # Revisions have started again: the bucket was deleted and created again. Or the write
            # began before the listing was read, which is rare.
            self.is_stale = True
        self.update(info)

    def remove(self, name: str) -> None:
        """Remove a name that this process has deleted, renamed, or not found."""
        removed = self._infos.pop(name, None)
        if removed is not None:
            self._removed_at[name] = removed.revision
            self._sorted = None

    async def stop(self) -> None:
        """Stop the watch."""
        await background.stop(self._task)

    async def _drop_missing(self) -> None:
        """Compare the names with those in the stream, and remove the others."""
        # Not nats-py's `stream_info`: without a leader, no name may be in it (decision 0049).
        stream = self._store._bucket  # noqa: SLF001
        try:
            state = (await stream.info(subjects_filter=_ALL_METADATA))["state"]
        except BucketNotFoundError:
            self.is_stale = True
            return
        stored = {subject.rpartition(".")[2] for subject in state.get("subjects") or ()}
        if len(stored) >= _MAX_SUBJECTS:
            self.is_stale = True  # the reply is not complete: read all names again
            return
        last_seq = state["last_seq"]
        self._bucket.note_removals(last_seq, state["messages"])
        for name, info in list(self._infos.items()):
            # What was written after the reply is not in it.
            if info.revision <= last_seq and _encode(name) not in stored:
                self.remove(name)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    async def _watch(self) -> None:
        # The state before the first name is read: what is removed later makes a difference.
        self._bucket.begin(await self._store.status())
        self._checked_at = self._now()
        watcher: ObjectWatcher = await self._store.watch()
        async with watcher:
            async for change in watcher:
                if change is None:
                    revisions = (info.revision for info in self._infos.values())
                    self._fill_revision = max(revisions, default=0)
                    self._filled.set()
                else:
                    self.update(change)
                    self.changed.set()


def _encode(name: str) -> str:
    """Return the last token of the subject of an object's metadata."""
    return subjects.meta_subject("", name).rpartition(".")[2]


class _BucketAge:
    """The creation time of a bucket, its removed messages, and the expiry of its objects."""

    def __init__(self) -> None:
        self._created: datetime.datetime | None = None
        self._max_age: datetime.timedelta | None = None
        self._removals = 0
        self._has_clock = True

    def begin(self, status: BucketStatus) -> None:
        """Start with the state of a bucket."""
        self._created = status.created
        self._set_max_age(status)
        state = status.stream_info.state
        self.note_removals(state.last_seq, state.messages)

    def is_recreated(self, status: BucketStatus) -> bool:
        """Return whether the state is that of another bucket with the same name."""
        return status.created != self._created

    def has_lost_messages(self, status: BucketStatus) -> bool:
        """Return whether any messages were removed since the last `note_removals`."""
        self._set_max_age(status)
        state = status.stream_info.state
        return state.last_seq - state.messages != self._removals

    def note_removals(self, last_seq: int, messages: int) -> None:
        """Remember how many messages were removed since the stream was created."""
        self._removals = last_seq - messages

    def has_expired(self, info: ObjectInfo) -> bool:
        """Return whether an object has reached the bucket's `ttl` or its own."""
        expires = self._expiry(info) if self._has_clock else None
        return expires is not None and expires <= datetime.datetime.now(datetime.UTC)

    def check_clock(self, present: Iterable[ObjectInfo]) -> None:
        """Stop to compute ages if the server still has what has expired by this clock."""
        limit = datetime.datetime.now(datetime.UTC) - _MAX_EXPIRY_DELAY
        if any(expires < limit for info in present if (expires := self._expiry(info))):
            self._has_clock = False

    def _set_max_age(self, status: BucketStatus) -> None:
        self._max_age = datetime.timedelta(seconds=status.ttl) if status.ttl else None

    def _expiry(self, info: ObjectInfo) -> datetime.datetime | None:
        ends = [info.expires] if info.expires is not None else []
        if self._max_age is not None and info.modified is not None:
            ends.append(info.modified + self._max_age)
        return min(ends, default=None)
