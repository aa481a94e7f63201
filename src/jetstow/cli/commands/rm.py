"""rm: delete objects."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated

import typer

from jetstow.cli.arguments import Objects
from jetstow.cli.command import command
from jetstow.cli.errors import UNREACHABLE, exit_code
from jetstow.cli.help import OBJECTS
from jetstow.cli.render import Result, printable
from jetstow.cli.session import Session


async def rm(
    session: Session,
    objects: Objects,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Ignore objects that do not exist.")
    ] = False,
) -> AsyncGenerator[Result, None]:  # fmt: skip
    """Delete objects."""
    for address in objects:
        try:
            await (await session.store(address.bucket)).delete(address.name)
        except FileNotFoundError as error:
            if not force:
                session.report(error)
        except Exception as error:
            if exit_code(error) == UNREACHABLE:
                raise
            session.report(error)
        else:
            data = {"bucket": address.bucket, "name": address.name, "removed": True}
            yield Result(data, [f"deleted {printable(str(address))}"])


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=OBJECTS)(rm)
