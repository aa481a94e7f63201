"""info: show the details of an object or a bucket."""

from __future__ import annotations

from typing import Annotated

import typer

from jetstow.cli import completion, parsers
from jetstow.cli.command import command
from jetstow.cli.help import OBJECTS
from jetstow.cli.parsers import Address
from jetstow.cli.render import Result
from jetstow.cli.session import Session
from jetstow.cli.tables import bucket_details, object_details


async def info(
    session: Session,
    address: Annotated[
        Address,
        typer.Argument(
            metavar="BUCKET[/NAME]", parser=parsers.address, autocompletion=completion.objects
        ),
    ],
) -> Result:  # fmt: skip
    """Show the details of an object or a bucket."""
    store = await session.store(address.bucket)
    if not address.name:
        return bucket_details(await store.status())
    return object_details(await store.get_info(address.name))


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=OBJECTS, key_file=True)(info)
