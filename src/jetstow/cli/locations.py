"""What is a file and what is an object, where a command takes both."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from jetstow.cli import parsers
from jetstow.cli.errors import WrongUsage
from jetstow.cli.parsers import Address

_LOCAL = ("./", "../", "/", "~")

RULE = "What begins with ./ ../ / or ~ is a file, everything else BUCKET/NAME."


@dataclass(frozen=True)
class Local:
    """A file or a folder of this machine, as the user wrote it."""

    path: str

    def __str__(self) -> str:
        return self.path

    @property
    def base(self) -> str:
        """Its name in its folder; empty for a folder whose contents are meant."""
        return "" if self.path.endswith("/") else Path(self.path).name

    @property
    def is_place(self) -> bool:
        """Whether files go into it."""
        return self.path.endswith("/") or Path(self.path).is_dir()

    def under(self, relative: str) -> Local:
        """This path, with `relative` behind it if it is a place.

        Raises `WrongUsage` for a name that would lead elsewhere, or to no file at all.
        """
        if not self.is_place:
            return self
        parts = relative.split("/")
        if any(part in {"", ".", ".."} or not part.isprintable() for part in parts):
            raise WrongUsage(f"{relative!r} is no name for a file: say which file to write")
        return Local(os.path.join(self.path, relative))  # noqa: PTH118 - as the user wrote it


Place: TypeAlias = Local | Address


def place(text: str) -> Place:
    """A file or an object. Raises `WrongUsage`."""
    if text in {".", ".."} or text.startswith(_LOCAL):
        return Local(os.path.expanduser(text))  # noqa: PTH111 - as the user wrote it
    return parsers.address(text)
