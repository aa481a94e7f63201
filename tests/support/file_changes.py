"""Changes of a file on disk, as another process makes them while the file is read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

Change = Callable[[Path], None]


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def rewrite(path: Path) -> None:
    """Write other bytes of the same size in place."""
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))


def replace(path: Path) -> None:
    """Rename another file to the path: a reader of the old file does not see the new bytes."""
    other = path.with_name("other")
    other.write_bytes(b"other")
    other.rename(path)


CHANGES: Final[tuple[Change, ...]] = (append, truncate, rewrite)
"""The changes that a reader of the file can see."""
