"""The parts that uploads and downloads share: options, listing, copying, failures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

from jetstow._core.aio.map_in_order import map_in_order
from jetstow._core.protocol.api_errors import FATAL_ERRORS
from jetstow._glob import matches_name
from jetstow._transfer.folders.names import normalize
from jetstow.errors import JetstowError
from jetstow.models import ObjectInfo
from jetstow.store import ObjectStore
from jetstow.types import SyncResult

T = TypeVar("T")


def record_failure(result: SyncResult, error: Exception) -> None:
    """Add an error that concerns one name. Raise it if it would fail every other name too."""
    if isinstance(error, JetstowError) and isinstance(error, FATAL_ERRORS):
        raise error
    result.failed.append(error)


@dataclass(frozen=True)
class SyncOptions:
    """The options of an upload or a download. `include` and `exclude` are glob patterns."""

    delete: bool
    include: Collection[str]
    exclude: Collection[str]
    dry_run: bool

    def selects(self, name: str) -> bool:
        """Return whether the patterns select a name, given without the prefix.

        An included name matches any `include` pattern, or there is none. A selected name is
        included and matches no `exclude` pattern.
        """
        included = not self.include or _matches_any(self.include, name)
        return included and not _matches_any(self.exclude, name)


def _matches_any(patterns: Collection[str], name: str) -> bool:
    name = normalize(name)
    return any(matches_name(normalize(pattern), name) for pattern in patterns)


async def list_selected(
    store: ObjectStore, prefix: str, options: SyncOptions
) -> dict[str, ObjectInfo]:
    """Return the selected objects with a prefix. The keys are their names without it.

    Markers of folders, which fsspec and S3 tools make, are left out: empty folders are ignored.
    """
    return select_objects(await store.list(prefix), prefix, options)


def select_objects(
    infos: Iterable[ObjectInfo], prefix: str, options: SyncOptions
) -> dict[str, ObjectInfo]:
    """Return the same for infos of objects with the prefix."""
    return {
        name: info
        for info in infos
        if options.selects(name := info.name[len(prefix) :])
        and not (info.name.endswith("/") and not info.size)
    }


async def copy_all(
    items: Collection[T], copy: Callable[[T], Awaitable[None]], size_of: Callable[[T], int]
) -> None:
    """Call `copy` for all items, several at a time."""
    async with aclosing(map_in_order(items, copy, size_of)) as copies:
        async for _ in copies:
            pass


def folder_prefix(prefix: str) -> str:
    """Return a prefix with a slash at its end; an empty prefix stays empty."""
    return prefix if not prefix or prefix.endswith("/") else f"{prefix}/"


def describe_objects(bucket: str, prefix: str) -> str:
    """Return the description of a prefix in a bucket, for messages."""
    return f"prefix {prefix!r} of bucket {bucket!r}" if prefix else f"bucket {bucket!r}"
