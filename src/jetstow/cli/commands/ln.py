"""ln: create a link to an object or a bucket."""

from __future__ import annotations

from typing import Annotated

import typer

from jetstow.cli import completion, parsers
from jetstow.cli.command import command
from jetstow.cli.help import OBJECTS
from jetstow.cli.json_data import object_data
from jetstow.cli.parsers import Address
from jetstow.cli.render import Result, printable
from jetstow.cli.session import Session


async def ln(
    session: Session,
    target: Annotated[
        Address,
        typer.Argument(
            metavar="TARGET", parser=parsers.address, autocompletion=completion.objects,
            help="Object or bucket that the link points to: BUCKET/NAME or BUCKET.",
        ),
    ],
    link: Annotated[
        Address,
        typer.Argument(
            metavar="LINK", parser=parsers.address, autocompletion=completion.objects,
            help="Name of the link, BUCKET/[NAME], in any bucket (default: the target's name).",
        ),
    ],
) -> Result:  # fmt: skip
    """Create a link to an object or a bucket."""
    link = link.join(target.basename or target.bucket)
    target_store = await session.store(target.bucket)
    store = await session.store(link.bucket)
    if target.name:
        info = await store.add_link(link.name, await target_store.get_info(target.name))
    else:
        info = await store.add_bucket_link(link.name, target_store)
    line = f"{printable(str(link))} links to {printable(str(target))}"
    return Result(object_data(info), notices=[line])


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=OBJECTS, key_file=True)(ln)
