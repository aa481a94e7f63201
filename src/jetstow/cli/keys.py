"""Keys for encrypted objects."""

from __future__ import annotations

import os
import secrets
from typing import Annotated

import typer

from jetstow.cli import parsers
from jetstow.cli.command import command
from jetstow.cli.errors import Told
from jetstow.cli.render import Answer, clean
from jetstow.cli.session import Session


async def keygen(
    session: Session,  # noqa: ARG001 - it needs no server
    file: Annotated[str, typer.Argument(metavar="FILE", help="A new file, for your eyes only.")],
) -> Answer:  # fmt: skip
    """Make a key for encrypted objects.

    With --key-file, put encrypts and get decrypts. The key is nowhere else: whoever loses it has
    lost the objects.
    """
    _write_key(file)
    return Answer({"path": file}, [f"{clean(file)}: a new key; keep it as you keep passwords"])


def _write_key(file: str) -> None:
    try:
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise _ThereAlreadyError(f"{file!r} exists: no key is ever overwritten") from None
    with open(opened, "w", encoding="ascii") as into:  # noqa: PTH123 - it is open
        into.write(secrets.token_bytes(parsers.KEY_SIZE).hex() + "\n")


class _ThereAlreadyError(Told, FileExistsError):
    """With the exit code of what exists already."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel="Objects", without={"server", "creds", "timeout"})(keygen)
