"""A file that appears whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def landing(path: Path) -> Iterator[BinaryIO]:
    """A file beside `path` to write to, renamed to it if all goes well, else removed.

    Raises `IsADirectoryError`, `FileNotFoundError` (no such folder) and other `OSError`s.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{str(path)!r} is a folder: name a file in it")
    # A hidden name, as others may be listing the folder meanwhile.
    handle, made = tempfile.mkstemp(dir=path.parent, prefix=".jetstow-", suffix=".part")
    beside = Path(made)
    try:
        with open(handle, "wb", buffering=0) as file:  # noqa: PTH123 - a handle, not a path
            yield file
        beside.chmod(mode_of(path))
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def mode_of(path: Path) -> int:
    """The rights that the file has already, or those of any new file of this user."""
    with suppress(FileNotFoundError):
        return path.stat().st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
