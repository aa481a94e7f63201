"""keygen: create a key for encrypted objects."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Annotated

import typer

from jetstow.cli import parsers
from jetstow.cli.arguments import CONNECTION_OPTIONS
from jetstow.cli.command import command
from jetstow.cli.errors import CliError
from jetstow.cli.help import OBJECTS
from jetstow.cli.render import Result, printable
from jetstow.cli.session import Session


async def keygen(
    session: Session,  # noqa: ARG001 - no server is needed
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="New file, readable by you only (mode 0600).")
    ],
) -> Result:  # fmt: skip
    """Create a key for encrypted objects.

    With --key-file, put encrypts and get decrypts. Keep a copy of the key: without it, the
    objects cannot be read.
    """
    _write_key(file)
    return Result(
        {"path": file}, notices=[f"{printable(file)}: new key; keep it secret, and keep a copy"]
    )


def _write_key(file: str) -> None:
    from jetstow._core.aio.atomic_file import report_disk_errors

    try:
        fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise _KeyExistsError(f"{file!r}: {error.strerror}; keygen never replaces a key") from None
    try:
        with (
            report_disk_errors(Path(file)),
            open(fd, "w", encoding="ascii") as output,  # noqa: PTH123 - a descriptor
        ):
            output.write(secrets.token_bytes(parsers.KEY_SIZE).hex() + "\n")
    except OSError:
        Path(file).unlink(missing_ok=True)
        raise


class _KeyExistsError(CliError, FileExistsError):
    """A `FileExistsError` for its exit code."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=OBJECTS, without=CONNECTION_OPTIONS)(keygen)
