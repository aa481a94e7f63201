"""The first rows of an object as a table, and CSV as one."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from typing import Final

import msgspec

from jetstow.console.text import decode

# How many rows and columns a table has at most, and characters a cell.
MAX_ROWS: Final = 200
MAX_COLUMNS: Final = 200
MAX_CELL: Final = 1_000
# How many bytes of a CSV file are read.
MAX_CSV: Final = 1024 * 1024

_DELIMITERS: Final = ",;\t|"

Cell = str | int | float | bool | None


class Column(msgspec.Struct):
    """A column. The type is `text` or `number` in CSV, and that of the file in Parquet."""

    name: str
    type: str


class Table(msgspec.Struct):
    """The first rows of a table. `total` is the number of all rows, if it is known.

    `truncated`: there are more rows, columns or characters.
    """

    columns: list[Column]
    rows: list[list[Cell]]
    truncated: bool
    total: int | None


def parse_csv(data: bytes, *, is_all: bool) -> Table:
    """Return the table of the first bytes of a CSV file. Its first line has the names.

    If `is_all` is false, its last line is left out: the bytes may end in it.
    """
    text = decode(data, final=is_all)
    if not is_all:
        text = text[: text.rfind("\n") + 1] or text
    truncated = not is_all
    delimiter = _delimiter(text.partition("\n")[0])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    records: list[list[str]] = []
    count = 0
    try:
        for record in reader:
            if not record:
                continue
            count += 1
            if len(records) <= MAX_ROWS:
                truncated |= len(record) > MAX_COLUMNS
                records.append(record[:MAX_COLUMNS])
    except csv.Error:
        truncated, is_all = True, False  # a field that is too long
    truncated |= count > len(records)
    width = max(map(len, records), default=0)
    head, rows = (records[0], records[1:]) if records else ([], [])
    names = head + [""] * (width - len(head))
    truncated |= any(len(cell) > MAX_CELL for record in records for cell in record)
    columns = [
        Column(name[:MAX_CELL], _type(row[index] for row in rows if index < len(row)))
        for index, name in enumerate(names)
    ]
    cells: list[list[Cell]] = [
        [*(cell[:MAX_CELL] for cell in row), *[""] * (width - len(row))] for row in rows[:MAX_ROWS]
    ]
    return Table(columns, cells, truncated, max(0, count - 1) if is_all else None)


def _delimiter(line: str) -> str:
    """Return the delimiter of a file: the one that its first line has most often."""
    return max(_DELIMITERS, key=line.count)


def _type(cells: Iterable[str]) -> str:
    """Return `number` if all cells that have text are numbers, and there is one."""
    filled = [cell for cell in cells if cell.strip()]
    return "number" if filled and all(map(_is_number, filled)) else "text"


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell)) and "_" not in cell
    except ValueError:
        return False
