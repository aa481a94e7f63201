"""The versions of a bucket's names in order, and pages of them. Without I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sortedcontainers import SortedDict

from jetstow._core.read.index_entry import Change, IndexEntry, Removed
from jetstow._core.read.name_index import NameIndex, PageQuery, VersionCounts, successor


@dataclass(slots=True)
class VersionPage:
    """A page of versions: by name, and the newest first; and prefixes up to a delimiter.

    `next` and `next_version` are the `after` and `after_version` of the next page, or None if this
    is the last one. After a prefix, `next_version` is None.
    """

    entries: list[IndexEntry] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    next: str | None = None
    next_version: str | None = None


@dataclass(slots=True)
class DeletedPage:
    """A page of deleted objects by name: each delete marker, and the newest version that it hides.

    `next` is the `after` of the next page, or None if this is the last one.
    """

    entries: list[tuple[IndexEntry, IndexEntry]] = field(default_factory=list)
    next: str | None = None


@dataclass(slots=True)
class _History:
    """The versions of a name besides its object: those that are kept, and a delete marker."""

    kept: dict[str, IndexEntry] = field(default_factory=dict)
    marker: IndexEntry | None = None

    def newest_object(self, now: int) -> IndexEntry | None:
        """Return the newest version that is kept, has not expired and is not a delete marker."""
        found = (
            entry
            for entry in self.kept.values()
            if not entry.is_marker and not 0 < entry.expires <= now
        )
        return max(found, key=lambda entry: entry.revision, default=None)


class VersionIndex:
    """The versions of all names that are not objects of a `NameIndex`."""

    def __init__(self) -> None:
        self._names: SortedDict[str, _History] = SortedDict()
        # Of the versions that are kept: how many are objects, their bytes, how many are markers.
        self._older = self._size = self._kept_markers = 0
        self._current_markers = 0

    def __len__(self) -> int:
        return self._older + self._kept_markers

    @property
    def counts(self) -> VersionCounts:
        """How many versions there are."""
        return VersionCounts(self._older, self._size, self._kept_markers + self._current_markers)

    def keep(self, entry: IndexEntry) -> None:
        """Add or replace a version that is not the current one."""
        kept = self._history(entry.name).kept
        self._count(kept.get(entry.version), -1)
        self._count(entry, 1)
        kept[entry.version] = entry

    def discard(self, name: str, version: str) -> None:
        """Remove a version that is not the current one, if it is there."""
        history = self._names.get(name)
        if history is not None and (entry := history.kept.pop(version, None)) is not None:
            self._count(entry, -1)
            self._forget_empty(name, history)

    def mark(self, name: str, marker: IndexEntry | None) -> None:
        """Set the delete marker that is the current version of a name, or none."""
        history = self._names.get(name) if marker is None else self._history(name)
        if history is not None:
            self._current_markers += (marker is not None) - (history.marker is not None)
            history.marker = marker
            self._forget_empty(name, history)

    def kept(self) -> Iterator[IndexEntry]:
        """Yield all versions that are not current, in any order."""
        for history in dict.values(self._names):
            yield from history.kept.values()

    def newest(self, name: str) -> IndexEntry | None:
        """Return the newest version of a name that is kept, or None."""
        history = self._names.get(name)
        kept = () if history is None else history.kept.values()
        return max(kept, key=lambda entry: entry.revision, default=None)

    def page(
        self, objects: NameIndex, query: PageQuery, after_version: str | None, now: int = 0
    ) -> VersionPage:
        """Return a page of the versions of names, without what has expired at `now`.

        It begins after the version `after_version` of `query.after`, or after all of its versions.
        """
        page, rest = VersionPage(), query.limit
        if not rest:
            return page
        last, last_version = query.after, after_version
        start, inclusive = (query.after, True) if after_version else query.start
        following: str | None = start
        while following is not None:
            start, following = following, None
            for name in self._names_from(objects, start, inclusive=inclusive):
                if not name.startswith(query.prefix):
                    return page
                found = self._versions(objects, name, now)
                if after_version and name == query.after:
                    found = _after(found, after_version)
                if not found:
                    continue
                if group := query.group(name):
                    if not rest:
                        page.next, page.next_version = last, last_version
                        return page
                    page.prefixes.append(group)
                    rest, last, last_version = rest - 1, group, None
                    following, inclusive = successor(group), True
                    break
                for entry in found:
                    if not rest:
                        page.next, page.next_version = last, last_version
                        return page
                    page.entries.append(entry)
                    rest, last, last_version = rest - 1, name, entry.version
        return page

    def deleted(self, query: PageQuery, now: int = 0) -> DeletedPage:
        """Return a page of the names whose current version is a delete marker.

        Names of which no other version is left at `now` are not included.
        """
        page, (start, inclusive) = DeletedPage(), query.start
        for name in self._names.irange(start, inclusive=(inclusive, True)):
            if not name.startswith(query.prefix):
                break
            history = self._names[name]
            if history.marker is None or (newest := history.newest_object(now)) is None:
                continue
            if len(page.entries) == query.limit:
                page.next = page.entries[-1][0].name if page.entries else None
                break
            page.entries.append((history.marker, newest))
        return page

    # -- inside ------------------------------------------------------------------------------

    def _count(self, entry: IndexEntry | None, by: int) -> None:
        if entry is None:
            return
        if entry.is_marker:
            self._kept_markers += by
        else:
            self._older += by
            self._size += by * entry.size

    def _history(self, name: str) -> _History:
        history = self._names.get(name)
        if history is None:
            history = self._names[name] = _History()
        return history

    def _forget_empty(self, name: str, history: _History) -> None:
        if not history.kept and history.marker is None:
            del self._names[name]

    def _names_from(self, objects: NameIndex, start: str, *, inclusive: bool) -> Iterator[str]:
        """Yield the names of objects and of other versions, in order and once."""
        own = self._names.irange(start, inclusive=(inclusive, True))
        others = objects.names_from(start, inclusive=inclusive)
        mine, other = next(own, None), next(others, None)
        while mine is not None or other is not None:
            if other is None or (mine is not None and mine <= other):
                assert mine is not None, "one of them has a name"
                yield mine
                other = next(others, None) if other == mine else other
                mine = next(own, None)
            else:
                yield other
                other = next(others, None)

    def _versions(self, objects: NameIndex, name: str, now: int) -> list[IndexEntry]:
        """Return the versions of a name, the current one first, then the newest."""
        history = self._names.get(name)
        current = objects.get(name)
        if current is None and history is not None:
            current = history.marker
        kept = [] if history is None else list(history.kept.values())
        if current is not None and current.version:
            # A version that is kept and current at the same time is current.
            kept = [entry for entry in kept if entry.version != current.version]
        kept.sort(key=lambda entry: entry.revision, reverse=True)
        found = kept if current is None else [current, *kept]
        return [entry for entry in found if not 0 < entry.expires <= now]


def _after(entries: list[IndexEntry], version: str) -> list[IndexEntry]:
    """Return the entries after a version; all of them if it was removed."""
    versions = [entry.version for entry in entries]
    return entries[versions.index(version) + 1 :] if version in versions else entries


class VersionCandidates:
    """The versions that a page needs, among all changes of a bucket in any order.

    Two passes: `find` finds the first names and prefixes, as many as a page has at most, and `add`
    keeps the versions of these names, and of one name for each prefix.
    """

    def __init__(self, query: PageQuery, after_version: str | None, now: int) -> None:
        self._query, self._after_version, self._now = query, after_version, now
        self._keys: SortedDict[str, str] = SortedDict()
        self._has_more = False
        self._objects, self._versions = NameIndex(), VersionIndex()

    def find(self, change: Change) -> None:
        """Consider the name of a change."""
        entry = change.marker if isinstance(change, Removed) else change
        if entry is None or 0 < entry.expires <= self._now:
            return
        if not self._is_in_range(entry.name):
            return
        key = self._query.group(entry.name) or entry.name
        self._keys[key] = min(entry.name, self._keys.get(key, entry.name))
        if len(self._keys) > self._query.limit + 2:
            self._keys.popitem()
            self._has_more = True

    def find_deleted(self, change: Change) -> None:
        """Consider the name of a change if it is deleted."""
        if isinstance(change, Removed):
            self.find(change)

    def add(self, change: Change) -> None:
        """Keep a change if the page needs it."""
        entry = change.marker if isinstance(change, Removed) else change
        if entry is None:
            return
        key = self._query.group(entry.name) or entry.name
        if self._keys.get(key) != entry.name:
            return
        if isinstance(change, Removed):
            self._versions.mark(entry.name, entry)
        elif entry.is_kept:
            self._versions.keep(entry)
        else:
            self._objects.set(entry)

    def page(self) -> VersionPage:
        """Return the page."""
        return self._versions.page(self._objects, self._query, self._after_version, self._now)

    def deleted_page(self) -> DeletedPage:
        """Return the page of deleted objects, among the names of `find_deleted`."""
        page = self._versions.deleted(self._query, self._now)
        if page.next is None and self._has_more:  # some names had no version left
            page.next = self._keys.peekitem()[0]
        return page

    def _is_in_range(self, name: str) -> bool:
        start, inclusive = self._query.start
        if self._after_version and name == self._query.after:
            return True
        is_after = name > start or (name == start and inclusive)
        return is_after and name.startswith(self._query.prefix)
