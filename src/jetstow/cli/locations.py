"""Arguments that may be a file or an object."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from jetstow.cli import parsers
from jetstow.cli.errors import UsageError
from jetstow.cli.parsers import Address

LOCAL_PREFIXES: Final = ("./", "../", "/", "~")

LOCATION_RULE: Final = (
    "Arguments that start with ./ ../ / or ~ are files; all others are BUCKET/NAME."
)


@dataclass(frozen=True)
class LocalPath:
    """A local file or folder, as the user wrote it."""

    path: str

    def __str__(self) -> str:
        return self.path

    @property
    def basename(self) -> str:
        """The last part of the path; empty if it ends in a slash."""
        return "" if self.path.endswith("/") else Path(self.path).name

    @property
    def is_folder(self) -> bool:
        """Whether files can be put into it: an existing folder, or a path that ends in a slash."""
        return self.path.endswith("/") or Path(self.path).is_dir()

    def join(self, relative: str) -> LocalPath:
        """Return the path of `relative` in this folder; this path if it is not a folder.

        Raises: `UsageError` (`relative` leaves the folder, or is not a valid file name).
        """
        if not self.is_folder:
            return self
        parts = relative.split("/")
        if any(part in {"", ".", ".."} or not part.isprintable() for part in parts):
            raise UsageError(f"{relative!r} is not a valid file name: specify the file to write")
        return LocalPath(os.path.join(self.path, relative))  # noqa: PTH118 - keeps a leading ./


Location: TypeAlias = LocalPath | Address


def parse(text: str) -> Location:
    """Parse a file or an object. Raises: `UsageError`."""
    if text in {".", ".."} or text.startswith(LOCAL_PREFIXES):
        return LocalPath(os.path.expanduser(text))  # noqa: PTH111 - keeps a leading ./
    return parsers.address(text)
