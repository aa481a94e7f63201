"""The columns of `jetstow browse`."""

from __future__ import annotations

from typing import Final

from rich.style import Style

from jetstow.cli.browse.rows import Row, SortKey
from jetstow.cli.render import format_size, format_time
from jetstow.cli.screen.table import Column


def row_size(row: Row) -> str:
    """Return the size of a bucket or an object."""
    if row.is_folder:
        return "-"
    return "link" if row.is_link else format_size(row.size)


def row_style(row: Row) -> Style:
    """Return the style of a row: what can be opened is bold."""
    return Style(bold=row.is_folder or row.is_bucket)


COLUMNS: Final = (
    Column[Row]("NAME", lambda row: row.label),
    Column[Row]("SIZE", row_size, 9, right=True),
    Column[Row]("MODIFIED", lambda row: format_time(row.modified), 19, min_table=56),
)
TITLES: Final[dict[SortKey, str]] = {"name": "NAME", "size": "SIZE", "modified": "MODIFIED"}
