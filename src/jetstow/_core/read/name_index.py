"""The ordered names of a bucket, and pages of them. Without I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sortedcontainers import SortedDict

from jetstow._core.read.index_entry import IndexEntry


@dataclass(frozen=True, slots=True)
class VersionCounts:
    """What a versioned bucket keeps besides its objects.

    `older` is the number of versions that are not the current one of their name, and `size` theirs
    in bytes. `markers` is the number of delete markers, current or not.
    """

    older: int = 0
    size: int = 0
    markers: int = 0


@dataclass(slots=True)
class IndexPage:
    """A page of an index: objects, and prefixes up to a delimiter, both sorted.

    `next` is the `after` of the next page, or None if this is the last one.

    `revision` is that of the last change in the index, and `time` the server's time of the page in
    nanoseconds since 1970: two pages with the same revision differ only in what has expired between
    them, and in what an administrator has purged. The revision is 0 if the index keeps no names:
    the bucket has none, or too many. `names` is how many names the index keeps for the bucket, and
    `versions` how many versions besides, both with those that expired lately; None if they are too
    many.
    """

    entries: list[IndexEntry] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    next: str | None = None
    revision: int = field(default=0, compare=False)
    time: int = field(default=0, compare=False)
    names: int | None = field(default=None, compare=False)
    versions: VersionCounts | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class PageQuery:
    """What a page has: names with a prefix, after a name, grouped by a delimiter, at most `limit`.

    `after` may be one of the `prefixes` of a page: then all names with it are skipped.
    """

    prefix: str = ""
    after: str = ""
    delimiter: str = ""
    limit: int = 1_000

    def group(self, name: str) -> str:
        """Return the part of a name up to the first delimiter after the prefix, or ""."""
        if not self.delimiter:
            return ""
        end = name.find(self.delimiter, len(self.prefix))
        return "" if end < 0 else name[: end + len(self.delimiter)]

    @property
    def start(self) -> tuple[str, bool]:
        """The first name to consider, and whether it may be on the page itself."""
        after = self.after
        if after and after.startswith(self.prefix) and self.group(after) == after:
            following = successor(after)
            return (after, False) if following is None else (following, True)
        return (after, False) if after >= self.prefix and after else (self.prefix, True)


def successor(prefix: str) -> str | None:
    """Return the smallest string that is greater than all strings with a prefix, or None."""
    stripped = prefix.rstrip("\U0010ffff")
    return stripped[:-1] + chr(ord(stripped[-1]) + 1) if stripped else None


class PageCandidates:
    """The first names of a query among entries in any order: as many as a page needs."""

    def __init__(self, query: PageQuery, now: int, max_age: int) -> None:
        self._query, self._now, self._oldest = query, now, now - max_age if max_age else 0
        self._start, self._inclusive = query.start
        self._items: SortedDict[str, IndexEntry] = SortedDict()

    def add(self, entry: IndexEntry) -> None:
        """Add an entry, or the newer one of a name."""
        name, start = entry.name, self._start
        if entry.time < self._oldest or 0 < entry.expires <= self._now:
            return
        if not name.startswith(self._query.prefix):
            return
        if name > start or (name == start and self._inclusive):
            self._items[self._query.group(name) or name] = entry
            if len(self._items) > self._query.limit + 1:
                self._items.popitem()

    def page(self) -> IndexPage:
        """Return the page."""
        names = NameIndex({entry.name: entry for entry in dict.values(self._items)})
        return names.page(self._query)


class NameIndex:
    """Entries by name. Python compares strings by code points, which is the order of UTF-8."""

    def __init__(self, entries: dict[str, IndexEntry] | None = None) -> None:
        self._entries: SortedDict[str, IndexEntry] = SortedDict(entries or {})

    def __len__(self) -> int:
        return len(self._entries)

    def set(self, entry: IndexEntry) -> None:
        """Add or replace an object."""
        self._entries[entry.name] = entry

    def discard(self, name: str) -> None:
        """Remove a name, if it is there."""
        self._entries.pop(name, None)

    def get(self, name: str) -> IndexEntry | None:
        """Return the entry of a name, or None."""
        entry: IndexEntry | None = self._entries.get(name)
        return entry

    def names_from(self, start: str, *, inclusive: bool) -> Iterator[str]:
        """Yield the names from one on, in order."""
        yield from self._entries.irange(start, inclusive=(inclusive, True))

    def values(self) -> Iterable[IndexEntry]:
        """Return all entries, in any order."""
        return dict.values(self._entries)

    def page(self, query: PageQuery, now: int = 0, max_age: int = 0) -> IndexPage:
        """Return a page without what has expired at `now`; all times are in nanoseconds.

        `max_age` is the age at which the bucket removes every object (0: none).
        """
        page, entries = IndexPage(), self._entries
        prefix, delimiter, skipped = query.prefix, query.delimiter, len(query.prefix)
        oldest = now - max_age if max_age else 0
        last, rest = query.after, query.limit
        first, inclusive = query.start
        following: str | None = first
        # A group ends with the delimiter: replacing that is faster than `successor(group)`.
        length, tail = len(delimiter), successor(delimiter)
        while following is not None:
            names = entries.irange(following, inclusive=(inclusive, True))
            following = None
            for name in names:
                if not name.startswith(prefix):
                    return page
                entry = entries[name]
                if entry.time < oldest or 0 < entry.expires <= now:
                    continue
                if not rest:
                    page.next = last if query.limit else None
                    return page
                rest -= 1
                end = name.find(delimiter, skipped) if delimiter else -1
                if end < 0:
                    page.entries.append(entry)
                    last = name
                    continue
                last = name[: end + length]
                page.prefixes.append(last)
                # Bisect past the other names of the group.
                following, inclusive = name[:end] + tail if tail else successor(last), True
                break
        return page
