"""Deletes, renames, and their undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from jetstow.cli.errors import CliError, message
from jetstow.cli.render import format_count

if TYPE_CHECKING:
    from jetstow import ObjectInfo, ObjectStore

# Objects that are deleted with one call; between two calls, the progress is reported.
_BATCH_SIZE: Final = 128


@dataclass
class Deletion:
    """Objects that were deleted from a versioned bucket: names with their versions."""

    store: ObjectStore
    versions: list[tuple[str, str]] = field(default_factory=list)

    async def undo(self) -> str:
        """Make the versions current again. A name that has an object again keeps that.

        Raises: `CliError` (not all could be restored).
        """
        restored, failed = 0, []
        for name, version in self.versions:
            try:
                if await self.store.exists(name):
                    raise CliError(f"{name} has been stored again since")
                await self.store.restore_version(name, version)
                restored += 1
            except Exception as error:  # noqa: BLE001 - reported below
                failed.append(message(error))
        text = f"restored {format_count(restored, 'object')}"
        if failed:
            raise CliError(f"{text}, not {len(failed)}: {failed[0]}")
        return text


async def is_versioned(store: ObjectStore) -> bool:
    """Return whether a deleted object stays as a version."""
    return (await store.status()).versioning == "enabled"


async def list_below(store: ObjectStore, name: str, *, is_folder: bool) -> list[ObjectInfo]:
    """Return the objects in a folder, or the one with a name.

    Raises: what `list` and `get_info` raise.
    """
    if is_folder:
        return await store.list(name)
    return [await store.get_info(name)]


async def delete(
    store: ObjectStore, infos: list[ObjectInfo], progress: Callable[[int], None]
) -> Deletion | None:
    """Delete objects at the revisions that were listed. Return how to undo it, if that is possible.

    Raises: `CliError` (not all could be deleted; it may be undone by `deletion` of the error).
    """
    deletion = Deletion(store) if await is_versioned(store) else None
    versions = {info.name: info.version for info in infos}
    failed: list[Exception] = []
    for start in range(0, len(infos), _BATCH_SIZE):
        result = await store.delete_many(infos[start : start + _BATCH_SIZE])
        failed += result.failed
        if deletion is not None:
            deletion.versions += [
                (name, version) for name in result.deleted if (version := versions.get(name))
            ]
        progress(start + len(result.deleted))
    if failed:
        raise PartlyDeletedError(
            f"{format_count(len(failed), 'object')} of {len(infos)} could not be deleted: "
            f"{message(failed[0])}",
            deletion,
        )
    return deletion


class PartlyDeletedError(CliError):
    """Some objects could not be deleted. `deletion` undoes the others."""

    def __init__(self, text: str, deletion: Deletion | None) -> None:
        super().__init__(text)
        self.deletion = deletion


async def rename(store: ObjectStore, old: str, new: str, *, is_folder: bool) -> str:
    """Rename an object, or all objects in a folder. Return what was done.

    Raises: what `rename` raises, `CliError` (not all could be renamed).
    """
    if not is_folder:
        await store.rename(old, new)
        return f"renamed to {new}"
    target, failed, renamed = new if new.endswith("/") else f"{new}/", [], 0
    for info in await store.list(old):
        try:
            await store.rename(info.name, target + info.name[len(old) :])
            renamed += 1
        except Exception as error:  # noqa: BLE001 - reported below
            failed.append(message(error))
    if failed:
        raise CliError(f"renamed {format_count(renamed, 'object')}, not {len(failed)}: {failed[0]}")
    return f"renamed {format_count(renamed, 'object')} to {target}"
