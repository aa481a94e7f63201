"""What the keys of `jetstow browse` do to objects: get, put, delete, undo, rename."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from jetstow.cli.browse import changes, transfers
from jetstow.cli.browse.changes import Deletion, PartlyDeletedError
from jetstow.cli.browse.rows import Row
from jetstow.cli.browse.transfers import Transfers
from jetstow.cli.errors import message
from jetstow.cli.parsers import Address
from jetstow.cli.render import format_count, format_size
from jetstow.cli.screen.dialogs import Confirm, Prompt

if TYPE_CHECKING:
    from jetstow import ObjectStore
    from jetstow.cli.screen.app import ScreenApp


class Operations:
    """Asks what is needed, and does it. `report` shows a message, and whether it is an error."""

    def __init__(self, app: ScreenApp, report: Callable[[str, bool], None]) -> None:
        self.transfers = Transfers(report)
        self._app = app
        self._report = report
        self._deletions: list[Deletion] = []

    async def get(self, store: ObjectStore, row: Row) -> None:
        """Read an object into a file, or a folder into a local one."""
        label = row.label.rstrip("/") if row.is_folder else row.label
        default = Address(store.bucket, label).file_name
        kind = "folder" if row.is_folder else "file"
        answer = await self._app.push_screen_wait(
            Prompt(
                f"Get {row.label} into {kind}",
                f"./{default}" if default else "./",
                is_path=True,
                warn=lambda text: _target_warning(text, default, is_folder=row.is_folder),
            )
        )
        if answer is None:
            return
        if row.is_folder:
            work = transfers.get_folder(store, row.name, _local(answer))
        else:
            work = transfers.get_object(store, row.name, _target(answer, default))
        self.transfers.start(f"get {row.label}", work)

    async def put(self, store: ObjectStore, prefix: str, names: Callable[[str], bool]) -> None:
        """Store a file or a folder. `names` returns whether an object has a name."""

        def warn(text: str) -> str:
            path = _local(text)
            if not path.exists():
                return f"{text} does not exist"
            if not path.is_dir() and names(prefix + path.name):
                return f"{prefix + path.name} exists: Enter replaces it"
            return ""

        target = Address(store.bucket, prefix)
        answer = await self._app.push_screen_wait(
            Prompt(f"Put a file or folder into {target}", "./", is_path=True, warn=warn)
        )
        if answer is not None:
            path = _local(answer)
            self.transfers.start(f"put {path.name}", transfers.put_path(store, path, prefix))

    async def delete(self, store: ObjectStore, row: Row) -> None:
        """Delete an object, or all objects in a folder, after a question."""
        try:
            infos = await changes.list_below(store, row.name, is_folder=row.is_folder)
            versioned = await changes.is_versioned(store)
            what = f"{row.name}"
            if row.is_folder:
                size = format_size(sum(info.size or 0 for info in infos))
                what = f"{format_count(len(infos), 'object')} ({size}) in {row.name}"
            detail = "They stay as versions: z undoes it." if versioned else "It cannot be undone."
            question = f"Delete {what} from bucket {store.bucket}?"
            if not infos or not await self._app.push_screen_wait(Confirm(question, detail)):
                return
            deletion = await changes.delete(
                store, infos, lambda done: self._report(f"deleted {done} of {len(infos)}", False)
            )
        except PartlyDeletedError as error:
            deletion = error.deletion
            self._report(message(error), True)
        except Exception as error:  # noqa: BLE001 - shown to the user
            self._report(message(error), True)
            return
        else:
            undo = "" if deletion is None else "; z undoes it"
            self._report(f"deleted {what}{undo}", False)
        if deletion is not None:
            self._deletions.append(deletion)

    async def undo(self) -> None:
        """Restore what was deleted last."""
        if not self._deletions:
            self._report("nothing to undo: only deletes in versioned buckets can be undone", True)
            return
        await self._try(self._deletions.pop().undo)

    async def rename(self, store: ObjectStore, row: Row) -> None:
        """Rename an object or a folder."""
        answer = await self._app.push_screen_wait(Prompt(f"Rename {row.name} to", row.name))
        if answer is not None and answer != row.name:
            await self._try(
                lambda: changes.rename(store, row.name, answer, is_folder=row.is_folder)
            )

    async def _try(self, work: Callable[[], Awaitable[str]]) -> None:
        try:
            self._report(await work(), False)
        except Exception as error:  # noqa: BLE001 - shown to the user
            self._report(message(error), True)


def _local(text: str) -> Path:
    return Path(text).expanduser()


def _target(text: str, name: str) -> Path:
    """Return the file to write: one in the folder, if the text is that of a folder."""
    path = _local(text)
    return path / name if text.endswith("/") or path.is_dir() else path


def _target_warning(text: str, name: str, *, is_folder: bool) -> str:
    """Return a warning if something is there already, or if there is no valid name."""
    path = _local(text)
    if is_folder:
        return f"{text} exists: Enter adds to it" if path.is_dir() and any(path.iterdir()) else ""
    path = _target(text, name)
    if path.is_dir():
        return f"{text} is a folder: enter the name of the file"
    return f"{path} exists: Enter replaces it" if path.exists() else ""
