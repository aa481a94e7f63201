"""cat: write objects to standard output."""

from __future__ import annotations

import typer

from jetstow.cli.arguments import Objects
from jetstow.cli.command import command
from jetstow.cli.help import OBJECTS
from jetstow.cli.pipes import write_object
from jetstow.cli.session import Session


async def cat(session: Session, objects: Objects) -> None:
    """Write objects to standard output.

    Bytes are verified while they are written. If an object is damaged, the exit code is 7, but
    some of its bytes have been written.
    """
    for address in objects:
        await write_object(session, address, session.output)


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=OBJECTS, without={"json"}, key_file=True)(cat)
