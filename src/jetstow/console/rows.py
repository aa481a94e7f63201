"""Folders of buckets as rows: sorted, filtered, and kept as long as the bucket is unchanged.

The names come from the indexes that the gateway shares, so that a folder is as current as a list
of S3: before each window, the index asks the stream leader for later changes.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final, Literal
from weakref import WeakValueDictionary

from jetstow import BucketIndex, IndexEntry
from jetstow.s3.buckets import Bucket, Buckets
from jetstow.s3.objects import listed_time

Sort = Literal["name", "size", "modified"]

# How many rows all views together have at most, at 8 bytes each: the entries are the index's own.
MAX_ROWS: Final = 4_000_000
# How long a view is used at most, in seconds: the index finds purges of single objects by an
# administrator, which have no revision, after this time.
_MAX_AGE: Final = 10.0
# How many entries are handled at once: about 10 ms, during which other requests wait.
_STEP: Final = 5_000
# Sorting so many takes about 20 ms.
_SORTED_AT_ONCE: Final = 50_000
# How many names a view has at most if the index keeps none, because the bucket has too many.
_MAX_SCANNED: Final = 200_000
# The views of one folder, for filters and orders.
_MAX_VIEWS: Final = 8

_SECOND: Final = 10**9


@dataclass(frozen=True, slots=True)
class Order:
    """How the rows of a folder are filtered and sorted. Folders come first, and have no size."""

    filter: str = ""
    sort: Sort = "name"
    descending: bool = False


BY_NAME: Final = Order()


@dataclass(frozen=True, slots=True)
class View:
    """The rows of a folder: its folders, then its objects. `size` is that of the objects in bytes.

    `is_partial`: the bucket has too many names to show all.
    """

    folders: list[str]
    entries: list[IndexEntry]
    size: int
    revision: int
    is_partial: bool = False

    @property
    def total(self) -> int:
        """The number of rows."""
        return len(self.folders) + len(self.entries)

    def window(self, offset: int, limit: int) -> tuple[list[str], list[IndexEntry]]:
        """Return the folders and the objects of `limit` rows from `offset` on."""
        count = len(self.folders)
        stop = offset + limit
        first, end = max(0, offset - count), max(0, stop - count)
        return self.folders[offset:stop], self.entries[first:end]


@dataclass(slots=True)
class _Folder:
    """A folder at one revision, and its views. `expires` is when an object does (0: none)."""

    by_name: View
    expires: int
    read_at: float
    views: OrderedDict[Order, View] = field(default_factory=OrderedDict)

    @property
    def rows(self) -> int:
        """The number of rows of all views."""
        return self.by_name.total + sum(view.total for view in self.views.values())


@dataclass(frozen=True, slots=True)
class _Key:
    """A folder of a bucket. Another bucket of the same name has another time of creation."""

    buckets: Buckets
    stream: str
    created: object
    prefix: str
    is_deep: bool


class Views:
    """The folders that were viewed, the least recently used first."""

    def __init__(self, max_rows: int = MAX_ROWS) -> None:
        self._max_rows = max_rows
        self._folders: OrderedDict[_Key, _Folder] = OrderedDict()
        self._locks: WeakValueDictionary[_Key, asyncio.Lock] = WeakValueDictionary()

    async def open(
        self, buckets: Buckets, bucket: Bucket, prefix: str, order: Order, *, is_deep: bool
    ) -> View:
        """Return the current rows of a folder: with `is_deep`, all objects below it.

        Raises: what `index` and `page` raise.
        """
        status = bucket.status
        key = _Key(buckets, status.bucket, status.created, prefix, is_deep)
        lock = self._locks.get(key)
        if lock is None:
            self._locks[key] = lock = asyncio.Lock()
        async with lock, buckets.indexes.use(bucket.store) as index:
            folder = await self._folder(key, index, status.ttl or 0)
            if order == BY_NAME:
                return folder.by_name
            view = folder.views.get(order)
            if view is None:
                view = await _ordered(folder.by_name, order, len(prefix))
                folder.views[order] = view
                if len(folder.views) > _MAX_VIEWS:
                    folder.views.popitem(last=False)
            folder.views.move_to_end(order)
            self._discard_oldest()
            return view

    async def _folder(self, key: _Key, index: BucketIndex, max_age: float) -> _Folder:
        now = await index.page(limit=0)
        folder = self._folders.get(key)
        is_current = (
            folder is not None
            and folder.by_name.revision == now.revision != 0
            and not 0 < folder.expires <= now.time
            and time.monotonic() - folder.read_at < _MAX_AGE
        )
        if folder is None or not is_current:
            reads = _read if now.revision else _scan
            folder = await reads(index, key, int(max_age * _SECOND))
            self._folders[key] = folder
        self._folders.move_to_end(key)
        self._discard_oldest()
        return folder

    def _discard_oldest(self) -> None:
        rows = sum(folder.rows for folder in self._folders.values())
        while rows > self._max_rows and len(self._folders) > 1:
            _, oldest = self._folders.popitem(last=False)
            rows -= oldest.rows


async def _read(index: BucketIndex, key: _Key, max_age: int) -> _Folder:
    """Read a folder from an index, in slices: each of them blocks the event loop for some ms."""
    folders: list[str] = []
    entries: list[IndexEntry] = []
    size, revision, expires, after = 0, 0, 0, ""
    delimiter = "" if key.is_deep else "/"
    while True:
        page = await index.page(key.prefix, after=after, delimiter=delimiter, limit=_STEP)
        # The first page is the oldest: a change since then makes the view one of the past.
        revision = revision or page.revision
        folders += page.prefixes
        found = _without_marker(page.entries, key.prefix)
        entries += found
        size += sum(entry.size for entry in found)
        expires = min(filter(None, (expires, _next_expiry(found, max_age))), default=0)
        if page.next is None:
            view = View(folders, entries, size, revision)
            return _Folder(view, expires, time.monotonic())
        after = page.next


async def _scan(index: BucketIndex, key: _Key, max_age: int) -> _Folder:  # noqa: ARG001
    """Read a folder of a bucket whose index keeps no names: in one page, and never used again."""
    delimiter = "" if key.is_deep else "/"
    page = await index.page(key.prefix, delimiter=delimiter, limit=_MAX_SCANNED)
    entries = _without_marker(page.entries, key.prefix)
    size = sum(entry.size for entry in entries)
    view = View(page.prefixes, entries, size, 0, is_partial=page.next is not None)
    return _Folder(view, 0, time.monotonic())


def _without_marker(entries: list[IndexEntry], prefix: str) -> list[IndexEntry]:
    """Return entries without the object that some clients of S3 store for the folder itself."""
    return entries[1:] if prefix and entries and entries[0].name == prefix else entries


def _next_expiry(entries: list[IndexEntry], max_age: int) -> int:
    """Return when the first of some objects expires, in nanoseconds since 1970; 0 for never."""
    own = min((entry.expires for entry in entries if entry.expires), default=0)
    if not max_age or not entries:
        return own
    by_age = min(entry.time for entry in entries) + max_age
    return min(own, by_age) if own else by_age


async def _ordered(view: View, order: Order, skipped: int) -> View:
    """Return a view with another order. Labels begin after `skipped` characters of a name."""
    folders, entries, size = view.folders, view.entries, view.size
    if text := order.filter.casefold():
        folders = [name for name in folders if text in name[skipped:].casefold()]
        found: list[IndexEntry] = []
        for start in range(0, len(entries), _STEP):
            some = entries[start : start + _STEP]
            found += [entry for entry in some if text in entry.name[skipped:].casefold()]
            await asyncio.sleep(0)
        entries, size = found, sum(entry.size for entry in found)
    if order.sort != "name":
        value = attrgetter("size") if order.sort == "size" else listed_time
        entries = await _sorted(entries, value, descending=order.descending)
    elif order.descending:
        folders, entries = folders[::-1], entries[::-1]
    return View(folders, entries, size, view.revision, view.is_partial)


async def _sorted(
    entries: list[IndexEntry], value: Callable[[IndexEntry], int], *, descending: bool
) -> list[IndexEntry]:
    """Return entries sorted by a value; those with the same stay in order.

    Pieces are sorted first, with a pause after each. Python then only merges them.
    """
    pieces: list[IndexEntry] = []
    for start in range(0, len(entries), _SORTED_AT_ONCE):
        some = entries[start : start + _SORTED_AT_ONCE]
        pieces += sorted(some, key=value, reverse=descending)
        await asyncio.sleep(0)
    return sorted(pieces, key=value, reverse=descending)
