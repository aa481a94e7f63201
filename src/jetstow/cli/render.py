"""How everything looks: answers as text or JSON, and progress while one waits for them."""

from __future__ import annotations

import datetime
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from jetstow.cli.stdio import is_terminal

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import Task, TaskID

    from jetstow import BucketStatus, ObjectInfo

# A transfer that takes less shows no progress. In seconds.
_SOON: Final = 0.5

# A cell wider than this stands out of its column instead of widening it.
_WIDEST: Final = 40


@dataclass(frozen=True)
class Answer:
    """What a command has to say: `data` for programs, `lines` for people."""

    data: Any
    lines: Sequence[str] = ()
    heading: str = field(default="", kw_only=True)

    def text(self) -> str:
        """For people, and for pipes: the same but for the heading, bold on a terminal."""
        lines = [_bold(self.heading)] if self.heading else []
        return "".join(f"{line}\n" for line in [*lines, *self.lines])


def document(data: object) -> str:
    """JSON over many lines."""
    return json.dumps(data, indent=2, ensure_ascii=_ascii_only()) + "\n"


def line(data: object) -> str:
    """JSON on one line."""
    return json.dumps(data, ensure_ascii=_ascii_only()) + "\n"


def _ascii_only() -> bool:
    return "utf" not in str(getattr(sys.stdout, "encoding", "")).lower()


def _bold(text: str) -> str:
    plain = not is_terminal(sys.stdout) or "NO_COLOR" in os.environ
    return text if plain or os.environ.get("TERM") == "dumb" else f"\x1b[1m{text}\x1b[0m"


# -- as text -----------------------------------------------------------------------------


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], data: object) -> Answer:
    """Columns under headings; one that begins with `>` is aligned to the right."""
    cells = [[clean(cell) for cell in row] for row in rows]
    if not cells:
        return Answer(data)
    names = [column.removeprefix(">") for column in columns]
    widths = [
        max(width if width <= _WIDEST else 0 for width in map(cells_of, column))
        for column in zip(names, *cells, strict=True)
    ]
    aligned = [
        "  ".join(
            _padded(cell, width, right=column.startswith(">"))
            for cell, width, column in zip(row, widths, columns, strict=True)
        ).rstrip()
        for row in [names, *cells]
    ]
    return Answer(data, aligned[1:], heading=aligned[0])


def facts(pairs: Iterable[tuple[str, str]], data: object) -> Answer:
    """Names and values, one a line; those without a value are left out."""
    shown = [(name, clean(value)) for name, value in pairs if value]
    width = max((len(name) for name, _ in shown), default=0)
    return Answer(data, [f"{name:<{width}}  {value}" for name, value in shown])


def clean(text: str) -> str:
    """Text that does nothing to a terminal and stays on its line."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def cells_of(text: str) -> int:
    """How wide the text is on a terminal."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _padded(cell: str, width: int, *, right: bool) -> str:
    space = " " * max(0, width - cells_of(cell))
    return space + cell if right else cell + space


def bytes_of(count: int) -> str:
    """A size that people can read: 512 B, 9.5 MiB."""
    if count < 1024:
        return f"{count} B"
    units = ["KiB", "MiB", "GiB", "TiB", "PiB"]
    amount = count / 1024
    while amount >= 999.5 and len(units) > 1:
        amount /= 1024
        units.pop(0)
    return f"{amount:.0f} {units[0]}" if amount >= 99.95 else f"{amount:.1f} {units[0]}"


def count_of(number: int, what: str) -> str:
    """So many of something that is called so."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def objects_and_links(objects: int, links: int, size: int) -> str:
    """What a bucket or an archive holds."""
    said = f"{count_of(objects, 'object')} ({bytes_of(size)})"
    return f"{said} and {count_of(links, 'link')}" if links else said


def moment(when: datetime.datetime | None) -> str:
    """A time as it is here."""
    return "-" if when is None else f"{when.astimezone():%Y-%m-%d %H:%M:%S}"


def span(seconds: float | None) -> str:
    """30d, 1h30m; empty for None and 0."""
    found, rest = "", round(seconds or 0, 3)
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if count := int(rest // length):
            found, rest = f"{found}{count}{unit}", rest - count * length
    return f"{found}{rest:g}s" if rest else found


# -- as data -----------------------------------------------------------------------------


def object_data(info: ObjectInfo) -> dict[str, Any]:
    """Everything about an object, exactly."""
    return {
        "bucket": info.bucket,
        "name": info.name,
        "size": info.size or 0,
        "modified": info.mtime,
        "revision": info.revision,
        "deleted": bool(info.deleted),
        "digest": info.digest or None,
        "description": info.description,
        "content_type": info.content_type,
        "tags": info.tags,
        "expires": None if info.expires is None else info.expires.isoformat(),
        "encrypted": info.encrypted,
        "headers": info.headers,
        "metadata": info.metadata,
        "link": None if info.link is None else {"bucket": info.link.bucket, "name": info.link.name},
        "chunks": info.chunks or 0,
        "chunk_size": info.options.max_chunk_size if info.options else None,
        "nuid": info.nuid,
    }


def bucket_data(status: BucketStatus) -> dict[str, Any]:
    """Everything about a bucket, exactly. Times to live are in seconds; null is no limit."""
    return {
        "bucket": status.bucket,
        "description": status.description,
        "size": status.size,
        "sealed": bool(status.sealed),
        "created": None if status.created is None else status.created.isoformat(),
        "ttl": status.ttl or None,
        "max_bytes": None if status.max_bytes < 0 else status.max_bytes,
        "storage": str(status.storage_type),
        "replicas": status.replicas,
        "compressed": status.compressed,
        "metadata": status.metadata or None,
    }


# -- while one waits ---------------------------------------------------------------------

Report = Callable[[int, int | None], None]


@contextmanager
def progress(
    what: str, size: int | None = None, *, hidden: bool = False
) -> Iterator[Report | None]:
    """A report for a transfer, which shows a bar on a terminal if it takes a while.

    `size` stands in where the transfer does not know how much there is.
    """
    if hidden or not is_terminal(sys.stderr):
        yield None
        return
    bar = _Bar(clean(what), size)
    try:
        yield bar.report
    finally:
        bar.close()


class _Bar:
    def __init__(self, what: str, size: int | None) -> None:
        self._what = what
        self._size = size
        self._since = time.monotonic()
        self._shown: tuple[RichProgress, TaskID] | None = None

    def report(self, done: int, size: int | None) -> None:
        if self._shown is None:
            if time.monotonic() - self._since < _SOON:
                return
            self._shown = self._show()
        shown, task = self._shown
        size = size or self._size
        amount = bytes_of(done) + (f" of {bytes_of(size)}" if size else "")
        shown.update(task, completed=done, total=size, amount=amount)

    def _show(self) -> tuple[RichProgress, TaskID]:
        from rich import progress as rich_progress
        from rich.console import Console
        from rich.markup import escape

        class Speed(rich_progress.ProgressColumn):
            def render(self, task: Task) -> str:
                return f"{bytes_of(int(task.speed or 0))}/s"

        shown = rich_progress.Progress(
            rich_progress.TextColumn("{task.description}"),
            rich_progress.BarColumn(bar_width=None),
            rich_progress.TextColumn("{task.fields[amount]}"),
            Speed(),
            rich_progress.TimeRemainingColumn(compact=True),
            console=Console(stderr=True),
            transient=True,
            expand=True,
        )
        shown.start()
        name = self._what if cells_of(self._what) <= 24 else f"…{self._what[-23:]}"
        return shown, shown.add_task(escape(name), total=None, amount="")

    def close(self) -> None:
        if self._shown is not None:
            self._shown[0].stop()
