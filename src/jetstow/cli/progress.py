"""Progress bars of transfers, on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeAlias

from jetstow.cli.render import display_width, format_size, printable
from jetstow.cli.stdio import is_terminal

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import Task, TaskID

# A shorter transfer shows no bar. In seconds.
BAR_DELAY: Final = 0.5

MAX_LABEL_WIDTH: Final = 24

# A narrower terminal shows no speed and no remaining time. In terminal cells.
MIN_WIDTH: Final = 72

Report: TypeAlias = Callable[[int, int | None], None]


@contextmanager
def progress(
    label: str, size: int | None = None, *, hidden: bool = False
) -> Iterator[Report | None]:
    """Provide the `progress` callback of a transfer; it shows a bar if stderr is a terminal.

    `size` is the total number of bytes, used if the transfer does not report one. The callback is
    None if no bar can be shown.
    """
    if hidden or not is_terminal(sys.stderr):
        yield None
        return
    bar = _Bar(printable(label), size)
    try:
        yield bar.update
    finally:
        bar.close()


class _Bar:
    def __init__(self, label: str, size: int | None) -> None:
        self._label = label
        self._size = size
        self._started = time.monotonic()
        self._bar: tuple[RichProgress, TaskID] | None = None

    def update(self, done: int, size: int | None) -> None:
        if self._bar is None:
            if time.monotonic() - self._started < BAR_DELAY:
                return
            self._bar = self._show()
        bar, task = self._bar
        size = size or self._size
        amount = format_size(done) + (f" of {format_size(size)}" if size else "")
        bar.update(task, completed=done, total=size, amount=amount)

    def _show(self) -> tuple[RichProgress, TaskID]:
        from rich import progress as rich_progress
        from rich.console import Console
        from rich.markup import escape

        class Speed(rich_progress.ProgressColumn):
            def render(self, task: Task) -> str:
                return f"{format_size(int(task.speed or 0))}/s"

        console = Console(stderr=True)
        columns: list[rich_progress.ProgressColumn] = [
            rich_progress.TextColumn("{task.description}"),
            rich_progress.BarColumn(bar_width=None),
            rich_progress.TextColumn("{task.fields[amount]}"),
        ]
        if console.width >= MIN_WIDTH:
            columns += [Speed(), rich_progress.TimeRemainingColumn(compact=True)]
        bar = rich_progress.Progress(*columns, console=console, transient=True, expand=True)
        bar.start()
        label = self._label
        if display_width(label) > MAX_LABEL_WIDTH:
            label = f"…{label[1 - MAX_LABEL_WIDTH :]}"
        return bar, bar.add_task(escape(label), total=None, amount="")

    def close(self) -> None:
        if self._bar is not None:
            self._bar[0].stop()
