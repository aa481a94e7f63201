"""cp and mv: between files and buckets, and from bucket to bucket."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import typer

from jetstow.cli import completion, locations
from jetstow.cli.command import command
from jetstow.cli.copy_plan import planned
from jetstow.cli.errors import UNREACHABLE, WrongUsage, code
from jetstow.cli.locations import Local
from jetstow.cli.render import Answer, bytes_of, clean, object_data, progress
from jetstow.cli.session import Session

Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE...", autocompletion=completion.places,
        help=f"Files or objects. {locations.RULE}",
    ),
]  # fmt: skip
Target = Annotated[
    str,
    typer.Argument(
        metavar="TARGET", autocompletion=completion.places,
        help="Where to; ends in a slash, or is a folder or a bucket, for more than one.",
    ),
]  # fmt: skip
Recursive = Annotated[
    bool,
    typer.Option(
        "--recursive", "-r",
        help="Folders, with all that is in them. One that ends in a slash: its contents.",
    ),
]  # fmt: skip


async def cp(
    session: Session, sources: Sources, target: Target, recursive: Recursive = False
) -> AsyncGenerator[Answer, None]:
    """Copy objects and files.

    What is copied appears once it is complete and verified. From bucket to bucket, all that
    is known of an object comes along.
    """
    async with aclosing(_each(session, sources, target, recursive, move=False)) as answers:
        async for answer in answers:
            yield answer


async def mv(
    session: Session, sources: Sources, target: Target, recursive: Recursive = False
) -> AsyncGenerator[Answer, None]:
    """Move or rename objects and files.

    Within a bucket no bytes move. Elsewhere, a source goes once its copy is complete, and
    stays if it was changed meanwhile.
    """
    async with aclosing(_each(session, sources, target, recursive, move=True)) as answers:
        async for answer in answers:
            yield answer


async def _each(
    session: Session, sources: list[str], target: str, recursive: bool, *, move: bool
) -> AsyncGenerator[Answer, None]:
    goal = locations.place(target)
    given = [locations.place(text) for text in sources]
    if any(isinstance(each, Local) and isinstance(goal, Local) for each in given):
        raise WrongUsage("one side must be a bucket; for files alone there are cp and mv")
    if not goal.is_place and (len(given) > 1 or recursive):
        raise WrongUsage(f"more than one needs a place to go: end {str(goal)!r} with a slash")
    work = [transfer async for transfer in planned(session, given, goal, recursive)]
    alone = len(work) == 1 and not recursive
    for transfer in work:
        source, place = str(transfer.source), str(transfer.target)
        try:
            with progress(transfer.source.base or source) as bar:
                info = await (transfer.move if move else transfer.copy)(session, bar)
        except Exception as error:
            if alone or code(error) == UNREACHABLE:
                raise
            session.complain(error)
        else:
            size = "" if move else f", {bytes_of(info.size or 0)}"
            said = f"{clean(source)} is {'now' if move else 'copied to'} {clean(place)}{size}"
            yield Answer(object_data(info) | {"source": source, "target": place}, [said])


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for work in (cp, mv):
        command(app, panel="Objects", key=True)(work)
