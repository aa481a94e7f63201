"""Transfers between buckets and files, with their progress."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from jetstow._core.aio.background import stop
from jetstow.cli.errors import message
from jetstow.cli.render import format_count, format_size

if TYPE_CHECKING:
    from jetstow import ObjectStore
    from jetstow.types import Progress, SyncResult

# A transfer with its `progress` callback; it returns what it did.
Work: TypeAlias = "Callable[[Progress], Awaitable[str]]"


@dataclass(eq=False)
class Transfer:
    """A transfer in progress. `done` and `size` are in bytes; the size may be unknown."""

    label: str
    task: asyncio.Task[None] | None = None
    done: int = 0
    size: int | None = None
    started: float = field(default_factory=time.monotonic)

    @property
    def status(self) -> str:
        """How far it is: 12.0 MiB of 40.0 MiB (30%), 8.1 MiB/s."""
        seconds = max(0.001, time.monotonic() - self.started)
        total = f" of {format_size(self.size)} ({self.done / self.size:.0%})" if self.size else ""
        return f"{format_size(self.done)}{total}, {format_size(int(self.done / seconds))}/s"


class Transfers:
    """Runs transfers; each reports its end by `on_end` with a message and whether it failed."""

    def __init__(self, on_end: Callable[[str, bool], None]) -> None:
        self.active: list[Transfer] = []
        self._on_end = on_end

    def start(self, label: str, work: Work) -> None:
        """Start a transfer."""
        transfer = Transfer(label)

        def report(done: int, size: int | None) -> None:
            transfer.done, transfer.size = done, size or transfer.size

        async def run() -> None:
            try:
                self._on_end(await work(report), False)
            except asyncio.CancelledError:
                self._on_end(f"{label}: cancelled", True)
            except Exception as error:  # noqa: BLE001 - shown to the user
                self._on_end(f"{label}: {message(error)}", True)
            finally:
                self.active.remove(transfer)

        transfer.task = asyncio.create_task(run(), name=f"transfer {label}")
        self.active.append(transfer)

    def cancel(self) -> None:
        """Cancel the transfer that was started last."""
        if self.active and (task := self.active[-1].task) is not None:
            task.cancel()

    async def close(self) -> None:
        """Cancel all transfers, and wait for their ends."""
        await stop(*(each.task for each in self.active if each.task is not None))


# -- the work ----------------------------------------------------------------------------


def get_object(store: ObjectStore, name: str, path: Path) -> Work:
    """Return the work that reads an object into a file."""

    async def work(progress: Progress) -> str:
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
        info = await store.get_file(name, path, progress=progress)
        return f"{path}: {format_size(info.size or 0)} from {name}, verified"

    return work


def get_folder(store: ObjectStore, prefix: str, path: Path) -> Work:
    """Return the work that reads all objects with a prefix into a folder."""

    async def work(progress: Progress) -> str:
        import jetstow

        await asyncio.to_thread(path.mkdir, parents=True, exist_ok=True)
        result = await jetstow.download_folder(store, path, prefix, progress=progress)
        return f"{path}/: {_summary(result, 'file')}"

    return work


def put_path(store: ObjectStore, path: Path, prefix: str) -> Work:
    """Return the work that stores a file, or a folder with everything in it, below a prefix."""

    async def work(progress: Progress) -> str:
        import jetstow

        if await asyncio.to_thread(path.is_dir):
            target = f"{prefix}{(await asyncio.to_thread(path.resolve)).name}/"
            result = await jetstow.upload_folder(path, store, target, progress=progress)
            return f"{target}: {_summary(result, 'object')}"
        info = await store.put_file(path, prefix + path.name, progress=progress)
        return f"{info.name}: {format_size(info.size or 0)} stored"

    return work


def _summary(result: SyncResult, noun: str) -> str:
    """Return what a copy of a folder did. Raises: `FailedError`."""
    text = f"{format_count(len(result.copied), noun)} ({format_size(result.size)}) copied"
    if unchanged := len(result.unchanged) + len(result.updated):
        text += f", {unchanged} unchanged"
    if result.skipped:
        text += f", {len(result.skipped)} skipped"
    if result.failed:
        first = message(result.failed[0])
        raise FailedError(f"{text}, {len(result.failed)} failed, the first: {first}")
    return text


class FailedError(Exception):
    """A part of a folder could not be copied."""
