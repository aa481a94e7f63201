"""The screen of `jetstow top`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Final

from rich.style import Style
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Footer, Input, Static

from jetstow.cli.errors import message
from jetstow.cli.render import format_duration, format_size
from jetstow.cli.screen.app import ScreenApp
from jetstow.cli.screen.state import StateLine
from jetstow.cli.screen.table import Column, Table
from jetstow.cli.top import text
from jetstow.cli.top.sample import (
    SORT_KEYS,
    BucketLoad,
    ClientLoad,
    Load,
    OperationLoad,
    Sample,
    SortKey,
    load,
    select,
)

if TYPE_CHECKING:
    from jetstow import Client
    from jetstow.cli.top.server import Sampler

_INTERVALS: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)

_TITLES: Final[dict[SortKey, str]] = {
    "bucket": "BUCKET",
    "size": "SIZE",
    "objects": "OBJECTS",
    "writes": "WRITES/s",
    "growth": "GROWTH/s",
}

_BUCKETS: Final = (
    Column[BucketLoad]("BUCKET", lambda each: each.state.bucket),
    Column[BucketLoad]("SIZE", lambda each: format_size(each.state.size), 9, True),
    Column[BucketLoad]("OBJECTS", lambda each: text.count(each.state.objects), 10, True),
    Column[BucketLoad]("WRITES/s", lambda each: text.number(each.writes), 9, True, min_table=48),
    Column[BucketLoad]("GROWTH/s", lambda each: text.growth(each.growth), 10, True, min_table=60),
    Column[BucketLoad]("LIMIT", text.limit_share, 6, True, min_table=76),
    Column[BucketLoad]("REPLICAS", lambda each: str(each.state.replicas), 8, True, min_table=100),
    Column[BucketLoad]("STORAGE", lambda each: each.state.storage, 7, min_table=100),
)
_CLIENTS: Final = (
    Column[ClientLoad]("CLIENT", lambda each: each.state.name),
    Column[ClientLoad]("ADDRESS", lambda each: each.state.address, 22, min_table=60),
    Column[ClientLoad]("WRITES", lambda each: text.rate(each.written), 12, True),
    Column[ClientLoad]("READS", lambda each: text.rate(each.read), 12, True),
)
_OPERATIONS: Final = (
    Column[OperationLoad]("SLOWEST OPERATIONS", lambda each: each.state.operation),
    Column[OperationLoad]("REQUESTS/s", lambda each: text.number(each.requests), 10, True),
    Column[OperationLoad]("ERRORS/s", lambda each: text.number(each.errors), 8, True),
    Column[OperationLoad]("MEAN NOW", lambda each: text.milliseconds(each.recent_ms), 9, True),
    Column[OperationLoad]("MEAN", lambda each: text.milliseconds(each.mean_ms), 9, True),
)


class TopApp(ScreenApp):
    """The buckets with their rates, and the clients or the operations of a gateway."""

    CSS = """
    Screen { overflow: hidden; }
    #head { height: auto; max-height: 6; text-wrap: nowrap; text-overflow: ellipsis; }
    .-low #head { max-height: 2; }
    .hidden { display: none; }
    #filter { border: none; height: 1; padding: 0; display: none; }
    #buckets { height: 1fr; margin-top: 1; }
    #clients, #operations { height: 30%; min-height: 6; margin-top: 1; }
    .-low #clients, .-low #operations { display: none; }
    """
    VERTICAL_BREAKPOINTS = [(0, "-low"), (18, "-high")]  # noqa: RUF012 - as textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sort(1)", "Sort"),
        Binding("S", "sort(-1)", show=False),
        Binding("r", "reverse", "Reverse"),
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("escape", "clear_filter", show=False),
        Binding("plus,equals_sign", "slower(1)", "Slower", key_display="+"),
        Binding("minus", "slower(-1)", "Faster", key_display="-"),
        Binding("v", "view", "View"),
        Binding("tab", "app.focus_next", show=False),
    ]
    KEYS = """
↑ ↓ PgUp PgDn   move
s S             sort by the next, previous column
r               reverse the order
/               filter the buckets by name, Escape shows all
+ -             sample less, more often
v               show clients or the gateway's operations
Tab             next table
q Ctrl-C        quit
"""

    def __init__(
        self,
        client: Client,
        sampler: Sampler,
        *,
        interval: float,
        sort: SortKey,
        filter_text: str,
        has_gateway: bool,
    ) -> None:
        super().__init__(client)
        self._sampler = sampler
        self._interval = interval
        self._sort_key = sort
        self._filter_text = filter_text
        self._is_reversed = False
        self._shows_operations = has_gateway
        self._has_gateway = has_gateway
        self._previous: Sample | None = None
        self._load: Load | None = None
        self._error = ""
        self._wake = asyncio.Event()

    def compose(self) -> ComposeResult:
        """Show the widgets."""
        yield Static("", markup=False, id="head")
        yield StateLine()
        yield Input(self._filter_text, placeholder="filter", id="filter", select_on_focus=False)
        yield Table("buckets", _BUCKETS, key=lambda each: each.state.bucket, style=_style)
        yield Table("clients", _CLIENTS, key=lambda each: each.state.id)
        yield Table("operations", _OPERATIONS, key=lambda each: each.state.operation)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """Begin to take samples."""
        self._show_view()
        self.query_one("#buckets", Table).focus()
        self.show_state()
        self.run_worker(self._run(), exit_on_error=False)

    async def _run(self) -> None:
        while True:
            try:
                sample = await self._sampler.take()
            except Exception as error:  # noqa: BLE001 - shown; the next sample may succeed
                if self._load is None:
                    self.fail(error)
                    return
                self._error = message(error)
            else:
                self._error = ""
                self._load = load(self._previous, sample)
                self._previous = sample
                self._show()
            self.show_state()
            self._wake.clear()
            # The first rates soon; then at the interval.
            pause = self._interval if self._load.seconds else min(1.0, self._interval)
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                continue

    # -- the screen ----------------------------------------------------------------------

    def _show(self) -> None:
        if self._load is None or not self.is_shown:
            return
        shown = select(
            self._load.buckets, self._sort_key, self._filter_text, reverse=self._is_reversed
        )
        buckets = self.query_one("#buckets", Table)
        buckets.sorted_by = _TITLES[self._sort_key]
        note = "no bucket has this name" if self._load.buckets else "no buckets"
        buckets.show(shown, note=note)
        unknown = self._load.sample.clients is None
        note = "the server does not list connections" if unknown else "no clients"
        self.query_one("#clients", Table).show(self._load.clients, note=note)
        self.query_one("#operations", Table).show(self._load.operations, note="no requests yet")
        self.query_one("#head", Static).update("\n".join(text.headlines(self._load)))

    def show_state(self) -> None:
        """Show the connection, the interval, the order and the filter."""
        if not self.is_shown:
            return
        parts = [f"every {format_duration(self._interval)}"]
        order = "reversed, " if self._is_reversed else ""
        parts.append(f"by {order}{_TITLES[self._sort_key].lower()}")
        if self._filter_text:
            parts.append(f"filter {self._filter_text!r}")
        problem = self.connection_state or self._error
        usual = "   ".join(parts) if self._load else "reading ..."
        self.query_one(StateLine).show(problem, usual)

    def _show_view(self) -> None:
        self.query_one("#clients", Table).set_class(self._shows_operations, "hidden")
        self.query_one("#operations", Table).set_class(not self._shows_operations, "hidden")

    # -- keys ----------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Offer the operations of a gateway only if there is one."""
        return action != "view" or self._has_gateway

    def action_sort(self, step: int) -> None:
        """Sort by the next column, or the one before."""
        self._sort_key = SORT_KEYS[(SORT_KEYS.index(self._sort_key) + step) % len(SORT_KEYS)]
        self._show()
        self.show_state()

    def action_reverse(self) -> None:
        """Reverse the order."""
        self._is_reversed = not self._is_reversed
        self._show()
        self.show_state()

    def action_slower(self, step: int) -> None:
        """Sample less often, or more often."""
        near = min(_INTERVALS, key=lambda each: abs(each - self._interval))
        index = _INTERVALS.index(near) + step
        self._interval = _INTERVALS[max(0, min(index, len(_INTERVALS) - 1))]
        self._wake.set()
        self.show_state()

    def action_view(self) -> None:
        """Show the clients, or the operations of the gateway."""
        self._shows_operations = not self._shows_operations
        self._show_view()

    def action_filter(self) -> None:
        """Enter a filter."""
        box = self.query_one("#filter", Input)
        box.display = True
        box.focus()

    def action_clear_filter(self) -> None:
        """Show all buckets."""
        box = self.query_one("#filter", Input)
        box.value = ""
        box.display = False
        self.query_one("#buckets", Table).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while the text is entered."""
        self._filter_text = event.value
        self._show()
        self.show_state()

    def on_input_submitted(self) -> None:
        """Keep the filter."""
        self.query_one("#filter", Input).display = False
        self.query_one("#buckets", Table).focus()


def _style(each: BucketLoad) -> Style:
    is_idle = not each.writes and not each.growth
    return Style(dim=True) if is_idle and each.writes is not None else Style.null()
