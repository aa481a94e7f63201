"""cp: copy objects between a bucket and files, or between buckets."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import typer

from jetstow.cli import copy_plan
from jetstow.cli.arguments import Recursive, Sources, Target
from jetstow.cli.command import command
from jetstow.cli.help import OBJECTS
from jetstow.cli.render import Result
from jetstow.cli.session import Session


async def cp(
    session: Session, sources: Sources, target: Target, recursive: Recursive = False
) -> AsyncGenerator[Result, None]:
    """Copy objects between a bucket and files, or between buckets.

    A copy becomes visible once it is complete and verified. Between buckets, metadata, headers and
    tags are copied, too.
    """
    async with aclosing(copy_plan.run(session, sources, target, recursive, move=False)) as results:
        async for result in results:
            yield result


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=OBJECTS, key_file=True)(cp)
