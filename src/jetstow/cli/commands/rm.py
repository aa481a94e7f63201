"""rm: delete objects and folders."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Annotated

import typer

from jetstow._glob import matches
from jetstow.cli import completion, parsers
from jetstow.cli.arguments import DryRun, Yes
from jetstow.cli.change_summary import list_planned
from jetstow.cli.command import command
from jetstow.cli.confirm import confirm
from jetstow.cli.errors import UNREACHABLE, UsageError, exit_code
from jetstow.cli.help import OBJECTS
from jetstow.cli.parsers import Address
from jetstow.cli.render import Result, format_count, printable
from jetstow.cli.selection import (
    list_objects,
    nothing_matches,
    select_folder,
    select_matches,
)
from jetstow.cli.session import Session


async def rm(
    session: Session,
    objects: Annotated[
        list[Address],
        typer.Argument(
            metavar="BUCKET/NAME...", parser=parsers.address, autocompletion=completion.objects,
            help="Objects, or patterns in quotes: 'logs/*.csv'. With --recursive, also folders "
            "and buckets.",
        ),
    ],
    recursive: Annotated[
        bool,
        typer.Option("--recursive", "-r", help="Delete folders with everything in them, too."),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Ignore objects that do not exist.")
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> AsyncGenerator[Result, None]:  # fmt: skip
    """Delete objects and folders.

    In a pattern, * does not match a slash, and ** does. An object whose name is the pattern is
    deleted alone. The bucket itself stays: to delete it, use rb. To delete everything in a bucket,
    use --recursive with BUCKET, which asks for confirmation.
    """
    for address in objects:
        try:
            names = await _select(session, address, recursive)
        except FileNotFoundError as error:
            if not force:
                session.report(error)
            continue
        except Exception as error:
            if exit_code(error) == UNREACHABLE or len(objects) == 1:
                raise
            session.report(error)
            continue
        if not address.name and names and not (yes or dry_run):
            count = format_count(len(names), "object")
            await confirm(f"bucket {address.bucket!r} has {count}", "delete all of them?")
        if dry_run:
            planned = [str(Address(address.bucket, name)) for name in names]
            data = [_data(address.bucket, name, removed=False) for name in names]
            for item, line in zip(data, list_planned("delete", planned), strict=True):
                yield Result(item, [line])
            continue
        async with aclosing(_delete(session, address.bucket, names, force=force)) as results:
            async for result in results:
                yield result


async def _select(session: Session, address: Address, recursive: bool) -> list[str]:
    """Return the names to delete. Raises: `UsageError`, `FileNotFoundError`."""
    if recursive:
        if address.is_pattern:
            return await _select_matches_and_folders(session, address)
        return await select_folder(session, address)
    if not address.name:
        raise UsageError(
            f"{str(address)!r} is a bucket: add --recursive to delete what is in it, or use rb"
        )
    if address.is_folder:
        raise UsageError(f"{str(address)!r} is a folder: add --recursive")
    if address.is_pattern:
        return await select_matches(session, address)
    await session.store(address.bucket)
    return [address.name]


async def _select_matches_and_folders(session: Session, address: Address) -> list[str]:
    """Return the names that a pattern matches, and all names in folders that it matches.

    Raises: `NothingSelectedError`.
    """
    pattern = address.name.removesuffix("/")
    found = []
    for info in await list_objects(session, replace(address, name=pattern)):
        levels = info.name.split("/")
        paths = ["/".join(levels[:count]) for count in range(1, len(levels) + 1)]
        if any(matches(pattern, path) for path in paths):
            found.append(info.name)
    if not found:
        raise nothing_matches(address)
    return found


async def _delete(
    session: Session, bucket: str, names: list[str], *, force: bool
) -> AsyncGenerator[Result, None]:
    """Delete objects, several at a time; report errors and go on."""
    from jetstow._core.aio.map_in_order import map_in_order

    store = await session.store(bucket)

    async def delete(name: str) -> Exception | None:
        try:
            await store.delete(name)
        except Exception as error:
            if exit_code(error) == UNREACHABLE:
                raise
            return error
        return None

    async with aclosing(map_in_order(names, delete, lambda _: 0)) as errors:
        position = 0
        async for error in errors:
            name = names[position]
            position += 1
            if error is None:
                notice = f"deleted {printable(str(Address(bucket, name)))}"
                yield Result(_data(bucket, name, removed=True), notices=[notice])
            elif not (force and isinstance(error, FileNotFoundError)):
                session.report(error)


def _data(bucket: str, name: str, *, removed: bool) -> dict[str, object]:
    return {"bucket": bucket, "name": name, "removed": removed}


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=OBJECTS)(rm)
