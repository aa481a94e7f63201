"""mv: move or rename objects and files."""

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


async def mv(
    session: Session, sources: Sources, target: Target, recursive: Recursive = False
) -> AsyncGenerator[Result, None]:
    """Move or rename objects and files.

    Within a bucket, the object is renamed without copying its bytes. Between a bucket and files, or
    between buckets, the source is deleted once its copy is complete, unless it has changed.
    """
    async with aclosing(copy_plan.run(session, sources, target, recursive, move=True)) as results:
        async for result in results:
            yield result


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=OBJECTS, key_file=True)(mv)
