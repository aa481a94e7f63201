"""The rows of a folder of a bucket, kept current by changes. Without I/O."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from jetstow import BucketStatus, IndexEntry, ObjectInfo

SortKey: TypeAlias = Literal["name", "size", "modified"]
SORT_KEYS: Final[tuple[SortKey, ...]] = get_args(SortKey)

_SECOND: Final = 10**9


@dataclass(frozen=True, slots=True)
class Row:
    """A bucket, a folder or an object. `label` is its name in the folder.

    `time` is that of the last change in nanoseconds since 1970, 0 if it is not known.
    """

    name: str
    label: str
    is_folder: bool = False
    is_bucket: bool = False
    is_link: bool = False
    size: int = 0
    time: int = 0
    revision: int = 0

    @property
    def modified(self) -> datetime.datetime | None:
        """The time of the last change."""
        if not self.time:
            return None
        return datetime.datetime.fromtimestamp(self.time / _SECOND, datetime.UTC)


def bucket_row(status: BucketStatus) -> Row:
    """Return the row of a bucket."""
    created = 0 if status.created is None else int(status.created.timestamp() * _SECOND)
    return Row(status.bucket, status.bucket, is_bucket=True, size=status.size, time=created)


class Folder:
    """The folders and objects below a prefix of names. `prefix` is empty or ends in a slash."""

    def __init__(self, bucket: str, prefix: str) -> None:
        self.bucket = bucket
        self.prefix = prefix
        self._folders: dict[str, Row] = {}
        self._objects: dict[str, Row] = {}
        # All rows in the order that was last asked for; None after a change.
        self._ordered: tuple[SortKey, bool, list[Row]] | None = None

    @property
    def folders(self) -> int:
        """The number of folders."""
        return len(self._folders)

    @property
    def objects(self) -> int:
        """The number of objects."""
        return len(self._objects)

    @property
    def size(self) -> int:
        """The bytes of the objects, without those of the folders."""
        return sum(row.size for row in self._objects.values())

    def has_object(self, name: str) -> bool:
        """Return whether an object with this name is in the folder."""
        return name in self._objects

    # -- changes -------------------------------------------------------------------------

    def add_page(self, prefixes: Iterable[str], entries: Iterable[IndexEntry]) -> None:
        """Add what a page of the index has."""
        self._ordered = None
        for prefix in prefixes:
            self.add_folder(prefix)
        skipped = len(self.prefix)
        for entry in entries:
            self._objects[entry.name] = Row(
                entry.name,
                entry.name[skipped:] or entry.name,
                is_link=entry.is_link,
                size=entry.size,
                time=entry.time,
                revision=entry.revision,
            )

    def add_folder(self, prefix: str) -> None:
        """Add a folder."""
        self._ordered = None
        label = prefix[len(self.prefix) :]
        self._folders.setdefault(prefix, Row(prefix, label, is_folder=True))

    def remove_folder(self, prefix: str) -> None:
        """Remove a folder without objects."""
        self._ordered = None
        self._folders.pop(prefix, None)

    def apply(self, info: ObjectInfo) -> str | None:
        """Apply a change. Return a folder that may be empty now, or None."""
        name = info.name
        if not name.startswith(self.prefix):
            return None
        label = name[len(self.prefix) :]
        head, slash, _ = label.partition("/")
        if slash:
            folder = f"{self.prefix}{head}/"
            if info.deleted:
                return folder if folder in self._folders else None
            self.add_folder(folder)
            return None
        known = self._objects.get(name)
        if known is not None and known.revision >= info.revision:
            return None
        self._ordered = None
        if info.deleted:
            self._objects.pop(name, None)
        else:
            self._objects[name] = object_row(info, label or name)
        return None

    # -- the view ------------------------------------------------------------------------

    def view(self, text: str, key: SortKey, *, reverse: bool = False) -> list[Row]:
        """Return the rows whose labels contain a text, in order, the folders first."""
        if self._ordered is None or self._ordered[:2] != (key, reverse):
            rows = sorted(self._folders.values(), key=_name)
            rows += sort_rows(self._objects.values(), key, reverse=reverse)
            self._ordered = (key, reverse, rows)
        return filter_rows(self._ordered[2], text)


def filter_rows(rows: list[Row], text: str) -> list[Row]:
    """Return the rows whose labels contain a text, in upper or lower case."""
    wanted = text.casefold()
    return [row for row in rows if wanted in row.label.casefold()] if wanted else rows


def find_name(rows: list[Row], name: str) -> str | None:
    """Return a name if it is among the rows. A name without a slash may be that of a folder."""
    if not name:
        return None
    return next((row.name for row in rows if row.name in (name, f"{name}/")), None)


def object_row(info: ObjectInfo, label: str) -> Row:
    """Return the row of an object."""
    modified = info.modified
    return Row(
        info.name,
        label,
        is_link=info.link is not None,
        size=info.size or 0,
        time=0 if modified is None else int(modified.timestamp() * _SECOND),
        revision=info.revision,
    )


def _name(row: Row) -> str:
    return row.name


_KEYS: Final[dict[SortKey, Callable[[Row], int]]] = {
    "size": lambda row: -row.size,
    "modified": lambda row: -row.time,
}


def sort_rows(rows: Iterable[Row], key: SortKey, *, reverse: bool = False) -> list[Row]:
    """Return rows by name, the largest first, or the newest first; reversed, if wanted."""
    ordered = sorted(rows, key=_name)
    if key != "name":
        ordered.sort(key=_KEYS[key])
    return ordered[::-1] if reverse else ordered
