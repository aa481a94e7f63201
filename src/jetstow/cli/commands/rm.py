"""rm: delete objects and folders."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

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
    NothingSelectedError,
    list_objects,
    nothing_matches,
    select_folder,
    select_matches,
)
from jetstow.cli.session import Session

if TYPE_CHECKING:
    from jetstow import ObjectInfo, ObjectStore

# A name, or an object that was listed.
Selected: TypeAlias = "str | ObjectInfo"

# The number of objects after which the names of the deleted ones are printed.
BATCH_SIZE: Final = 128


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
    version: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Remove this version permanently, as ls --versions shows it. If it is the current "
            "one, or its delete marker, the version before it is current then.",
        ),
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> AsyncGenerator[Result, None]:  # fmt: skip
    """Delete objects and folders.

    A pattern has to match the whole name; in it, * does not match a slash, and ** does. An object
    whose name is the pattern is deleted alone. The bucket itself stays: to delete it, use rb. To
    delete everything in a bucket, use --recursive with BUCKET, which asks for confirmation.
    """

    def report_or_raise(error: Exception) -> None:
        if exit_code(error) == UNREACHABLE or len(objects) == 1:
            raise error
        session.report(error)

    if version is not None:
        yield await _remove_version(session, objects, version, dry_run=dry_run, force=force)
        return
    for address in objects:
        try:
            selected = await _select(session, address, recursive)
        except FileNotFoundError as error:
            if not force:
                session.report(error)
            continue
        except Exception as error:  # noqa: BLE001
            report_or_raise(error)
            continue
        if not address.name and selected and not (yes or dry_run):
            count = format_count(len(selected), "object")
            await confirm(f"bucket {address.bucket!r} has {count}", "delete all of them?")
        results = (
            _planned(address.bucket, selected)
            if dry_run
            else _delete(session, address.bucket, selected, force=force)
        )
        try:
            async with aclosing(results):
                async for result in results:
                    yield result
        except Exception as error:  # noqa: BLE001
            report_or_raise(error)


async def _planned(bucket: str, selected: Sequence[Selected]) -> AsyncGenerator[Result, None]:
    names = [item if isinstance(item, str) else item.name for item in selected]
    lines = list_planned("delete", [str(Address(bucket, name)) for name in names])
    for name, line in zip(names, lines, strict=True):
        yield Result(_data(bucket, name, removed=False), [line])


async def _remove_version(
    session: Session, objects: list[Address], version: str, *, dry_run: bool, force: bool
) -> Result:
    if len(objects) > 1 or not objects[0].name:
        raise UsageError("--version is for a single object")
    address = objects[0]
    store = await session.store(address.bucket)
    data = _data(address.bucket, address.name, removed=not dry_run) | {"version": version}
    label = f"version {version} of {printable(str(address))}"
    if dry_run:
        await store.get_info(address.name, True, version=version)
        return Result(data, list_planned("delete", [label]))
    removed = await store.delete(address.name, version=version, missing_ok=force)
    data["removed"] = removed is not None
    return Result(data, notices=[f"deleted {label}"])


async def _select(session: Session, address: Address, recursive: bool) -> Sequence[Selected]:
    """Return the objects to delete, or the name. Raises: `UsageError`, `FileNotFoundError`."""
    if recursive:
        if address.is_pattern:
            return await _select_matches_and_folders(session, address)
        return await select_folder(session, address)
    if not address.name:
        raise UsageError(
            f"{str(address)!r} names a bucket: add --recursive to delete what is in it, or use rb"
        )
    if address.is_folder:
        raise UsageError(f"{str(address)!r} is a folder: add --recursive")
    if address.is_pattern:
        return await select_matches(session, address)
    await session.store(address.bucket)
    return [address.name]


async def _select_matches_and_folders(session: Session, address: Address) -> list[ObjectInfo]:
    """Return the objects that a pattern matches, and all objects in folders that it matches.

    Raises: `NothingSelectedError`.
    """
    pattern = address.name.removesuffix("/")
    found = []
    for info in await list_objects(session, replace(address, name=pattern)):
        levels = info.name.split("/")
        paths = ["/".join(levels[:count]) for count in range(1, len(levels) + 1)]
        if any(matches(pattern, path) for path in paths):
            found.append(info)
    if not found:
        raise nothing_matches(address)
    return found


async def _delete(
    session: Session, bucket: str, selected: Sequence[Selected], *, force: bool
) -> AsyncGenerator[Result, None]:
    """Delete objects, several at a time; report errors and go on.

    A listed object is deleted at the revision that was listed, and not if it was replaced since.
    """
    store = await session.store(bucket)
    for start in range(0, len(selected), BATCH_SIZE):
        result = await store.delete_many(selected[start : start + BATCH_SIZE])
        for name in result.deleted:
            notice = f"deleted {printable(str(Address(bucket, name)))}"
            yield Result(_data(bucket, name, removed=True), notices=[notice])
        for error in result.failed:
            session.report(error)
        for name in () if force else result.missing:
            session.report(await _missing(store, name))


async def _missing(store: ObjectStore, name: str) -> Exception:
    """Return the error for a name without an object: was it deleted, or did it never exist?"""
    try:
        await store.get_info(name)
    except FileNotFoundError as error:
        return error
    return NothingSelectedError(f"there was no object {name!r} in bucket {store.bucket!r}")


def _data(bucket: str, name: str, *, removed: bool) -> dict[str, object]:
    return {"bucket": bucket, "name": name, "removed": removed}


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=OBJECTS)(rm)
