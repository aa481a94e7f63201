"""The panes with the metadata and the first bytes of the selected object."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from textual.app import ComposeResult
from textual.containers import Container

from jetstow.cli.browse.preview import FORMS, Form, Preview, read_preview
from jetstow.cli.browse.rows import Row
from jetstow.cli.errors import message
from jetstow.cli.render import printable
from jetstow.cli.screen.pane import TextPane
from jetstow.cli.tables import bucket_details, object_details

if TYPE_CHECKING:
    from jetstow import BucketStatus, ObjectStore

# How long the cursor stays on a row before its object is read, in seconds.
_DELAY: Final = 0.12


class Details(Container):
    """Two panes: metadata and preview. In a narrow terminal, one of them is shown."""

    def __init__(self) -> None:
        super().__init__(id="details")
        self._info = TextPane("info")
        self._preview = TextPane("preview")
        self._content: Preview | None = None
        self._form: Form = "text"

    def compose(self) -> ComposeResult:
        """Show the panes."""
        yield self._info
        yield self._preview

    def clear(self) -> None:
        """Show nothing."""
        self._content = None
        self._info.show("Metadata", [])
        self._preview.show("Preview", [])

    def show_row(
        self,
        row: Row,
        open_store: Callable[[], Awaitable[ObjectStore]],
        statuses: dict[str, BucketStatus],
    ) -> None:
        """Show a row. What is read for an earlier one is dropped."""
        if row.is_bucket:
            self.clear()
            if (status := statuses.get(row.name)) is not None:
                self._info.show("Bucket", [*bucket_details(status).lines])
                self._preview.show("Bucket", [*bucket_details(status).lines])
        elif row.is_folder:
            self.clear()
            self._info.show("Folder", [printable(row.name)])
            self._preview.show("Folder", [printable(row.name)])
        else:
            self.run_worker(
                self._read(row.name, open_store),
                group="details",
                exclusive=True,
                exit_on_error=False,
            )
            return
        self.workers.cancel_group(self, "details")

    async def _read(self, name: str, open_store: Callable[[], Awaitable[ObjectStore]]) -> None:
        await asyncio.sleep(_DELAY)
        try:
            store = await open_store()
            info = await store.get_info(name)
            self._info.show("Metadata", [*object_details(info).lines])
            self._content = await read_preview(store, info)
        except Exception as error:  # noqa: BLE001 - any: damaged, encrypted, deleted since
            self._content = None
            self._preview.show("Preview", [message(error)])
            return
        self._form = self._content.form
        self._show_content()

    def _show_content(self) -> None:
        if self._content is not None:
            self._preview.show(
                self._content.title(self._form),
                self._content.lines(self._form, self._preview.size.width - 1),
            )

    def next_form(self) -> None:
        """Show the bytes in the next form: text, JSON, hex."""
        self._form = FORMS[(FORMS.index(self._form) + 1) % len(FORMS)]
        self._show_content()
