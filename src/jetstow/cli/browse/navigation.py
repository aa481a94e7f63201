"""The screen of `jetstow browse`: where it is, what it shows there."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widgets import Footer, Input, Static

from jetstow.cli.browse.columns import COLUMNS, count, folder_counts, row_style, sorted_columns
from jetstow.cli.browse.details import Details
from jetstow.cli.browse.feed import BucketFeed
from jetstow.cli.browse.layout import CSS
from jetstow.cli.browse.operations import Operations
from jetstow.cli.browse.rows import (
    SORT_KEYS,
    Row,
    SortKey,
    bucket_row,
    filter_rows,
    find_name,
    sort_rows,
)
from jetstow.cli.errors import message
from jetstow.cli.parsers import Address
from jetstow.cli.render import printable
from jetstow.cli.screen.app import ScreenApp
from jetstow.cli.screen.cells import fit_end
from jetstow.cli.screen.state import StateLine
from jetstow.cli.screen.table import Table

if TYPE_CHECKING:
    from jetstow import BucketStatus, Client
    from jetstow.cli.session import Session

# How often the list of buckets is read, in seconds.
_BUCKETS_INTERVAL: Final = 2.0


class Navigation(ScreenApp):
    """Buckets, folders and objects, with what the selected object is."""

    CSS = CSS
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012 - as in textual
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h,backspace", "up", show=False),
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("escape", "clear_filter", show=False),
        Binding("s", "sort", "Sort"),
        Binding("S", "reverse", show=False),
    ]

    def __init__(self, session: Session, client: Client, address: Address | None) -> None:
        super().__init__(client)
        self._session = session
        self._start = address
        self.feed: BucketFeed | None = None
        self._statuses: dict[str, BucketStatus] = {}
        self._sort_key: SortKey = "name"
        self._is_reversed = False
        self._filter_text = ""
        self._error = ""
        self._shown: tuple[str, str, int] | None = None
        # The name to select once it is listed.
        self._wanted = ""
        self.operations = Operations(self, self.report)

    def compose(self) -> ComposeResult:
        """Show the widgets."""
        yield Static("", markup=False, id="path")
        with Container(id="body"):
            yield Table("list", COLUMNS, key=lambda row: row.name, style=row_style)
            yield Details()
        yield Input("", placeholder="filter", id="filter", select_on_focus=False)
        yield Static("", markup=False, id="transfers")
        yield StateLine()
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """Show the buckets, or the bucket to start with."""
        self.rows.focus()
        self.rows.note = "reading ..."
        self.run_worker(self._watch_buckets(), exit_on_error=False)
        self.show_state()

    @property
    def rows(self) -> Table[Row]:
        """The list."""
        return self.query_one("#list", Table)

    async def stop(self) -> None:
        """End transfers and watches."""
        await self.operations.transfers.close()
        if self.feed is not None:
            await self.feed.close()

    # -- buckets and folders -------------------------------------------------------------

    async def _watch_buckets(self) -> None:
        """Read the list of buckets again and again while it is shown."""
        js = await self._session.js()
        if self._start is not None:
            try:
                bucket, name = self._start.bucket, self._start.name
                await self._open_bucket(bucket, name[: name.rfind("/") + 1], select=name)
            except Exception as error:  # noqa: BLE001 - the command ends with it
                self.fail(error)
        while True:
            if self.feed is None:
                try:
                    statuses = await js.object_stores()
                except Exception as error:  # noqa: BLE001 - shown until it works again
                    self._error = message(error)
                else:
                    self._error = ""
                    self._statuses = {status.bucket: status for status in statuses}
                    self._show_rows()
            await asyncio.sleep(_BUCKETS_INTERVAL)

    async def _open_bucket(self, bucket: str, prefix: str, select: str = "") -> None:
        store = await self._session.store(bucket)
        if self.feed is not None:
            return  # Enter was pressed twice
        self.report("", False)
        self.feed = BucketFeed(store, self._show_rows, self._on_feed_error)
        self._open_folder(prefix, select)

    def _open_folder(self, prefix: str, select: str = "") -> None:
        assert self.feed is not None, "a bucket is open"
        self._set_filter("")
        self.feed.open(prefix)
        self.rows.cursor = 0
        self.rows.show((), note="reading ...")
        self._wanted = select
        self.show_state()

    def on_table_opened(self) -> None:
        """Open the selected bucket or folder."""
        row = self.rows.selected
        if row is None:
            return
        if row.is_bucket:
            self.report(f"opening {row.name} ...", False)
            self.start_task(self._open_row(row))
        elif row.is_folder:
            self._open_folder(row.name)

    async def _open_row(self, row: Row) -> None:
        try:
            await self._open_bucket(row.name, "")
        except Exception as error:  # noqa: BLE001 - shown to the user
            self.report(message(error), True)

    def action_up(self) -> None:
        """Go to the folder above, or to the buckets."""
        if self.feed is None:
            return
        prefix = self.feed.folder.prefix
        if prefix:
            self._open_folder(prefix[: prefix[:-1].rfind("/") + 1], select=prefix)
            return
        feed, self.feed = self.feed, None
        self.start_task(feed.close())
        self._set_filter("")
        self._error = ""
        self._wanted = feed.bucket
        self._show_rows()

    def _on_feed_error(self, error: Exception | None) -> None:
        self._error = "" if error is None else message(error)
        self.show_state()

    # -- rows ----------------------------------------------------------------------------

    def _show_rows(self) -> None:
        if not self.is_shown:
            return
        if self.feed is None:
            rows = sort_rows(
                map(bucket_row, self._statuses.values()), self._sort_key, reverse=self._is_reversed
            )
            rows = filter_rows(rows, self._filter_text)
            note = "no buckets: jetstow mb BUCKET creates one"
        else:
            folder = self.feed.folder
            rows = folder.view(self._filter_text, self._sort_key, reverse=self._is_reversed)
            note = "no objects: u puts a file here" if self.feed.is_complete else "reading ..."
        note = f"no name contains {self._filter_text!r}" if self._filter_text else note
        self.rows.columns, self.rows.sorted_by = sorted_columns(self._sort_key, self.feed is None)
        wanted = find_name(rows, self._wanted)
        self.rows.show(rows, note=note, select=wanted)
        if wanted is not None:
            self._wanted = ""
        self._show_details()
        self.show_state()

    def on_table_moved(self) -> None:
        """Show what the selected row is."""
        self._wanted = ""
        self._show_details()

    def _show_details(self) -> None:
        row, details = self.rows.selected, self.query_one("#details", Details)
        bucket = "" if self.feed is None else self.feed.bucket
        before = self._shown
        self._shown = None if row is None else (bucket, row.name, row.revision or row.size)
        if row is None:
            details.clear()
        elif self._shown != before:
            details.show_row(row, lambda: self._session.store(bucket), self._statuses)

    # -- order and filter ----------------------------------------------------------------

    def action_sort(self) -> None:
        """Sort by the next column."""
        index = SORT_KEYS.index(self._sort_key) + 1
        self._sort_key = SORT_KEYS[index % len(SORT_KEYS)]
        self._show_rows()

    def action_reverse(self) -> None:
        """Reverse the order."""
        self._is_reversed = not self._is_reversed
        self._show_rows()

    def action_filter(self) -> None:
        """Enter a filter."""
        box = self.query_one("#filter", Input)
        box.display = True
        box.focus()

    def action_clear_filter(self) -> None:
        """Show all rows."""
        self._set_filter("")
        self._show_rows()

    def _set_filter(self, text: str) -> None:
        self._filter_text = text
        box = self.query_one("#filter", Input)
        with box.prevent(Input.Changed):
            box.value = text
        box.display = False
        self.rows.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while the text is entered."""
        if event.input.id == "filter":
            self._filter_text = event.value
            self._show_rows()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter, and go to the rows."""
        if event.input.id == "filter":
            event.input.display = bool(event.value)
            self.rows.focus()

    # -- state ---------------------------------------------------------------------------

    def report(self, text: str, is_error: bool) -> None:
        """Show a message for some seconds."""
        if self.is_shown:
            self.query_one(StateLine).report(text, is_error)
            self.show_state()

    def show_state(self) -> None:
        """Show the path, the transfers, the counts, and what is wrong."""
        if not self.is_shown:
            return
        width = self.size.width
        path = "buckets"
        if self.feed is not None:
            path = f"{self.feed.bucket}/{self.feed.folder.prefix}"
        self.query_one("#path", Static).update(fit_end(path, width))
        active = self.operations.transfers.active
        shown = self.query_one("#transfers", Static)
        shown.display = bool(active)
        shown.update("\n".join(f"{printable(each.label)}  {each.status}" for each in active[-4:]))
        problem = self.connection_state or self._error
        self.query_one(StateLine).show(problem, self._counts())

    def _counts(self) -> str:
        if self.feed is None:
            total = len(self._statuses)
            text = count(total, "bucket")
        else:
            folder = self.feed.folder
            total, text = folder.folders + folder.objects, folder_counts(folder)
            if not self.feed.is_complete:
                text += ", reading ..."
        if self._filter_text:
            text = f"{len(self.rows.rows):,} of {total:,} names contain {self._filter_text!r}"
        return text

    def start_task(self, work: Coroutine[Any, Any, object]) -> None:
        """Run something that takes its time. It reports its own errors."""
        self.run_worker(work, exit_on_error=False)
