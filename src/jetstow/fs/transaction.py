"""Transactions: all changes to objects take effect at the end, or none after an exception.

Bytes are uploaded when they are written. The end publishes only metadata, removes and renames:
one message each, in an order that keeps dependent changes apart. NATS has no transaction over
several subjects of a bucket, so other clients may see the changes one by one.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Self

import fsspec.transaction
from fsspec.asyn import _run_coros_in_chunks, sync

from jetstow._core.aio.cancellation import uncancelled
from jetstow.errors import ConnectionLostError
from jetstow.fs.files import WriteFile

if TYPE_CHECKING:
    import jetstow
    from jetstow.fs.base import FileSystemBase

_log = logging.getLogger("jetstow.fs")

Action = Callable[[], Coroutine[Any, Any, None]]


class Kind(IntEnum):
    """What a change does. Changes that do not depend on each other are made in this order."""

    GUARDED_UPLOAD = 0  # it fails if another client was faster: then nothing has been changed
    UPLOAD = 1
    COPY = 2
    MOVE = 3
    REMOVAL = 4
    BUCKET_REMOVAL = 5


@dataclass
class Change:
    """A change to `target`; a copy or a move also depends on `source`. Both are paths."""

    kind: Kind
    target: str
    commit: Action
    discard: Action | None = None
    source: str | None = None


class Transaction(fsspec.transaction.Transaction):
    """The changes of a file system between `start` and `complete`.

    Use `with fs.transaction`, or `async with` if the file system is asynchronous.
    """

    _is_open: bool

    def __init__(self, fs: FileSystemBase, **_: Any) -> None:
        super().__init__(fs)
        self.fs: Any = fs  # None at the end
        self._reset()

    def start(self) -> None:
        """Start to collect changes.

        Raises: `RuntimeError` (the transaction is open).
        """
        if self._is_open:
            raise RuntimeError(
                "this file system is in a transaction: complete it first, or use another instance "
                "(skip_instance_cache=True)"
            )
        self._reset()
        self._is_open = True
        self.fs.enter_transaction()

    def _reset(self) -> None:
        self._is_open = False
        # fsspec appends the files that `open` returns.
        self.files: list[WriteFile | Change] = []
        self._created: list[Action] = []
        self._states: dict[str, bool | WriteFile] = {}
        self._indexed = 0
        self._pid = os.getpid()

    def add(self, change: Change) -> None:
        """Add a change."""
        self.files.append(change)

    def add_upload(self, path: str, writer: jetstow.ObjectWriter, *, guarded: bool) -> None:
        """Add an object whose bytes have been written."""
        fs = self.fs
        kind = Kind.GUARDED_UPLOAD if guarded else Kind.UPLOAD
        self.add(Change(kind, path, lambda: fs.end_write(writer), writer.abort))

    def undo_with(self, undo: Action) -> None:
        """Add what `complete` calls if nothing is committed."""
        self._created.append(undo)

    def exists(self, path: str) -> bool | None:
        """Return whether an object exists after the changes so far; None if they do not say."""
        for item in self.files[self._indexed :]:
            if isinstance(item, WriteFile):
                self._states[item.path] = item
                continue
            if item.kind is Kind.MOVE and item.source is not None:
                self._states[item.source] = False
            if item.kind is Kind.BUCKET_REMOVAL:
                inside = [path for path in self._states if path.startswith(f"{item.target}/")]
                self._states |= dict.fromkeys(inside, False)
            self._states[item.target] = item.kind < Kind.REMOVAL
        self._indexed = len(self.files)
        bucket = path.partition("/")[0]
        state = self._states.get(path, self._states.get(bucket))
        if isinstance(state, WriteFile):
            return None if state.is_discarded else True
        return state

    def paths_in(self, folder: str) -> list[str]:
        """Return the paths in a folder that exist after the changes so far."""
        self.exists(folder)
        return [p for p in self._states if p.startswith(f"{folder}/") and self.exists(p)]

    def complete(self, commit: bool = True) -> None:
        """Make all changes, or discard them.

        Raises: `ConnectionLostError` (the transaction belongs to another process), and the errors
        of the changes, with a note that names those that were made.
        """
        self._check_blocking()
        fs, items = self._end()
        changes, error = [], None
        for item in items:
            try:
                change = _finish_file(fs, item, commit=commit and error is None)
            except Exception as failure:  # noqa: BLE001 - raised once the rest is discarded
                error = error or failure
            else:
                changes += [] if change is None else [change]
        sync(fs.loop, self._complete, fs, changes, commit and error is None)
        if error is not None:
            raise error

    def __enter__(self) -> Self:
        self._check_blocking()
        self.start()
        return self

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        fs, items = self._end()
        await self._complete(fs, [item for item in items if isinstance(item, Change)], kind is None)

    def _check_blocking(self) -> None:
        if self.fs.asynchronous:
            raise RuntimeError("this file system is asynchronous: use `async with fs.transaction`")

    def _end(self) -> tuple[Any, list[WriteFile | Change]]:
        fs, items = self.fs, self.files
        if self._pid != os.getpid():
            # A forked child has a copy: its own changes were made at once.
            self.fs, self.files = None, []
            if not items:
                return fs, []
            raise ConnectionLostError(
                f"the transaction was started by process {self._pid}, which completes it: "
                "start another one in this process"
            )
        self.fs, self.files, self._is_open = None, [], False
        fs.leave_transaction()
        return fs, items

    async def _complete(self, fs: Any, changes: list[Change], commit: bool) -> None:
        done: list[Change] = []
        try:
            for group in plan(changes) if commit else ():
                await _commit(fs, group, done)
        except BaseException as error:
            error.add_note(_note(done, changes))
            raise
        finally:
            made = {id(change) for change in done}
            await _discard([change for change in changes if id(change) not in made])
            if not commit:
                await _run_quietly(reversed(self._created))


def plan(changes: Iterable[Change]) -> list[list[Change]]:
    """Return the changes in groups, to make one group after another.

    The changes of a group do not depend on each other. Changes that later ones replace are left
    out.
    """
    kept: dict[int, Change] = {}
    replaceable: dict[str, int] = {}
    for number, change in enumerate(changes):
        if (earlier := replaceable.pop(change.target, None)) is not None:
            del kept[earlier]
        if change.source is None:
            replaceable[change.target] = number
        else:
            replaceable.pop(change.source, None)
        kept[number] = change
    levels: dict[str, int] = {}
    groups: dict[tuple[bool, int, Kind], list[Change]] = {}
    for change in kept.values():
        paths = [change.target] if change.source is None else [change.target, change.source]
        level = 1 + max(levels.get(path, -1) for path in paths)
        levels |= dict.fromkeys(paths, level)
        is_last = change.kind is Kind.BUCKET_REMOVAL
        groups.setdefault((is_last, level, change.kind), []).append(change)
    return [groups[key] for key in sorted(groups)]


async def _commit(fs: Any, group: list[Change], done: list[Change]) -> None:
    results = await _run_coros_in_chunks(
        [change.commit() for change in group],
        batch_size=fs.batch_size,
        return_exceptions=True,
        nofiles=True,
    )
    errors = [result for result in results if isinstance(result, BaseException)]
    done += [change for change, result in zip(group, results, strict=True) if result not in errors]
    if errors:
        raise errors[0]


async def _discard(changes: Iterable[Change]) -> None:
    actions = [change.discard for change in changes if change.discard is not None]
    await uncancelled(_run_quietly(actions))


async def _run_quietly(actions: Iterable[Action]) -> None:
    """Run all actions, whatever they raise: another error is on its way to the caller."""
    for action in actions:
        try:
            await action()
        except Exception as error:  # noqa: BLE001 - logged
            _log.warning("a discarded transaction may have left chunks: %s", error)


def _finish_file(fs: Any, item: WriteFile | Change, *, commit: bool) -> Change | None:
    """Close a file and return the upload, or discard it and return None."""
    if isinstance(item, Change):
        return item
    if not commit:
        item.discard()
        return None
    writer = item.take_writer()
    if writer is None:
        return None
    kind = Kind.UPLOAD if item.mode == "wb" else Kind.GUARDED_UPLOAD
    return Change(kind, item.path, lambda: fs.end_write(writer), writer.abort)


def _note(done: list[Change], changes: list[Change]) -> str:
    if not done:
        return "The transaction failed before its first change: nothing was changed."
    names = ", ".join(_names(done))
    return (
        f"The transaction failed after {len(done)} of {len(changes)} changes. These were made and "
        f"stay: {names}. The others were discarded."
    )


def _names(changes: list[Change]) -> Iterator[str]:
    for change in changes[:10]:
        removed = "removed " if change.kind >= Kind.REMOVAL else ""
        moved = f"{change.source} to " if change.source is not None else ""
        yield f"{removed}{moved}{change.target}"
    if len(changes) > 10:
        yield "..."
