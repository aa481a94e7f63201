"""ls: list buckets, or the objects and folders of a bucket."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from jetstow._glob import matches
from jetstow.cli import completion, parsers
from jetstow.cli.arguments import Long
from jetstow.cli.command import command
from jetstow.cli.help import OBJECTS
from jetstow.cli.parsers import Address
from jetstow.cli.render import Result, printable
from jetstow.cli.selection import list_objects, list_versions, nothing_found, nothing_matches
from jetstow.cli.session import Session
from jetstow.cli.tables import (
    Folder,
    bucket_table,
    entry_data,
    entry_label,
    entry_table,
    version_table,
)

if TYPE_CHECKING:
    from jetstow import ObjectInfo


async def ls(
    session: Session,
    address: Annotated[
        Address | None,
        typer.Argument(
            metavar="[BUCKET[/NAME]]", parser=parsers.address, autocompletion=completion.objects,
            help="Bucket, folder, object, the start of its name, or a pattern in quotes: "
            "'logs/*.csv' (default: list the buckets).",
        ),
    ] = None,
    recursive: Annotated[
        bool,
        typer.Option("--recursive", "-r", help="List the objects in all folders, too."),
    ] = False,
    long: Long = False,
    deleted: Annotated[bool, typer.Option("--deleted", help="Include deleted objects.")] = False,
    versions: Annotated[
        bool,
        typer.Option(
            "--versions", help="List all versions with their ids, the newest of a name first."
        ),
    ] = False,
) -> Result:  # fmt: skip
    """List buckets, or the objects and folders of a bucket.

    A folder is the part of names up to a slash. Without --recursive, only the objects and folders
    directly in the bucket or folder are listed.
    """
    if address is None:
        buckets = bucket_table(await (await session.js()).object_stores())
        if long:
            return buckets
        return Result(buckets.data, [bucket["bucket"] for bucket in buckets.data])
    if versions:
        infos = await list_versions(session, address)
        return version_table([info for info in infos if _is_selected(address, info.name)])
    infos = await list_objects(session, address, ignore_deletes=not deleted)
    folder, infos = _select(address, infos)
    entries = group_by_folder(infos, folder) if folder is not None and not recursive else [*infos]
    if long:
        return entry_table(entries)
    data = [entry_data(entry) for entry in entries]
    return Result(data, [printable(entry_label(entry)) for entry in entries])


def _is_selected(address: Address, name: str) -> bool:
    """Return whether versions of a name are listed: the name itself, in a folder, or a match."""
    if address.is_folder:
        return True
    if address.is_pattern:
        return matches(address.name, name)
    return name == address.name or name.startswith(f"{address.name}/")


def _select(address: Address, infos: list[ObjectInfo]) -> tuple[str | None, list[ObjectInfo]]:
    """Return the folder to list, and the objects that the address selects.

    The folder is None for a pattern: it decides on the levels, as in a shell.

    Raises: `NothingSelectedError`.
    """
    name = address.name
    if address.is_folder:
        if name and not infos:
            raise nothing_found(address)
        return name, infos
    folder = f"{name}/"
    if selected := [info for info in infos if info.name == name or info.name.startswith(folder)]:
        return folder, selected
    if address.is_pattern:
        if not (selected := [info for info in infos if matches(name, info.name)]):
            raise nothing_matches(address)
        return None, selected
    if not infos:
        raise nothing_found(address)
    return name[: name.rfind("/") + 1], infos


def group_by_folder(infos: Iterable[ObjectInfo], folder: str) -> list[ObjectInfo | Folder]:
    """Return the objects directly in a folder, and one entry for each folder in it, by name.

    An object outside of the folder stays as it is.
    """
    entries: dict[str, ObjectInfo | Folder] = {}
    for info in infos:
        head, slash, _ = info.name[len(folder) :].partition("/")
        if not slash or not info.name.startswith(folder):
            entries[info.name] = info
            continue
        name = f"{folder}{head}/"
        entry = entries.setdefault(name, Folder(info.bucket, name))
        assert isinstance(entry, Folder), "an object's key does not end in a slash"
        entry.add(info)
    return list(entries.values())


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=OBJECTS, key_file=True)(ls)
