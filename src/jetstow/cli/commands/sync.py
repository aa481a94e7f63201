"""sync: copy new and changed files between a folder and a bucket."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jetstow.cli import completion, locations
from jetstow.cli.arguments import DryRun, ForceDelete, MaxDelete
from jetstow.cli.change_summary import report_changes, summarize
from jetstow.cli.command import command
from jetstow.cli.errors import UsageError, message
from jetstow.cli.help import OBJECTS
from jetstow.cli.locations import LocalPath, Location
from jetstow.cli.parsers import Address
from jetstow.cli.render import Result, format_count, format_size
from jetstow.cli.selection import select_folder
from jetstow.cli.session import Session

if TYPE_CHECKING:
    from jetstow.types import Progress, SyncResult


async def sync(
    session: Session,
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", autocompletion=completion.locations,
            help=f"Folder, or BUCKET[/PREFIX]. {locations.LOCATION_RULE}",
        ),
    ],
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET", autocompletion=completion.locations,
            help="BUCKET[/PREFIX], or folder.",
        ),
    ],
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete from TARGET what SOURCE does not have.")
    ] = False,
    max_delete: MaxDelete = None,
    force: ForceDelete = False,
    include: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN",
            help="Only names that match: '*.jpg', 'logs/**'; may be repeated.",
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN", help="Skip names that match, included or not; may be repeated."
        ),
    ] = None,
    dry_run: DryRun = False,
) -> Result:  # fmt: skip
    """Copy new and changed files between a folder and a bucket.

    Files with the same size and digest are not copied again. Modification time and mode of a file
    are kept in the object's metadata and restored. Names are compared in Unicode normal form.
    Symbolic links and empty folders are skipped. Between two buckets, use mirror.
    """
    options: dict[str, Any] = {
        "delete": delete,
        "max_delete": max_delete,
        "force": force,
        "include": include or (),
        "exclude": exclude or (),
        "dry_run": dry_run,
    }
    source_location, target_location = locations.parse(source), locations.parse(target)
    if isinstance(source_location, LocalPath) == isinstance(target_location, LocalPath):
        raise _not_a_folder_and_a_bucket(source, target)
    with locations.suggest_file(source, target), session.progress(source) as bar:
        result = await _sync(session, source_location, target_location, bar, options)
    for error in result.failed:
        session.report(error)
    found = result.copied or result.updated or result.unchanged or result.skipped or result.failed
    if isinstance(source_location, Address) and source_location.name and not (found or force):
        await select_folder(session, source_location)
    return _summary(result, delete=delete, dry_run=dry_run)


async def _sync(
    session: Session,
    source: Location,
    target: Location,
    bar: Progress | None,
    options: dict[str, Any],
) -> SyncResult:
    import jetstow

    if isinstance(source, LocalPath) and not isinstance(target, LocalPath):
        store = await session.store(target.bucket)
        return await jetstow.upload_folder(source.path, store, target.name, progress=bar, **options)
    assert isinstance(source, Address), "not two folders"
    assert isinstance(target, LocalPath), "not two buckets"
    store = await session.store(source.bucket)
    return await jetstow.download_folder(store, target.path, source.name, progress=bar, **options)


def _not_a_folder_and_a_bucket(*arguments: str) -> UsageError:
    for text in arguments:
        if text != (path := locations.file_argument(text)) and Path(text).is_dir():
            return UsageError(f"{text!r} is taken for BUCKET/NAME: write {path!r} for the folder")
    return UsageError(
        "sync needs a folder, such as ./photos, and a bucket; between two buckets, use "
        "jetstow mirror"
    )


def _summary(result: SyncResult, *, delete: bool, dry_run: bool) -> Result:
    data = {
        "copied": sorted(result.copied),
        "updated": sorted(result.updated),
        "removed": sorted(result.removed),
        "unchanged": len(result.unchanged),
        "skipped": sorted(result.skipped),
        "size": result.size,
        "failed": [message(error) for error in result.failed],
        "dry_run": dry_run,
    }
    files = f"{format_count(len(result.copied), 'file')} ({format_size(result.size)})"
    changes = [("copy", files)]
    if result.updated:
        changes.append(("update", str(len(result.updated))))
    if delete:
        changes.append(("delete", str(len(result.removed))))
    summary = f"{summarize(changes, dry_run=dry_run)}, {len(result.unchanged)} unchanged"
    if result.skipped:
        summary += f", {format_count(len(result.skipped), 'link')} skipped"
    planned = {"copy": result.copied, "update": result.updated, "delete": result.removed}
    return report_changes(data, planned, summary, dry_run=dry_run)


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=OBJECTS, key_file=True)(sync)
