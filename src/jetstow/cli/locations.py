"""Arguments that may be a file or an object."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from jetstow._core.protocol.file_names import has_control_character
from jetstow.cli import parsers
from jetstow.cli.errors import CliError, UsageError
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

        Raises: `InvalidFileNameError` (`relative` leaves the folder, or is not a valid file name).
        """
        if not self.is_folder:
            return self
        parts = relative.split("/")
        if any(part in {"", ".", ".."} or has_control_character(part) for part in parts):
            raise InvalidFileNameError(
                f"{relative!r} is not a valid file name: specify the file to write"
            )
        return LocalPath(os.path.join(self.path, relative))  # noqa: PTH118 - keeps a leading ./


Location: TypeAlias = LocalPath | Address


def parse(text: str) -> Location:
    """Parse a file or an object.

    Raises: `UsageError` (also for a file without ./ whose name cannot start with a bucket).
    """
    if text in {".", ".."} or text.startswith(LOCAL_PREFIXES):
        return LocalPath(os.path.expanduser(text))  # noqa: PTH111 - keeps a leading ./
    from jetstow._core.protocol.subjects import check_bucket_name
    from jetstow.errors import InvalidBucketNameError

    address = parsers.address(text)
    try:
        check_bucket_name(address.bucket)
    except InvalidBucketNameError as error:
        if not Path(text).exists():
            raise
        hint = f"write {file_argument(text)!r} for the file"
        raise UsageError(f"{text!r} is not BUCKET/NAME: {hint}") from error
    return address


def file_argument(path: str) -> str:
    """Return a path as `parse` takes it for a file."""
    is_file = path in {".", ".."} or path.startswith(LOCAL_PREFIXES)
    return path if is_file else f"./{path}"


@contextmanager
def suggest_file(*arguments: str) -> Iterator[None]:
    """Add a hint to the error for a missing bucket if an argument is also the name of a file.

    Raises: `MissingBucketError` in place of `BucketNotFoundError`.
    """
    from jetstow.errors import BucketNotFoundError

    try:
        yield
    except BucketNotFoundError as error:
        for text in arguments:
            if text.partition("/")[0] == error.bucket and Path(text).exists():
                hint = f"write {file_argument(text)!r} for the file"
                raise MissingBucketError(f"{error}: {hint}") from error
        raise


class InvalidFileNameError(UsageError):
    """No file can have this name in the folder."""


class MissingBucketError(CliError, FileNotFoundError):
    """A `FileNotFoundError` for its exit code."""
