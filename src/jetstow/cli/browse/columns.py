"""The columns and the counts of `jetstow browse`."""

from __future__ import annotations

from typing import Final

from rich.style import Style

from jetstow.cli.browse.rows import Folder, Row, SortKey
from jetstow.cli.render import format_size, format_time
from jetstow.cli.screen.table import Column


def row_size(row: Row) -> str:
    """Return the size of a bucket or an object."""
    if row.is_folder:
        return ""
    return "link" if row.is_link else format_size(row.size)


def row_time(row: Row) -> str:
    """Return when an object was modified or a bucket created; nothing for a folder."""
    return "" if row.is_folder else format_time(row.modified)


def row_style(row: Row) -> Style:
    """Return the style of a row: what can be opened is bold."""
    return Style(bold=row.is_folder or row.is_bucket)


def _columns(time: str) -> tuple[Column[Row], ...]:
    return (
        Column[Row]("NAME", lambda row: row.label),
        Column[Row]("SIZE", row_size, 9, right=True),
        Column[Row](time, row_time, 19, min_table=56),
    )


COLUMNS: Final = _columns("MODIFIED")
_BUCKET_COLUMNS: Final = _columns("CREATED")
_SORT_COLUMN: Final[dict[SortKey, int]] = {"name": 0, "size": 1, "modified": 2}


def sorted_columns(key: SortKey, of_buckets: bool) -> tuple[tuple[Column[Row], ...], str]:
    """Return the columns, and the title of the one by which the rows are sorted."""
    columns = _BUCKET_COLUMNS if of_buckets else COLUMNS
    return columns, columns[_SORT_COLUMN[key]].title


def count(number: int, noun: str) -> str:
    """Format a number with its noun: 1 folder, 12,345 objects."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def folder_counts(folder: Folder) -> str:
    """Return how many folders and objects a folder has, without those in its folders."""
    objects = f"{count(folder.objects, 'object')} ({format_size(folder.size)})"
    return f"{count(folder.folders, 'folder')}, {objects}"
