"""What notebooks show: plain HTML tables, in which every text is only text."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from html import escape
from itertools import islice
from typing import Final

# A notebook with more rows than these helps nobody.
_MOST: Final = 100


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], count: int) -> str:
    """Rows under headings: the first of them, and how many there are."""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in islice(rows, _MOST))
    more = f"<p>{_MOST} of {count:,}</p>" if count > _MOST else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def facts(*pairs: tuple[str, object]) -> str:
    """Names and values; those without a value are left out."""
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


__all__ = ["facts", "table"]
