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
    infos = await store.list(literal_prefix(address.name), ignore_deletes=ignore_deletes)
    return sorted(infos, key=lambda info: info.name)


async def list_versions(session: Session, address: Address) -> list[ObjectInfo]:
    """Return the versions of the objects whose names start as the address does, sorted by name."""
    store = await session.store(address.bucket)
    return await store.versions(prefix=literal_prefix(address.name))


def literal_prefix(pattern: str) -> str:
    """Return the part of a pattern before its first special character."""
    ends = [pattern.index(char) for char in "*?[" if char in pattern]
    return pattern[: min(ends, default=len(pattern))]


async def select_matches(session: Session, address: Address) -> list[ObjectInfo]:
    """Return the objects whose whole names a pattern matches. If it is a name, return its object.

    Raises: `NothingSelectedError`.
    """
    infos = await list_objects(session, address)
    for selects in (str.__eq__, matches):
        if found := [info for info in infos if selects(address.name, info.name)]:
            return found
    raise nothing_matches(address)


async def select_folder(session: Session, address: Address) -> list[ObjectInfo]:
    """Return the objects in a folder with all its folders, or a single object.

    Raises: `NothingSelectedError`.
    """
    folder = address.name if address.is_folder else f"{address.name}/"
    found = [
        info
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
