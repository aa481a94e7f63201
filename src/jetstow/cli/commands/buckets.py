"""buckets: list the buckets with size and description."""

from __future__ import annotations

import typer

from jetstow.cli.command import command
from jetstow.cli.help import BUCKETS
from jetstow.cli.render import Result
from jetstow.cli.session import Session
from jetstow.cli.tables import bucket_table


async def buckets(session: Session) -> Result:
    """List the buckets with size, creation time and description."""
    return bucket_table(await (await session.js()).object_stores())


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=BUCKETS)(buckets)
