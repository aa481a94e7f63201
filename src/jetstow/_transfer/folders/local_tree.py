"""A folder's files: found, compared, read, and written nowhere else."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from anyio import to_thread

from jetstow._transfer.plan import canonical, written
from jetstow.errors import InvalidObjectNameError, ObjectChangedError
from jetstow.models import ObjectInfo

_BLOCK: Final = 1024 * 1024

# Times of files and objects are the same if they differ by less, in seconds.
_TICK: Final = 0.00001


@dataclass
class Contents:
    """What is below a folder, by names with slashes: its files, what is none, and what could not
    be read; a name of the last may be a folder's, which ends in a slash.
    """

    files: list[tuple[str, Path, os.stat_result]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    unread: dict[str, OSError] = field(default_factory=dict)

    def may_have(self, name: str) -> bool:
        """Whether something of that name may be there, though it is no file that was found."""
        return name in self.others or any(
            name == each or (each.endswith("/") and name.startswith(each)) for each in self.unread
        )


def contents(folder: Path) -> Contents:
    """Everything below a folder. No symbolic link is followed."""
    found = Contents()

    def note(error: OSError) -> None:
        where = Path(error.filename).relative_to(folder).as_posix()
        found.unread["" if where == "." else f"{where}/"] = error

    for place, folders, names in os.walk(folder, onerror=note):
        linked = [each for each in folders if (Path(place) / each).is_symlink()]
        for name in [*names, *linked]:
            path = Path(place) / name
            told = path.relative_to(folder).as_posix()
            try:
                status = path.lstat()
            except OSError as error:
                found.unread[told] = error
                continue
            if stat.S_ISREG(status.st_mode):
                found.files.append((told, path, status))
            else:
                found.others.append(told)
    found.files.sort(key=lambda each: each[0])
    return found


def path_of(folder: Path, name: str, bucket: str) -> Path:
    """Where an object's file is to be. Raises `InvalidObjectNameError` for no place in there."""
    parts = name.split("/")
    path = folder.joinpath(*parts)
    hostile = any(
        part in {"", ".", ".."} or "\\" in part or not part.isprintable() for part in parts
    )
    above = [
        parent for parent in path.parents if parent.is_relative_to(folder) and parent != folder
    ]
    if hostile or any(parent.is_symlink() for parent in above):
        raise InvalidObjectNameError(
            f"object {name!r} in bucket {bucket!r} has no place in folder {str(folder)!r}",
            bucket=bucket,
            name=name,
        )
    return path


def digest_of(path: Path) -> str:
    """A file's SHA-256, as objects have it."""
    with path.open("rb") as file:
        return written(hashlib.file_digest(file, "sha256").digest())


def is_same(path: Path, info: ObjectInfo) -> bool:
    """Whether a file is there that has an object's bytes.

    Of an encrypted object nobody knows the plain bytes' digest: the file must have its time,
    which those have that were written by `download`.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(status.st_mode) or status.st_size != (info.size or 0):
        return False
    if info.encrypted:
        moment = info.modified
        return moment is not None and abs(status.st_mtime - moment.timestamp()) < _TICK
    return canonical(info.digest or "") == canonical(digest_of(path))


async def pieces(path: Path, name: str) -> AsyncGenerator[bytes, None]:
    """A file's bytes. One that changes meanwhile is an error at their end, before they have a
    name.
    """
    with await to_thread.run_sync(lambda: path.open("rb", buffering=0)) as file:
        before = _identity(os.fstat(file.fileno()))
        while block := await to_thread.run_sync(file.read, _BLOCK):
            yield block
        if _identity(os.fstat(file.fileno())) != before:
            raise ObjectChangedError(f"file {str(path)!r} changed while it was read", name=name)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns


def date(path: Path, info: ObjectInfo) -> None:
    """Let a file be as old as its object."""
    if info.modified is not None:
        moment = info.modified.timestamp()
        os.utime(path, (moment, moment))


def remove(path: Path, folder: Path) -> None:
    """Remove a file, and the folders that are empty without it."""
    path.unlink()
    for parent in path.parents:
        if parent == folder or not parent.is_relative_to(folder) or any(parent.iterdir()):
            return
        parent.rmdir()
