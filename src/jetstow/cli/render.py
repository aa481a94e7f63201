"""Results of commands, as text for terminals and pipes or as JSON."""

from __future__ import annotations

import datetime
import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from jetstow.cli.stdio import is_terminal

# A wider cell sticks out of its column and does not widen it. In terminal cells.
MAX_COLUMN_WIDTH: Final = 40


@dataclass(frozen=True)
class Result:
    """What a command prints: `data` with --json, `lines` and `notices` without it.

    `notices` report what the command did. --quiet leaves them out.
    """

    data: Any
    lines: Sequence[str] = ()
    heading: str = field(default="", kw_only=True)
    notices: Sequence[str] = field(default=(), kw_only=True)

    def text(self, *, quiet: bool = False) -> str:
        """Return heading, lines and notices; the heading is bold on a terminal."""
        heading = [_bold(self.heading)] if self.heading else []
        notices = () if quiet else self.notices
        return "".join(f"{line}\n" for line in [*heading, *self.lines, *notices])


def json_document(data: object) -> str:
    """Return indented JSON."""
    return json.dumps(data, indent=2, ensure_ascii=_is_ascii_only()) + "\n"


def json_line(data: object) -> str:
    """Return JSON on one line."""
    return json.dumps(data, ensure_ascii=_is_ascii_only()) + "\n"


def _is_ascii_only() -> bool:
    return "utf" not in str(getattr(sys.stdout, "encoding", "")).lower()


def _bold(text: str) -> str:
    plain = not is_terminal(sys.stdout) or "NO_COLOR" in os.environ
    return text if plain or os.environ.get("TERM") == "dumb" else f"\x1b[1m{text}\x1b[0m"


# -- tables ------------------------------------------------------------------------------


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], data: object) -> Result:
    """Return rows as aligned columns. A column whose heading starts with `>` is right-aligned."""
    cells = [[printable(cell) for cell in row] for row in rows]
    if not cells:
        return Result(data)
    names = [column.removeprefix(">") for column in columns]
    widths = [
        max(width if width <= MAX_COLUMN_WIDTH else 0 for width in map(display_width, column))
        for column in zip(names, *cells, strict=True)
    ]
    aligned = [
        "  ".join(
            _padded(cell, width, right=column.startswith(">"))
            for cell, width, column in zip(row, widths, columns, strict=True)
        ).rstrip()
        for row in [names, *cells]
    ]
    return Result(data, aligned[1:], heading=aligned[0])


def details(pairs: Iterable[tuple[str, str]], data: object) -> Result:
    """Return names and values, one pair per line; pairs with an empty value are left out."""
    printed = [(name, printable(value)) for name, value in pairs if value]
    width = max((len(name) for name, _ in printed), default=0)
    return Result(data, [f"{name:<{width}}  {value}" for name, value in printed])


def _padded(cell: str, width: int, *, right: bool) -> str:
    padding = " " * max(0, width - display_width(cell))
    return padding + cell if right else cell + padding


# -- values ------------------------------------------------------------------------------


def printable(text: str) -> str:
    """Return the text with control characters escaped: one line, harmless to a terminal."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def display_width(text: str) -> int:
    """Return the width of a text on a terminal, in cells."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def format_size(size: int) -> str:
    """Format bytes: 512 B, 9.5 MiB."""
    if size < 1024:
        return f"{size} B"
    units = ["KiB", "MiB", "GiB", "TiB", "PiB"]
    amount = size / 1024
    while amount >= 999.5 and len(units) > 1:
        amount /= 1024
        units.pop(0)
    return f"{amount:.0f} {units[0]}" if amount >= 99.95 else f"{amount:.1f} {units[0]}"


def format_count(count: int, noun: str) -> str:
    """Format a number with its noun, in the plural unless the number is 1."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def format_contents(objects: int, links: int, size: int) -> str:
    """Format numbers of objects and links, with the size of the objects."""
    text = f"{format_count(objects, 'object')} ({format_size(size)})"
    return f"{text} and {format_count(links, 'link')}" if links else text


def format_time(time: datetime.datetime | None) -> str:
    """Format a time in the local time zone; None as a dash."""
    return "-" if time is None else f"{time.astimezone():%Y-%m-%d %H:%M:%S}"


def format_duration(seconds: float | None) -> str:
    """Format seconds: 30d, 1h30m. None and 0 become an empty text."""
    text, rest = "", round(seconds or 0, 3)
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if count := int(rest // length):
            text, rest = f"{text}{count}{unit}", rest - count * length
    return f"{text}{rest:g}s" if rest else text
