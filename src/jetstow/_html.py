"""HTML tables for notebooks. All text is escaped."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from html import escape
from itertools import islice
from typing import Final

# More rows make a notebook slow and its table unreadable.
MAX_TABLE_ROWS: Final = 100


def rows_table(columns: Sequence[str], rows: Iterable[Sequence[object]], count: int) -> str:
    """Return a table of the first rows. `count` is the number of all rows."""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in islice(rows, MAX_TABLE_ROWS))
    more = f"<p>{MAX_TABLE_ROWS} of {count:,}</p>" if count > MAX_TABLE_ROWS else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def facts_table(*pairs: tuple[str, object]) -> str:
    """Return a table with one row for each name and value; None and "" are left out."""
    rows = "".join(
        f'<tr><th style="text-align: left">{escape(name)}</th>{_cell(value)}</tr>'
        for name, value in pairs
        if value is not None and value != ""
    )
    return f"<table><tbody>{rows}</tbody></table>"


def _cell(value: object) -> str:
    if isinstance(value, datetime.datetime):
        value = f"{value.astimezone():%Y-%m-%d %H:%M:%S}"
    if isinstance(value, int):
        return f'<td style="text-align: right">{value:,}</td>'
    return f'<td style="text-align: left">{escape("" if value is None else str(value))}</td>'


__all__ = ["facts_table", "rows_table"]
