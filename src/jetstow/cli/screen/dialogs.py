"""Dialogs: a question, an input line, the keys."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.suggester import Suggester
from textual.widgets import Input, Static

from jetstow.cli.render import printable

_CSS = """
{name} {{ align: center middle; }}
{name} > Vertical {{
    width: 72; max-width: 96%; height: auto; max-height: 90%;
    padding: 0 1; border: round ansi_default; background: ansi_default;
}}
{name} Input {{ border: none; height: 1; padding: 0; margin: 1 0; }}
{name} .hint {{ text-style: dim; }}
{name} .warning {{ text-style: bold; height: auto; }}
"""


class Confirm(ModalScreen[bool]):
    """A question that only `y` answers with yes."""

    CSS = _CSS.format(name="Confirm")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", show=False),
        Binding("n,escape,enter,q", "answer(False)", show=False),
    ]

    def __init__(self, question: str, detail: str = "") -> None:
        super().__init__()
        self.question = printable(question)
        self.detail = printable(detail)

    def compose(self) -> ComposeResult:
        """Show the question."""
        with Vertical():
            yield Static(self.question, markup=False, classes="warning")
            if self.detail:
                yield Static(self.detail, markup=False)
            yield Static("y yes   n no", markup=False, classes="hint")

    def action_answer(self, answer: bool) -> None:
        """End the dialog."""
        self.dismiss(answer)


class Prompt(ModalScreen[str | None]):
    """An input line. Enter takes the value, Escape cancels.

    `warn` returns a warning about a value, or an empty text. Then Enter has to be pressed again.
    """

    CSS = _CSS.format(name="Prompt")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("tab", "complete", show=False),
    ]

    def __init__(
        self,
        title: str,
        value: str = "",
        *,
        is_path: bool = False,
        warn: Callable[[str], str] = lambda _: "",
    ) -> None:
        super().__init__()
        self._title = printable(title)
        self._value = value
        self._is_path = is_path
        self._warn = warn
        self._warned_of: str | None = None

    def compose(self) -> ComposeResult:
        """Show the input line."""
        suggester = PathSuggester() if self._is_path else None
        complete = "Tab completes   " if self._is_path else ""
        with Vertical():
            yield Static(self._title, markup=False, classes="warning")
            yield Input(self._value, suggester=suggester, select_on_focus=False)
            yield Static("", markup=False, id="warning", classes="warning")
            yield Static(f"Enter ok   {complete}Escape cancels", markup=False, classes="hint")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the value, or warn about it first."""
        event.stop()
        value = event.value
        if not value.strip():
            return
        warning = self._warn(value)
        if warning and self._warned_of != value:
            self._warned_of = value
            self.query_one("#warning", Static).update(printable(warning))
            return
        self.dismiss(value)

    def action_complete(self) -> None:
        """Take the suggestion."""
        self.query_one(Input).action_cursor_right()

    def action_cancel(self) -> None:
        """End the dialog without a value."""
        self.dismiss(None)


class PathSuggester(Suggester):
    """Suggests files and folders."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """Return the first path that begins with a value."""
        return await asyncio.to_thread(self._suggest, value)

    def _suggest(self, value: str) -> str | None:
        folder, _, start = value.rpartition("/")
        root = Path(f"{folder}/" if folder or value.startswith("/") else ".").expanduser()
        try:
            with os.scandir(root) as entries:
                found = min(
                    (
                        entry.name + ("/" if entry.is_dir() else "")
                        for entry in entries
                        if entry.name.startswith(start) and entry.name.isprintable()
                    ),
                    default=None,
                )
        except OSError:
            return None
        return None if found is None else value[: len(value) - len(start)] + found


class Help(ModalScreen[None]):
    """The keys of a command."""

    CSS = _CSS.format(name="Help")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,question_mark", "close", show=False)
    ]

    def __init__(self, keys: str) -> None:
        super().__init__()
        self._keys = keys

    def compose(self) -> ComposeResult:
        """Show the keys."""
        with Vertical():
            yield Static("Keys", markup=False, classes="warning")
            yield Static(self._keys.strip("\n"), markup=False)
            yield Static("Escape closes", markup=False, classes="hint")

    def action_close(self) -> None:
        """End the dialog."""
        self.dismiss(None)
