"""The work of cp and mv: a list of copies between files and buckets, run one after the other."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

from jetstow.cli import locations
from jetstow.cli.errors import UNREACHABLE, CliError, UsageError, exit_code
from jetstow.cli.json_data import object_data
from jetstow.cli.locations import InvalidFileNameError, LocalPath, Location
from jetstow.cli.parsers import Address
from jetstow.cli.render import Result, format_size, printable
from jetstow.cli.session import Session

if TYPE_CHECKING:
    from jetstow import ObjectInfo

    Progress = Callable[[int, int | None], None] | None


async def run(
    session: Session, sources: list[str], target: str, recursive: bool, *, move: bool
) -> AsyncGenerator[Result, None]:
    """Copy or move each source; yield a result for each.

    A file or object that fails is reported, and the others are copied. A single source that is no
    folder raises its error. Wrong usage is an error before anything is copied.
    """
    destination = locations.parse(target)
    parsed = [locations.parse(text) for text in sources]
    if isinstance(destination, LocalPath) and any(
        isinstance(source, LocalPath) for source in parsed
    ):
        raise UsageError("source and target are both files: one must be BUCKET/NAME")
    if not destination.is_folder and (len(parsed) > 1 or recursive):
        raise UsageError(
            f"more than one source needs a folder: end {str(destination)!r} in a slash"
        )
    is_single = len(parsed) == 1 and not recursive
    steps, failures = await plan(session, parsed, destination, recursive)
    for error in failures:
        if is_single:
            raise error
        session.report(error)
    for step in steps:
        try:
            label = step.source.basename or str(step.source)
            with locations.suggest_file(*sources, target), session.progress(label) as bar:
                info = await (step.move if move else step.copy)(session, bar)
        except Exception as error:
            if is_single or exit_code(error) == UNREACHABLE:
                raise
            session.report(error)
        else:
            yield step.result(info, move=move)


@dataclass(frozen=True)
class CopyStep:
    """A copy of one file or object. Source or target, or both, are in a bucket."""

    source: Location
    target: Location

    async def copy(self, session: Session, bar: Progress) -> ObjectInfo:
        """Copy the source to the target. Return the object's info."""
        if isinstance(self.source, LocalPath):
            assert isinstance(self.target, Address), "source or target is in a bucket"
            store = await session.store(self.target.bucket)
            return await store.put_file(self.source.path, self.target.name, progress=bar)
        store = await session.store(self.source.bucket)
        if isinstance(self.target, LocalPath):
            await to_thread.run_sync(_make_parents, self.target.path)
            return await store.get_file(self.source.name, self.target.path, progress=bar)
        to = await session.store(self.target.bucket)
        return await store.copy(self.source.name, self.target.name, to=to, progress=bar)

    async def move(self, session: Session, bar: Progress) -> ObjectInfo:
        """Copy, then delete the source unless it has changed. Within a bucket: rename."""
        if isinstance(self.source, LocalPath):
            before = _file_version(self.source.path)
            info = await self.copy(session, bar)
            await to_thread.run_sync(_delete_file, self.source.path, before)
            return info
        store = await session.store(self.source.bucket)
        if isinstance(self.target, Address) and self.target.bucket == self.source.bucket:
            if self.target == self.source:
                raise UsageError(f"{str(self.source)!r} is both source and target")
            return await store.rename(self.source.name, self.target.name)
        revision = (await store.get_info(self.source.name)).revision
        info = await self.copy(session, bar)
        await store.delete(self.source.name, expected_revision=revision)
        return info

    def result(self, info: ObjectInfo, *, move: bool) -> Result:
        """Return what the command prints after this step."""
        source, target = str(self.source), str(self.target)
        line = f"{'moved' if move else 'copied'} {printable(source)} to {printable(target)}"
        if not move:
            line += f" ({format_size(info.size or 0)})"
        return Result(object_data(info) | {"source": source, "target": target}, notices=[line])


def _make_parents(path: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)


def _file_version(path: str) -> tuple[int, int, int]:
    status = os.stat(path)  # noqa: PTH116
    return status.st_ino, status.st_size, status.st_mtime_ns


def _delete_file(path: str, version: tuple[int, int, int]) -> None:
    if _file_version(path) != version:
        raise _FileChangedError(f"{path!r} has changed since it was copied: it is not deleted")
    Path(path).unlink()


class _FileChangedError(CliError, FileExistsError):
    """A `FileExistsError` for its exit code."""


async def plan(
    session: Session, sources: list[Location], target: Location, recursive: bool
) -> tuple[list[CopyStep], list[Exception]]:
    """Return a step for each file and object, and the errors of those that cannot be copied.

    Raises: `UsageError` (a folder without `recursive`, or two sources with the same target), and
    errors of the connection.
    """
    steps: list[CopyStep] = []
    failures: list[Exception] = []
    targets: set[str] = set()
    for source in sources:
        try:
            if isinstance(source, LocalPath):
                items, unreadable = await to_thread.run_sync(_files, source, recursive)
                failures += unreadable
            else:
                with locations.suggest_file(str(source)):
                    to_files = isinstance(target, LocalPath)
                    items, bad = await _objects(session, source, recursive, to_files)
                    failures += bad
        except FileNotFoundError as error:
            failures.append(error)
            continue
        for item, relative in items:
            try:
                item_target = target.join(relative)
            except InvalidFileNameError as error:
                failures.append(InvalidFileNameError(f"{str(item)!r} cannot be copied: {error}"))
                continue
            if str(item_target) in targets:
                raise UsageError(f"two sources have the same target: {str(item_target)!r}")
            targets.add(str(item_target))
            steps.append(CopyStep(item, item_target))
    return steps, failures


def _files(source: LocalPath, recursive: bool) -> tuple[list[tuple[Location, str]], list[OSError]]:
    """Return files with their paths relative to the target, and the errors of unreadable folders.

    Raises: `FileNotFoundError`, `UsageError`.
    """
    path = Path(source.path)
    if not path.is_dir():
        if not path.exists():
            raise FileNotFoundError(2, os.strerror(2), source.path)
        return [(source, source.basename)], []
    if not recursive:
        raise UsageError(f"{source.path!r} is a folder: add --recursive")
    prefix = f"{source.basename}/" if source.basename not in {"", ".."} else ""
    files: list[tuple[Location, str]] = []
    unreadable: list[OSError] = []
    for folder, _, names in os.walk(path, onerror=unreadable.append):
        for name in sorted(names):
            file = Path(folder) / name
            if file.is_file():
                files.append((LocalPath(str(file)), prefix + file.relative_to(path).as_posix()))
    return sorted(files, key=lambda pair: pair[1]), unreadable


async def _objects(
    session: Session, source: Address, recursive: bool, to_files: bool
) -> tuple[list[tuple[Location, str]], Sequence[Exception]]:
    """Return objects with their names relative to the target, and the errors of unreadable ones.

    An empty object with a slash at its end, which marks a folder, is no file.
    """
    store = await session.store(source.bucket)
    if not recursive:
        if source.is_folder:
            raise UsageError(f"{str(source)!r} is a folder: add --recursive")
        return [(source, source.basename)], []
    prefix = source.name
    infos, unreadable = await store._list_all(prefix)  # noqa: SLF001
    names = sorted(
        info.name for info in infos if not (to_files and info.name.endswith("/") and not info.size)
    )
    cut = len(prefix)
    if prefix and not prefix.endswith("/"):
        if prefix in names:
            return [(source, source.basename)], []
        cut -= len(source.basename)
        prefix += "/"
    names = [name for name in names if name.startswith(prefix)]
    # Those in the folder, or the source itself.
    errors = [error for error in unreadable if f"{error.name}/".startswith(prefix)]
    if not names and not errors:
        raise FileNotFoundError(f"no objects in {str(source)!r}")
    return [(Address(source.bucket, name), name[cut:]) for name in names], errors
