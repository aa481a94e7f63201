"""A pane with lines of text that scroll."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.strip import Strip
from textual.widget import Widget

from jetstow.cli.screen.cells import fit, wrap


class TextPane(Widget, can_focus=True):
    """Lines of text, wrapped to the width, below a title. The text may be hostile."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_by(-1)", show=False),
        Binding("down,j", "scroll_by(1)", show=False),
        Binding("pageup,ctrl+b", "scroll_page(-1)", show=False),
        Binding("pagedown,ctrl+f,space", "scroll_page(1)", show=False),
        Binding("home", "scroll_page(-100000)", show=False),
        Binding("end,G", "scroll_page(100000)", show=False),
    ]

    def __init__(self, name: str) -> None:
        super().__init__(id=name)
        self.title = ""
        self.lines: list[str] = []
        self._wrapped: list[str] = []
        self._first = 0

    def show(self, title: str, lines: list[str], *, keep_position: bool = False) -> None:
        """Replace the text, from its start unless `keep_position`."""
        self.title, self.lines = title, lines
        if not keep_position:
            self._first = 0
        self._wrap()

    def on_resize(self) -> None:
        """Wrap the lines again."""
        self._wrap()

    def _wrap(self) -> None:
        self._wrapped = wrap(self.lines, max(1, self.size.width - 1))
        self._scroll(0)

    def action_scroll_by(self, lines: int) -> None:
        """Scroll by lines."""
        self._scroll(lines)

    def action_scroll_page(self, pages: int) -> None:
        """Scroll by pages."""
        self._scroll(pages * max(1, self.size.height - 2))

    def _scroll(self, by: int) -> None:
        last = max(0, len(self._wrapped) - self.size.height + 1)
        self._first = max(0, min(self._first + by, last))
        self.refresh()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll by three lines."""
        event.stop()
        self._scroll(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll by three lines."""
        event.stop()
        self._scroll(-3)

    def render_line(self, y: int) -> Strip:
        """Return the title, or a line of the text."""
        width, base = self.size.width, self.rich_style
        if y == 0:
            style = base + Style(bold=True, underline=True, reverse=self.has_focus)
            return Strip([Segment(fit(self.title, width), style)], width)
        index = self._first + y - 1
        text = self._wrapped[index] if index < len(self._wrapped) else ""
        return Strip([Segment(fit(text, width), base)], width)
