"""The keys of `jetstow browse`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from jetstow.cli.browse.details import Details
from jetstow.cli.browse.navigation import Navigation
from jetstow.cli.render import format_count
from jetstow.cli.screen.dialogs import Confirm

if TYPE_CHECKING:
    from jetstow.cli.browse.feed import BucketFeed


class BrowseApp(Navigation):
    """Buckets, folders and objects, with what the selected object is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g", "get", "Get"),
        Binding("u", "put", "Put"),
        Binding("d,delete", "delete", "Delete"),
        Binding("z", "undo", "Undo"),
        Binding("r", "rename", "Rename"),
        Binding("p", "pane", "Pane"),
        Binding("v", "form", show=False),
        Binding("x", "cancel_transfer", show=False),
    ]
    KEYS = """
↑ ↓ PgUp PgDn     move; Home, End: first, last
Enter → l         open a bucket or folder
← h Backspace     back to the folder above
/                 filter by name, Escape shows all
s S               sort by name, size, time; reverse
p                 preview, metadata, no pane
v                 preview as text, JSON, hex
Tab               next pane, to scroll in it
g u               get from, put into this folder
d z               delete, undo (in versioned buckets)
r                 rename
x                 cancel the last transfer
q Ctrl-C          quit
"""

    def _open_feed(self) -> BucketFeed | None:
        """Return the open bucket, or report that there is none."""
        if self.feed is None:
            self.report("open a bucket first: Enter", True)
        return self.feed

    def action_get(self) -> None:
        """Read the selected object or folder into a file or folder."""
        if (feed := self._open_feed()) and (row := self.rows.selected):
            self.start_task(self.operations.get(feed.store, row))

    def action_put(self) -> None:
        """Store a file or a folder in this folder."""
        if feed := self._open_feed():
            folder = feed.folder
            self.start_task(self.operations.put(feed.store, folder.prefix, folder.has_object))

    def action_delete(self) -> None:
        """Delete the selected object or folder."""
        if (feed := self._open_feed()) and (row := self.rows.selected):
            self.start_task(self.operations.delete(feed.store, row))

    def action_undo(self) -> None:
        """Restore what was deleted last."""
        self.start_task(self.operations.undo())

    def action_rename(self) -> None:
        """Rename the selected object or folder."""
        if (feed := self._open_feed()) and (row := self.rows.selected):
            self.start_task(self.operations.rename(feed.store, row))

    def action_cancel_transfer(self) -> None:
        """Cancel the transfer that was started last."""
        self.operations.transfers.cancel()

    def action_pane(self) -> None:
        """Show the preview, the metadata, or no pane."""
        details = self.query_one("#details", Details)
        if not details.display:
            details.display = True
            details.remove_class("-info")
        elif details.has_class("-info") or self.screen.has_class("-wide"):
            details.display = False
            self.rows.focus()
        else:
            details.add_class("-info")

    def action_form(self) -> None:
        """Show the preview in the next form."""
        self.query_one("#details", Details).next_form()

    async def action_quit(self) -> None:
        """Quit; if there are transfers, after a question. Ctrl-C at the question quits."""
        active = len(self.operations.transfers.active)
        if not active or isinstance(self.screen, Confirm):
            self.exit()
            return
        question = f"Cancel {format_count(active, 'transfer')} and quit?"

        def answered(yes: bool | None) -> None:
            if yes:
                self.exit()

        self.push_screen(Confirm(question), answered)
