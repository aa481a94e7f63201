"""The line with what is wrong, what was done, or how things are."""

from __future__ import annotations

import time
from typing import Final

from textual.widgets import Static

from jetstow.cli.render import printable

# How long a message is shown, in seconds.
_MESSAGE_TIME: Final = 10.0


class StateLine(Static):
    """Shows a problem as long as it lasts, else a message for some seconds, else the usual text."""

    DEFAULT_CSS = """
    StateLine { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    StateLine.problem { text-style: bold reverse; }
    """

    def __init__(self) -> None:
        super().__init__("", markup=False, id="state")
        self._message, self._is_error, self._until = "", False, 0.0

    def report(self, text: str, is_error: bool) -> None:
        """Show a message for some seconds from the next `show` on; an empty one ends the last."""
        self._message, self._is_error = text, is_error
        self._until = time.monotonic() + _MESSAGE_TIME

    def show(self, problem: str, usual: str) -> None:
        """Show what is most important."""
        has_message = bool(self._message) and time.monotonic() < self._until
        self.set_class(bool(problem) or (has_message and self._is_error), "problem")
        self.update(printable(problem or (self._message if has_message else usual)))
