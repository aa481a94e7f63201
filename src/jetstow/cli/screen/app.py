"""The application of a full-screen command: colours of the terminal, keys to quit, its end."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual.app import App, ScreenStackError
from textual.binding import Binding, BindingType
from textual.theme import Theme
from textual.widgets import Footer

from jetstow.cli.errors import CliError
from jetstow.cli.screen.dialogs import Help

if TYPE_CHECKING:
    from jetstow import Client

# Only the terminal's own colours: they suit its background, whether that is light or dark.
_THEME: Final = Theme(
    name="jetstow",
    ansi=True,
    primary="ansi_blue",
    foreground="ansi_default",
    background="ansi_default",
    variables={
        "ansi-background": "ansi_default",
        "ansi-foreground": "ansi_default",
        "border": "ansi_default",
        "border-blurred": "ansi_default",
        "footer-key-foreground": "ansi_default",
        "input-cursor-text-style": "reverse",
        "input-selection-background": "ansi_default",
    },
)

# A screen shows an outage until the server is back, however long it takes.
RECONNECT_FOREVER: Final[dict[str, Any]] = {"max_reconnect_attempts": -1}

# How often the state of the connection is shown, in seconds.
_STATE_INTERVAL: Final = 0.5


class ScreenApp(App[None]):
    """A full-screen command. `q` and Ctrl-C end it."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("ctrl+c", "quit", show=False, priority=True),
        Binding("question_mark", "help", "Help", key_display="?"),
    ]
    KEYS: ClassVar[str] = ""

    def __init__(self, client: Client) -> None:
        super().__init__(ansi_color=True)
        self.register_theme(_THEME)
        self.theme = _THEME.name
        self.failure: Exception | None = None
        self._client = client
        self._lost_at: float | None = None

    @property
    def connection_state(self) -> str:
        """The state of the connection: empty if it is connected."""
        if self._client.is_connected:
            self._lost_at = None
            return ""
        if self._lost_at is None:
            self._lost_at = time.monotonic()
        return f"connection lost, reconnecting ({time.monotonic() - self._lost_at:.0f}s)"

    def on_mount(self) -> None:
        """Show the state of the connection from now on."""
        self.set_interval(_STATE_INTERVAL, self.show_state)

    @property
    def is_shown(self) -> bool:
        """Whether the widgets exist: not before the start, and not after the end."""
        try:
            return bool(self.query(Footer))
        except ScreenStackError:
            return False

    def show_state(self) -> None:
        """Show the state of the connection."""

    def fail(self, error: Exception) -> None:
        """End the command with an error."""
        self.failure = error
        self.exit()

    def action_help(self) -> None:
        """Show the keys."""
        self.push_screen(Help(self.KEYS))


async def run(app: ScreenApp) -> None:
    """Run the application to its end, and restore the terminal.

    Raises: the error of `fail`, `CliError` (an error of the application, which it has printed).
    """
    await app.run_async()
    if (task := asyncio.current_task()) is not None and task.cancelling():
        raise asyncio.CancelledError  # textual takes the cancellation by a signal for its end
    if app.failure is not None:
        raise app.failure
    if app.return_code:
        raise CliError("the screen ended with an error")
