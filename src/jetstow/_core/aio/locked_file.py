"""A file that one task of one process uses at a time.

The lock is `flock`, which ends with its process. On Windows, and on file systems without locks,
files are not locked.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

if sys.platform != "win32":
    import fcntl

# O_NOFOLLOW: another user may have put a symbolic link in place of the file.
_FLAGS: Final = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


@contextmanager
def locked_file(path: Path, in_use: str) -> Iterator[BinaryIO]:
    """Open a file to read and write it, and lock it. Create it if it does not exist.

    Raises: `BlockingIOError` with the message `in_use`, and other `OSError`s.
    """
    while True:
        descriptor = os.open(path, _FLAGS | os.O_CREAT, 0o600)
        with open(descriptor, "r+b", buffering=0) as file:  # noqa: PTH123 - not a path
            _lock(file, in_use)
            # The owner of the lock may have renamed or removed the file in the meantime.
            if _is_at(path, file):
                yield file
                return


def remove_unlocked(path: Path, in_use: str) -> None:
    """Remove a file unless it is locked. It may not exist.

    Raises: `BlockingIOError` with the message `in_use`, and other `OSError`s.
    """
    with suppress(FileNotFoundError), open(os.open(path, _FLAGS), "r+b", buffering=0) as file:  # noqa: PTH123
        _lock(file, in_use)
        close_for_rename(file)
        path.unlink()


def close_for_rename(file: BinaryIO) -> None:
    """Close a file on Windows, which does not rename or remove open files."""
    if sys.platform == "win32":
        file.close()


# File systems without locks.
_NO_LOCKS: Final = {errno.ENOTSUP, errno.ENOSYS, errno.EINVAL, errno.ENOLCK}


def _lock(file: BinaryIO, in_use: str) -> None:
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BlockingIOError(errno.EAGAIN, in_use) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise


def _is_at(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
