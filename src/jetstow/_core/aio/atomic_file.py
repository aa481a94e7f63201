"""Atomic creation of a file: write a temporary file, and rename it."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from jetstow.errors import JetstowError

# The errors of a write to a local file: the disk, the quota or the largest file size is reached,
# the disk is damaged, or it became read-only.
_DISK_ERRORS: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}


@contextmanager
def atomic_file(path: Path, *, sets_mode: bool = False) -> Iterator[BinaryIO]:
    """Open a temporary file in the folder of `path`; rename it to `path`, or remove it on error.

    A symbolic link at `path` is replaced, not followed. The file gets the mode of the existing one,
    or that of a new file, unless the caller sets it (`sets_mode`).

    Raises: what `check_target` raises, and other `OSError`s.
    """
    check_target(path)
    with _report_path(path):
        # A hidden name: another process may list the folder before the file is complete.
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".jetstow-", suffix=".part")
    temporary = Path(name)
    try:
        with (
            report_disk_errors(path),
            open(descriptor, "wb", buffering=0) as file,  # noqa: PTH123 - not a path
        ):
            yield file
        with _report_path(path):
            if not sets_mode:
                temporary.chmod(mode_of(path))
            temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, asyncio.CancelledError):
            error.add_note(f"{str(path)!r} was not written")
        raise


def check_target(path: Path) -> None:
    """Check that a file can be created at `path`, before anything is downloaded.

    Raises: `IsADirectoryError`, `FileNotFoundError` (the folder does not exist), `FileExistsError`
    (a pipe or a device, which a file must not replace), `PermissionError` (the existing file is
    write-protected), and other `OSError`s, such as for a name that is too long.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{str(path)!r} is a directory: add a file name")
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
    # A rename would replace a write-protected file, and for root `os.access` is always true.
    if not mode & 0o222 or not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, "the file is write-protected", str(path))


@contextmanager
def _report_path(path: Path) -> Iterator[None]:
    """Make errors name the target, not the temporary file."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


@contextmanager
def report_disk_errors(path: Path) -> Iterator[None]:
    """Make errors of writing a file name it: the operating system reports only a descriptor.

    Errors of the server and of the connection, which may be raised while a file is written, are
    unchanged.
    """
    try:
        yield
    except OSError as error:
        is_disk_error = error.errno in _DISK_ERRORS and not isinstance(error, JetstowError)
        if is_disk_error and error.filename is None:
            error.filename = str(path)
        raise


def mode_of(path: Path) -> int:
    """Return the mode of the existing file, or that of a new file under the user's umask."""
    with suppress(OSError):  # it does not exist, or it is a dangling link
        return path.stat().st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
