"""A file that appears whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """A file beside `path` to write to, renamed to it if all goes well, else removed.

    A symbolic link is replaced, not what it leads to. Raises what `check_place` raises, and
    other `OSError`s.
    """
    check_target(path)
    with _report_path(path):
        # A hidden name, as others may be listing the folder meanwhile.
        handle, made = tempfile.mkstemp(dir=path.parent, prefix=".jetstow-", suffix=".part")
    beside = Path(made)
    try:
        with open(handle, "wb", buffering=0) as file:  # noqa: PTH123 - a handle, not a path
            yield file
        with _report_path(path):
            beside.chmod(mode_of(path))
            beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def check_target(path: Path) -> None:
    """Whether a file may take that place. Asked before anything is read.

    Raises `IsADirectoryError`, `FileNotFoundError` (no such folder), `FileExistsError` (a pipe
    or a device, which a file must not replace), `PermissionError` (a file that is
    write-protected), and other `OSError`s, such as for a name that is too long.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{str(path)!r} is a folder: name a file in it")
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise
        return
    if stat.S_ISLNK(mode):
        return
    if not stat.S_ISREG(mode):
        raise FileExistsError(f"{str(path)!r} is a pipe or a device: open it to write into it")
    # Renaming would replace it all the same, and the administrator may write to any file.
    if not mode & 0o222 or not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, "the file is write-protected", str(path))


@contextmanager
def _report_path(path: Path) -> Iterator[None]:
    """Errors name the file that was asked for, not the one beside it."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


def mode_of(path: Path) -> int:
    """The rights that the file has already, or those of any new file of this user."""
    with suppress(OSError):  # it is not there, or is a link that leads nowhere
        return path.stat().st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
