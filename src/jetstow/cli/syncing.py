"""sync: a folder and a bucket, the one as the other."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from jetstow.cli import completion, locations
from jetstow.cli.command import command
from jetstow.cli.errors import WrongUsage, sentence
from jetstow.cli.locations import Local
from jetstow.cli.render import Answer, bytes_of, clean, count_of, progress
from jetstow.cli.session import Session


async def sync(
    session: Session,
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", autocompletion=completion.places,
            help=f"A folder, or BUCKET[/PREFIX]. {locations.RULE}",
        ),
    ],
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET", autocompletion=completion.places, help="The other one."
        ),
    ],
    delete: Annotated[
        bool, typer.Option("--delete", help="Remove from TARGET what SOURCE does not have.")
    ] = False,
    include: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN", help="Only names like that: '*.jpg', 'logs/**'. Repeatable."
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="No names like that, even if included. Repeatable."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be done, and do nothing.")
    ] = False,
) -> Answer:  # fmt: skip
    """Let a bucket have a folder's files, or a folder a bucket's objects.

    What has the same size and digest already is left alone. Links and empty folders are passed
    over; from bucket to bucket, see mirror.
    """
    import jetstow

    here, there = locations.place(source), locations.place(target)
    if isinstance(here, Local) == isinstance(there, Local):
        raise WrongUsage(
            "one side must be a folder, as in ./photos, and the other a bucket; from bucket to "
            "bucket: jetstow mirror"
        )
    wishes: dict[str, Any] = {
        "delete": delete,
        "include": include or (),
        "exclude": exclude or (),
        "dry_run": dry_run,
    }
    with progress(source) as bar:
        if isinstance(here, Local) and not isinstance(there, Local):
            store = await session.store(there.bucket)
            report = await jetstow.upload_folder(
                here.path, store, there.name, progress=bar, **wishes
            )
        else:
            assert isinstance(there, Local), "one side is a folder"
            assert not isinstance(here, Local), "and the other is none"
            store = await session.store(here.bucket)
            report = await jetstow.download_folder(
                store, there.path, here.name, progress=bar, **wishes
            )
    for error in report.failed:
        session.complain(error)
    data = {
        "copied": sorted(report.copied),
        "removed": sorted(report.removed),
        "unchanged": len(report.unchanged),
        "skipped": sorted(report.skipped),
        "size": report.size,
        "failed": [sentence(error) for error in report.failed],
        "dry_run": dry_run,
    }
    lines = []
    if dry_run:
        lines += [f"would copy {clean(name)}" for name in sorted(report.copied)]
        lines += [f"would remove {clean(name)}" for name in sorted(report.removed)]
    said = f"{count_of(len(report.copied), 'file')} ({bytes_of(report.size)})"
    said += " to be copied" if dry_run else " copied"
    said += f", {len(report.removed)} {'to be removed' if dry_run else 'removed'}" * delete
    said += f", {len(report.unchanged)} the same already"
    if report.skipped:
        said += f", {count_of(len(report.skipped), 'link')} passed over"
    return Answer(data, [*lines, said])


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel="Objects", key=True)(sync)
