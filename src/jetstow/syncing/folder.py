"""A folder's files: found, compared, read, and written nowhere else."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Final

from anyio import to_thread

from jetstow.copies import canonical
from jetstow.errors import InvalidObjectNameError, ObjectChangedError
from jetstow.models import ObjectInfo

_BLOCK: Final = 1024 * 1024


def files(folder: Path) -> Iterator[tuple[str, Path, os.stat_result]]:
    """The regular files below a folder, by their names with slashes. No link is followed."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(place) / name
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(folder).as_posix(), path, path.stat()


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


def is_same(path: Path, status: os.stat_result, info: ObjectInfo) -> bool:
    """Whether a file has an object's bytes. Of an encrypted one, size and time have to do."""
    if status.st_size != (info.size or 0):
        return False
    if info.encrypted:
        return info.modified is not None and status.st_mtime <= info.modified.timestamp()
    return canonical(info.digest or "") == canonical(_digest(path))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").digest()
    return "SHA-256=" + base64.urlsafe_b64encode(found).decode()


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
