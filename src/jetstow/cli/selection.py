"""The objects that an argument selects: one name, a folder, or the matches of a pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetstow._glob import matches
from jetstow.cli.errors import CliError
from jetstow.cli.parsers import Address
from jetstow.cli.session import Session

if TYPE_CHECKING:
    from jetstow import ObjectInfo


class NothingSelectedError(CliError, FileNotFoundError):
    """A `FileNotFoundError` for its exit code."""


async def list_objects(
    session: Session, address: Address, *, ignore_deletes: bool = True
) -> list[ObjectInfo]:
    """Return the objects of a bucket whose names start as the address does, sorted by name."""
    store = await session.store(address.bucket)
    listing = store.list(ignore_deletes=ignore_deletes)
    prefix = literal_prefix(address.name)
    infos = [info async for info in listing if info.name.startswith(prefix)]
    return sorted(infos, key=lambda info: info.name)


def literal_prefix(pattern: str) -> str:
    """Return the part of a pattern before its first special character."""
    ends = [pattern.index(char) for char in "*?[" if char in pattern]
    return pattern[: min(ends, default=len(pattern))]


async def select_matches(session: Session, address: Address) -> list[str]:
    """Return the names that a pattern matches; the name itself if an object has it.

    Raises: `NothingSelectedError`.
    """
    names = [info.name for info in await list_objects(session, address)]
    if address.name in names:
        return [address.name]
    if found := [name for name in names if matches(address.name, name)]:
        return found
    raise nothing_matches(address)


async def select_folder(session: Session, address: Address) -> list[str]:
    """Return the names in a folder with all its folders, or the name of a single object.

    Raises: `NothingSelectedError`.
    """
    folder = address.name if address.is_folder else f"{address.name}/"
    found = [
        info.name
        for info in await list_objects(session, address)
        if info.name == address.name or info.name.startswith(folder)
    ]
    if found or not address.name:
        return found
    raise nothing_found(address)


def nothing_matches(address: Address) -> NothingSelectedError:
    """Return the error for a pattern that matches no name."""
    return NothingSelectedError(f"no object in bucket {address.bucket!r} matches {address.name!r}")


def nothing_found(address: Address) -> NothingSelectedError:
    """Return the error for a name that is neither an object nor a folder."""
    return NothingSelectedError(
        f"there is no object or folder {address.name!r} in bucket {address.bucket!r}"
    )
