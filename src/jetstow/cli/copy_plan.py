"""One file or object on its way to another place: what there is to take, and how it goes."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

from jetstow.cli.errors import Told, WrongUsage
from jetstow.cli.locations import Local, Place
from jetstow.cli.parsers import Address
from jetstow.cli.session import Session

if TYPE_CHECKING:
    from jetstow import ObjectInfo

    Bar = Callable[[int, int | None], None] | None


@dataclass(frozen=True)
class Transfer:
    """From a place to another one; one of them at least is in a bucket."""

    source: Place
    target: Place

    async def copy(self, session: Session, bar: Bar) -> ObjectInfo:
        """Let the target be what the source is; return what the bucket says of it."""
        if isinstance(self.source, Local):
            assert isinstance(self.target, Address), "one of them is in a bucket"
            store = await session.store(self.target.bucket)
            return await store.put_file(self.source.path, self.target.name, progress=bar)
        store = await session.store(self.source.bucket)
        if isinstance(self.target, Local):
            await to_thread.run_sync(_make_folder, self.target.path)
            return await store.get_file(self.source.name, self.target.path, progress=bar)
        to = await session.store(self.target.bucket)
        return await store.copy(self.source.name, self.target.name, to=to, progress=bar)

    async def move(self, session: Session, bar: Bar) -> ObjectInfo:
        """The same, and take the source away, unless somebody has changed it meanwhile."""
        if isinstance(self.source, Local):
            before = _identity(self.source.path)
            info = await self.copy(session, bar)
            await to_thread.run_sync(_take_away, self.source.path, before)
            return info
        store = await session.store(self.source.bucket)
        if isinstance(self.target, Address) and self.target.bucket == self.source.bucket:
            if self.target == self.source:
                raise WrongUsage(f"{str(self.source)!r} needs another name than its own")
            meta = (await store.get_info(self.source.name)).meta
            meta.name = self.target.name
            return await store.update_meta(self.source.name, meta)
        revision = (await store.get_info(self.source.name)).revision
        info = await self.copy(session, bar)
        await store.delete(self.source.name, expected_revision=revision)
        return info


def _make_folder(path: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)


def _identity(path: str) -> tuple[int, int, int]:
    status = os.stat(path)  # noqa: PTH116 - as the user wrote it
    return status.st_ino, status.st_size, status.st_mtime_ns


def _take_away(path: str, before: tuple[int, int, int]) -> None:
    if _identity(path) != before:
        raise _ChangedError(f"{path!r} was changed meanwhile, and stays")
    Path(path).unlink()


class _ChangedError(Told, FileExistsError):
    """With the exit code of what exists already."""


async def planned(
    session: Session, sources: list[Place], target: Place, recursive: bool
) -> AsyncGenerator[Transfer, None]:
    """Everything that is to be taken. Raises `WrongUsage` for a folder that was not asked for."""
    seen: set[str] = set()
    for source in sources:
        found = _files(source, recursive) if isinstance(source, Local) else None
        pairs = found if found is not None else await _objects(session, source, recursive)
        for each, relative in pairs:
            goal = target.under(relative)
            if str(goal) in seen:
                raise WrongUsage(f"two of the sources would become {str(goal)!r}")
            seen.add(str(goal))
            yield Transfer(each, goal)


def _files(source: Local, recursive: bool) -> list[tuple[Place, str]]:
    path = Path(source.path)
    if not path.is_dir():
        if not path.exists():
            raise FileNotFoundError(2, os.strerror(2), source.path)
        return [(source, source.base)]
    if not recursive:
        raise WrongUsage(f"{source.path!r} is a folder: --recursive takes what is in it")
    begin = f"{source.base}/" if source.base not in {"", ".."} else ""
    found: list[tuple[Place, str]] = []
    for folder, _, names in os.walk(path):
        for name in sorted(names):
            file = Path(folder) / name
            if file.is_file():
                found.append((Local(str(file)), begin + file.relative_to(path).as_posix()))
    return sorted(found, key=lambda pair: pair[1])


async def _objects(session: Session, source: Place, recursive: bool) -> list[tuple[Place, str]]:
    assert isinstance(source, Address), "what is no file is an object"
    store = await session.store(source.bucket)
    if not recursive:
        if not source.name or source.name.endswith("/"):
            raise WrongUsage(f"{str(source)!r} is no object: --recursive takes what is in it")
        return [(source, source.base)]
    prefix = source.name
    found = sorted([info.name async for info in store.list() if info.name.startswith(prefix)])
    cut = len(prefix)
    if prefix and not prefix.endswith("/"):
        if prefix in found:
            return [(source, source.base)]
        cut -= len(source.base)
        prefix += "/"
    names = [name for name in found if name.startswith(prefix)]
    if not names:
        raise FileNotFoundError(f"there is nothing in {str(source)!r}")
    return [(Address(source.bucket, name), name[cut:]) for name in names]
