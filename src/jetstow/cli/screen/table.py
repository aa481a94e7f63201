"""A list of rows in columns, of which only the visible ones are formatted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Generic, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from jetstow.cli.screen.cells import fit

R = TypeVar("R")

_GAP: Final = "  "
_HEADING: Final = Style(bold=True, underline=True)
_CURSOR: Final = Style(reverse=True)
_BLURRED_CURSOR: Final = Style(bold=True, underline=True)
_NOTE: Final = Style(dim=True)
_THUMB, _TRACK = "█", "│"


@dataclass(frozen=True)
class Column(Generic[R]):
    """A column. Width 0 takes what the others leave; a table under `min_table` omits it."""

    title: str
    cell: Callable[[R], str]
    width: int = 0
    right: bool = False
    min_table: int = 0


class Table(Widget, Generic[R], can_focus=True):
    """Rows in columns, with a cursor that stays on its row when the rows change.

    `key` identifies a row, `style` is that of a row.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup,ctrl+b", "page(-1)", show=False),
        Binding("pagedown,ctrl+f,space", "page(1)", show=False),
        Binding("home", "jump(0)", show=False),
        Binding("end,G", "jump(-1)", show=False),
        Binding("enter,right,l", "open", show=False),
    ]

    class Moved(Message):
        """The cursor is on another row."""

    class Opened(Message):
        """Enter was pressed, or a row was clicked twice."""

    def __init__(
        self,
        name: str,
        columns: Sequence[Column[R]],
        *,
        key: Callable[[R], str],
        style: Callable[[R], Style] = lambda _: Style.null(),
    ) -> None:
        super().__init__(id=name)
        self.columns = columns
        self.rows: Sequence[R] = ()
        self.cursor = 0
        self.sorted_by = ""
        self.note = ""
        self._first = 0
        self._key = key
        self._style = style

    # -- rows ----------------------------------------------------------------------------

    @property
    def selected(self) -> R | None:
        """The row under the cursor, or None if there is no row."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def show(self, rows: Sequence[R], *, note: str = "", select: str | None = None) -> None:
        """Replace the rows. The cursor stays on its row, or goes to the one with key `select`.

        `note` is shown if there are no rows.
        """
        row = self.selected
        before = None if row is None else self._key(row)
        wanted = before if select is None else select
        self.rows, self.note = rows, note
        if wanted is not None:
            self.cursor = self._index(wanted)
        self._moved(before)

    def _index(self, key: str) -> int:
        """Return the index of a row, or the nearest to the cursor if there is none."""
        last = max(0, len(self.rows) - 1)
        near = min(self.cursor, last)
        if self.rows and self._key(self.rows[near]) == key:
            return near
        return next((at for at, row in enumerate(self.rows) if self._key(row) == key), near)

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        self._go(self.cursor + by)

    def action_page(self, by: int) -> None:
        """Move the cursor by a page."""
        self._go(self.cursor + by * max(1, self.page_size - 1))

    def action_jump(self, to: int) -> None:
        """Move the cursor to the first row (0) or the last one (-1)."""
        self._go(0 if to == 0 else len(self.rows) - 1)

    def action_open(self) -> None:
        """Report that the row was opened."""
        if self.selected is not None:
            self.post_message(self.Opened())

    def _go(self, index: int) -> None:
        row = self.selected
        before = None if row is None else self._key(row)
        self.cursor = max(0, min(index, len(self.rows) - 1))
        self._moved(before)

    def _moved(self, before: str | None) -> None:
        page = self.page_size
        self._first = max(0, min(self._first, len(self.rows) - page))
        self._first = min(max(self._first, self.cursor - page + 1), self.cursor)
        row = self.selected
        if before != (None if row is None else self._key(row)):
            self.post_message(self.Moved())
        self.refresh()

    # -- the screen ----------------------------------------------------------------------

    @property
    def page_size(self) -> int:
        """The number of visible rows."""
        return max(1, self.size.height - 1)

    def on_resize(self) -> None:
        """Keep the cursor visible."""
        self._go(self.cursor)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move the cursor, three rows at a time."""
        event.stop()
        self.action_move(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move the cursor, three rows at a time."""
        event.stop()
        self.action_move(-3)

    def on_click(self, event: events.Click) -> None:
        """Select the row under the mouse; open it at the second click."""
        index = self._first + event.y - 1
        if 0 <= index < len(self.rows) and event.y:
            self._go(index)
            if event.chain == 2:
                self.action_open()

    def render_line(self, y: int) -> Strip:
        """Return the heading, a row, or blanks."""
        width, base = self.size.width, self.rich_style
        if width < 3:
            return Strip.blank(width, base)
        inner = width - 2  # a gap and the scroll bar
        index = self._first + y - 1
        if y == 0:
            text, style = self._cells(self._headings(), inner), base + _HEADING
        elif index < len(self.rows):
            row = self.rows[index]
            text = self._cells([column.cell(row) for column in self.columns], inner)
            style = base + self._style(row)
            if index == self.cursor:
                style += _CURSOR if self.has_focus else _BLURRED_CURSOR
        else:
            text = fit(self.note if y == 2 and not self.rows else "", inner)
            style = base + _NOTE
        return Strip([Segment(text, style), Segment(self._bar(y), base + _NOTE)], width)

    def _headings(self) -> list[str]:
        return [
            f"{column.title}▾" if column.title == self.sorted_by else column.title
            for column in self.columns
        ]

    def _cells(self, cells: Sequence[str], width: int) -> str:
        shown = [
            (cell, column)
            for cell, column in zip(cells, self.columns, strict=True)
            if width >= column.min_table
        ]
        gaps = len(_GAP) * (len(shown) - 1)
        rest = max(8, width - gaps - sum(column.width for _, column in shown))
        text = _GAP.join(
            fit(cell, column.width or rest, right=column.right) for cell, column in shown
        )
        return fit(text, width)

    def _bar(self, y: int) -> str:
        rows, page = len(self.rows), self.page_size
        if y == 0 or rows <= page:
            return "  "
        thumb = max(1, page * page // rows)
        start = (page - thumb) * self._first // max(1, rows - page)
        return f" {_THUMB if start <= y - 1 < start + thumb else _TRACK}"
