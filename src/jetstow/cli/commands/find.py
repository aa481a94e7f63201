"""find: find objects by name, tag, size and age."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from jetstow.cli import parsers
from jetstow.cli.arguments import Long, Prefix
from jetstow.cli.command import command
from jetstow.cli.errors import UsageError
from jetstow.cli.help import OBJECTS
from jetstow.cli.json_data import object_data
from jetstow.cli.parsers import Address
from jetstow.cli.render import Result, printable
from jetstow.cli.session import Session
from jetstow.cli.tables import entry_table

if TYPE_CHECKING:
    import datetime


async def find(
    session: Session,
    prefix: Prefix,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="PATTERN",
            help="Name pattern: '*.csv' is compared with the last part of a name, "
            "'logs/**/*.csv' with all that follows the prefix.",
        ),
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(metavar="TAG", help="Tag. If repeated, an object must have all tags."),
    ] = None,
    larger: Annotated[
        int | None,
        typer.Option(metavar="SIZE", parser=parsers.size, help="Minimum size: 512K, 10M."),
    ] = None,
    smaller: Annotated[
        int | None,
        typer.Option(metavar="SIZE", parser=parsers.size, help="Maximum size: 512K, 10M."),
    ] = None,
    newer: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Modified less than this ago: 12h; or since a date: 2026-01-31."
        ),
    ] = None,
    older: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Modified more than this ago: 30d; or before a date: 2026-01-31."
        ),
    ] = None,
    long: Long = False,
    print0: Annotated[
        bool, typer.Option("--print0", "-0", help="End each name with NUL, for xargs -0.")
    ] = False,
) -> Result | None:  # fmt: skip
    """Find objects by name, tag, size and age."""
    if print0 and (long or session.settings.json):
        raise UsageError("--print0 prints names only: leave out --long and --json")
    store = await session.store(prefix.bucket)
    matches = store.find(
        name,
        prefix=prefix.name,
        tags=tag or (),
        min_size=larger,
        max_size=smaller,
        newer_than=_parse_age(newer),
        older_than=_parse_age(older),
    )
    infos = sorted(await matches, key=lambda info: info.name)
    if print0:
        text = "".join(f"{Address(prefix.bucket, info.name)}\0" for info in infos)
        await session.output.write(text.encode("utf-8", "surrogateescape"))
        return None
    if long:
        return entry_table(infos)
    lines = [printable(f"{prefix.bucket}/{info.name}") for info in infos]
    return Result([object_data(info) for info in infos], lines)


def _parse_age(text: str | None) -> datetime.timedelta | datetime.datetime | None:
    return None if text is None else parsers.age(text)


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=OBJECTS, key_file=True)(find)
