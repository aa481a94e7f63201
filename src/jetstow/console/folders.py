"""Folders of a bucket: read from its index, and brought up to date with its changes."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final

from msgspec import structs

from jetstow import BucketIndex, IndexEntry
from jetstow.console.rows import Order, View

# How many entries are read at once: about 5 ms, during which no other task runs.
_PAGE: Final = 5_000
# How many names a view has at most if the index keeps none, because the bucket has too many.
_MAX_SCANNED: Final = 200_000
# With more changes than this, the folder is read again.
_MAX_CHANGES: Final = 1_000

# The same for changed folders below it: each takes requests to the server.
_MAX_CHANGED_FOLDERS: Final = 20

_name_of = attrgetter("name")


@dataclass(slots=True)
class Folder:
    """A folder by name, and its views in other orders. `expires` is when an object does (0: none).

    The last object below a folder that is a row may expire before: then the row disappears when
    the folder is read again.
    `read_at` is when all of it was read, and `used_at` when it was last shown, by the clock of this
    process.
    """

    by_name: View
    expires: int
    read_at: float
    used_at: float = 0.0
    views: OrderedDict[Order, View] = field(default_factory=OrderedDict)

    @property
    def rows(self) -> int:
        """The number of rows of all views."""
        return self.by_name.total + sum(view.total for view in self.views.values())


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of a bucket: a prefix, with folders by `/`, or `is_deep` with all objects below.

    `is_deleted` has all deleted objects below instead. `max_age` is the age at which the bucket
    removes objects, in nanoseconds (0: none).
    """

    prefix: str
    is_deep: bool
    max_age: int
    is_deleted: bool = False

    @property
    def delimiter(self) -> str:
        """The delimiter of the pages of an index."""
        return "" if self.is_deep else "/"

    def has(self, name: str) -> bool:
        """Return whether an object is below the folder.

        The one that some clients of S3 store for the folder itself is not.
        """
        return name.startswith(self.prefix) and (not self.prefix or name != self.prefix)

    def folder_of(self, name: str) -> str | None:
        """Return the folder whose row has an object; None if it has a row of its own."""
        end = -1 if self.is_deep else name.find("/", len(self.prefix))
        return None if end < 0 else name[: end + 1]


async def read_folder(index: BucketIndex, place: Place) -> Folder:
    """Read a folder, page by page."""
    if place.is_deleted:
        return await _read_deleted(index, place.prefix, _PAGE)
    folders: list[str] = []
    entries: list[IndexEntry] = []
    size, revision, expires, after = 0, 0, 0, ""
    read_at = time.monotonic()
    while True:
        page = await index.page(place.prefix, after=after, delimiter=place.delimiter, limit=_PAGE)
        # The first page is the oldest: with its revision, a change since then is found again.
        revision = revision or page.revision
        folders += page.prefixes
        found = _without_marker(page.entries, place.prefix)
        entries += found
        size += sum(entry.size for entry in found)
        expires = _earliest(expires, _next_expiry(found, place.max_age))
        if page.next is None:
            return Folder(View(folders, entries, size, revision), expires, read_at)
        after = page.next


async def scan_folder(index: BucketIndex, place: Place) -> Folder:
    """Read a folder of a bucket whose index keeps no names: in one page."""
    if place.is_deleted:
        return await _read_deleted(index, place.prefix, _MAX_SCANNED, is_partial=True)
    page = await index.page(place.prefix, delimiter=place.delimiter, limit=_MAX_SCANNED)
    entries = _without_marker(page.entries, place.prefix)
    size = sum(entry.size for entry in entries)
    view = View(page.prefixes, entries, size, 0, is_partial=page.next is not None)
    return Folder(view, 0, time.monotonic())


async def update_folder(
    index: BucketIndex, place: Place, folder: Folder, revision: int
) -> Folder | None:
    """Return a folder with the changes since it was read, until a revision at least.

    None: there are too many, or they are not known. Those of deleted objects are not.
    """
    if place.is_deleted:
        return None
    changes = await index.changes(folder.by_name.revision)
    if changes is None or len(changes) > _MAX_CHANGES:
        return None
    before = folder.by_name
    folders, entries, size = before.folders.copy(), before.entries.copy(), before.size
    rows = {name: place.folder_of(name) for name in changes if place.has(name)}
    changed = {row for row in rows.values() if row is not None}
    if len(changed) > _MAX_CHANGED_FOLDERS:
        return None
    for row in changed:
        page = await index.page(row, limit=1)
        _set_present(folders, row, is_present=bool(page.entries))
    objects = {name: changes[name] for name, row in rows.items() if row is None}
    size += _apply(entries, objects)
    added = [entry for entry in objects.values() if entry is not None]
    expires = _earliest(folder.expires, _next_expiry(added, place.max_age))
    is_same = not rows
    view = View(
        before.folders if is_same else folders,
        before.entries if is_same else entries,
        size,
        revision,
    )
    return Folder(view, expires, folder.read_at, views=folder.views if is_same else OrderedDict())


async def _read_deleted(
    index: BucketIndex, prefix: str, limit: int, *, is_partial: bool = False
) -> Folder:
    """Read deleted objects: when each was deleted, and the size of its newest version.

    `is_partial` reads the first page only.
    """
    read_at = time.monotonic()
    revision = (await index.page(limit=0)).revision
    entries: list[IndexEntry] = []
    size, after = 0, ""
    while True:
        page = await index.deleted(prefix, after=after, limit=limit)
        entries += [structs.replace(marker, size=newest.size) for marker, newest in page.entries]
        size += sum(newest.size for _, newest in page.entries)
        if page.next is None or is_partial:
            view = View([], entries, size, revision, is_partial=page.next is not None)
            return Folder(view, 0, read_at)
        after = page.next


def _apply(entries: list[IndexEntry], changes: Mapping[str, IndexEntry | None]) -> int:
    """Replace, insert and remove entries, which are sorted by name. Return the change in size."""
    size = 0
    for name, entry in changes.items():
        place = bisect_left(entries, name, key=_name_of)
        stop = place + (place < len(entries) and entries[place].name == name)
        size -= sum(each.size for each in entries[place:stop])
        entries[place:stop] = [] if entry is None else [entry]
        size += 0 if entry is None else entry.size
    return size


def _set_present(names: list[str], name: str, *, is_present: bool) -> None:
    """Insert a name into a sorted list, or remove it."""
    place = bisect_left(names, name)
    stop = place + (place < len(names) and names[place] == name)
    names[place:stop] = [name] if is_present else []


def _without_marker(entries: list[IndexEntry], prefix: str) -> list[IndexEntry]:
    return entries[1:] if prefix and entries and entries[0].name == prefix else entries


def _next_expiry(entries: list[IndexEntry], max_age: int) -> int:
    """Return when the first of some objects expires, in nanoseconds since 1970; 0 for never."""
    own = min((entry.expires for entry in entries if entry.expires), default=0)
    if not max_age or not entries:
        return own
    return _earliest(own, min(entry.time for entry in entries) + max_age)


def _earliest(first: int, second: int) -> int:
    """Return the earlier of two times, of which 0 is never."""
    return min(filter(None, (first, second)), default=0)
