"""Views of folders, kept as long as the bucket is unchanged.

The names come from the indexes that the gateway shares, so that a folder is as current as a list
of S3: before each window, the index asks the stream leader for later changes.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Final
from weakref import WeakValueDictionary

from jetstow import BucketIndex
from jetstow.console.folders import Folder, Place, read_folder, scan_folder, update_folder
from jetstow.console.rows import BY_NAME, Order, View, ordered
from jetstow.s3.buckets import Bucket, Buckets

# How many rows all views together have at most, at 8 bytes each: the entries are the index's own.
MAX_ROWS: Final = 2_000_000
# What a folder has besides its rows counts as so many: prefixes without objects are folders, too.
_FOLDER_SIZE: Final = 250
# After this time, in seconds, a folder is read again: the index finds purges of single objects by
# an administrator, which have no revision, after this time, too.
_MAX_AGE: Final = 10.0
# The same for large folders: a second for each 1,000 rows.
_ROWS_PER_SECOND: Final = 1_000
# How long a folder stays without a request, in seconds: it keeps what the index has replaced.
_IDLE: Final = 120.0
# How long the part of a bucket with too many names is used, in seconds: all are read for it.
_MAX_SCAN_AGE: Final = 30.0
# The views of one folder, for filters and orders.
_MAX_VIEWS: Final = 8

_SECOND: Final = 10**9


@dataclass(frozen=True, slots=True)
class _Key:
    """A folder of a bucket. Another bucket of the same name has another time of creation."""

    buckets: Buckets
    stream: str
    created: object
    place: Place


class Views:
    """The folders that were viewed, the least recently used first."""

    def __init__(self, max_rows: int = MAX_ROWS) -> None:
        self._max_rows = max_rows
        self._folders: OrderedDict[_Key, Folder] = OrderedDict()
        self._locks: WeakValueDictionary[_Key, asyncio.Lock] = WeakValueDictionary()

    async def open(
        self,
        buckets: Buckets,
        bucket: Bucket,
        prefix: str,
        order: Order,
        *,
        is_deep: bool = False,
        is_deleted: bool = False,
    ) -> View:
        """Return the current rows of a folder: with `is_deep`, all objects below it.

        With `is_deleted`, all deleted objects below it.

        Raises: what `index` and `page` raise.
        """
        status = bucket.status
        place = Place(prefix, is_deep, int((status.ttl or 0) * _SECOND), is_deleted)
        key = _Key(buckets, status.bucket, status.created, place)
        lock = self._locks.get(key)
        if lock is None:
            self._locks[key] = lock = asyncio.Lock()
        async with lock, buckets.indexes.use(bucket.store) as index:
            folder = await self._current(key, index)
            view = folder.by_name if order == BY_NAME else folder.views.get(order)
            if view is None:
                view = await ordered(folder.by_name, order, len(prefix))
                folder.views[order] = view
                if len(folder.views) > _MAX_VIEWS:
                    folder.views.popitem(last=False)
            if order in folder.views:
                folder.views.move_to_end(order)
            self._discard_oldest()
            # It may be from before a change elsewhere in the bucket.
            revision = folder.by_name.revision
            return view if view.revision == revision else replace(view, revision=revision)

    async def _current(self, key: _Key, index: BucketIndex) -> Folder:
        """Return a folder with all changes until now."""
        now = await index.page(limit=0)
        folder: Folder | None = self._folders.get(key)
        if folder is not None and not _is_usable(folder, now.time):
            folder = None
        if not now.revision:
            folder = folder or await scan_folder(index, key.place)
        elif folder is not None and folder.by_name.revision != now.revision:
            folder = await update_folder(index, key.place, folder, now.revision)
        if folder is None:
            folder = await read_folder(index, key.place)
        folder.used_at = time.monotonic()
        self._folders[key] = folder
        self._folders.move_to_end(key)
        return folder

    def _discard_oldest(self) -> None:
        size = sum(folder.rows + _FOLDER_SIZE for folder in self._folders.values())
        oldest_use = time.monotonic() - _IDLE
        for key, folder in list(self._folders.items()):
            if size <= self._max_rows and folder.used_at >= oldest_use:
                break
            if len(self._folders) > 1:
                del self._folders[key]
                size -= folder.rows + _FOLDER_SIZE


def _is_usable(folder: Folder, now: int) -> bool:
    """Return whether a folder needs at most the changes with a revision to be current."""
    view, age = folder.by_name, time.monotonic() - folder.read_at
    if not view.revision:
        return view.is_partial and age < _MAX_SCAN_AGE
    if 0 < folder.expires <= now:
        return False
    return age < max(_MAX_AGE, view.total / _ROWS_PER_SECOND)
