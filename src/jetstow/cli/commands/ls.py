"""ls: list buckets, or the objects of a bucket."""

from __future__ import annotations

from typing import Annotated

import typer

from jetstow.cli import completion, parsers
from jetstow.cli.arguments import Long
from jetstow.cli.command import command
from jetstow.cli.help import OBJECTS
from jetstow.cli.json_data import object_data
from jetstow.cli.parsers import Address
from jetstow.cli.render import Result, printable
from jetstow.cli.session import Session
from jetstow.cli.tables import bucket_table, object_label, object_table


async def ls(
    session: Session,
    prefix: Annotated[
        Address | None,
        typer.Argument(
            metavar="[BUCKET[/PREFIX]]", parser=parsers.address, autocompletion=completion.objects,
            help="Bucket, with the start of the names to list (default: list the buckets).",
        ),
    ] = None,
    long: Long = False,
    deleted: Annotated[bool, typer.Option("--deleted", help="Include deleted objects.")] = False,
) -> Result:  # fmt: skip
    """List buckets, or the objects of a bucket."""
    if prefix is None:
        buckets = bucket_table(await (await session.js()).object_stores())
        if long:
            return buckets
        return Result(buckets.data, [bucket["bucket"] for bucket in buckets.data])
    listing = (await session.store(prefix.bucket)).list(ignore_deletes=not deleted)
    infos = sorted(
        [info async for info in listing if info.name.startswith(prefix.name)],
        key=lambda info: info.name,
    )
    if long:
        return object_table(infos)
    labels = [printable(object_label(info)) for info in infos]
    return Result([object_data(info) for info in infos], labels)


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=OBJECTS, key_file=True)(ls)
