"""Rows of a folder: in windows, filtered and sorted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Final, Literal

from jetstow import IndexEntry
from jetstow.s3.objects import listed_time

Sort = Literal["name", "size", "modified"]

# How many entries are compared with a filter at once: about 2 ms, during which no other task runs.
_FILTERED_AT_ONCE: Final = 5_000
# Sorting so many takes about 20 ms.
_SORTED_AT_ONCE: Final = 50_000


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


async def ordered(view: View, order: Order, skipped: int) -> View:
    """Return a view with another order. Labels begin after `skipped` characters of a name."""
    folders, entries, size = view.folders, view.entries, view.size
    if text := order.filter.casefold():
        folders = [name for name in folders if text in name[skipped:].casefold()]
        found: list[IndexEntry] = []
        for start in range(0, len(entries), _FILTERED_AT_ONCE):
            some = entries[start : start + _FILTERED_AT_ONCE]
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
