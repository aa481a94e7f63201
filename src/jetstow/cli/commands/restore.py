"""restore: restore a bucket from an archive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from jetstow.cli import completion, parsers, stdio
from jetstow.cli.command import command
from jetstow.cli.help import MAINTENANCE
from jetstow.cli.json_data import failed_data
from jetstow.cli.render import Result, format_contents, format_count
from jetstow.cli.session import Session

if TYPE_CHECKING:
    from jetstow.types import RestoreResult


async def restore(
    session: Session,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="Archive to read, or - for standard input.")
    ],
    bucket: Annotated[
        str | None,
        typer.Argument(
            metavar="[BUCKET]", parser=parsers.bucket_name, autocompletion=completion.buckets,
            help="Target bucket (default: the name of the bucket that was backed up).",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace objects that differ from the archive.")
    ] = False,
) -> Result:  # fmt: skip
    """Restore a bucket from an archive.

    The bucket is created with its configuration from the archive unless it exists. Objects that
    are the same already are not restored again, so an interrupted restore can be repeated. Objects
    that differ are reported and kept.
    """
    import jetstow

    js = await session.js()
    source: Any = file
    hidden = False
    if file == "-":
        stdin = stdio.stdin()
        source, hidden = stdio.read(stdin), stdio.is_terminal(stdin)
    elif stdio.may_block(file):
        source = stdio.open_and_read(file)
    with session.progress(file, hidden=hidden) as bar:
        result = await jetstow.restore(js, source, bucket, overwrite=overwrite, progress=bar)
    for error in result.failed:
        session.report(error)
    return _summary(result)


def _summary(result: RestoreResult) -> Result:
    data = {
        "bucket": result.bucket,
        "objects": result.objects,
        "links": result.links,
        "unchanged": result.unchanged,
        "size": result.size,
        "omitted": result.omitted,
        "sealed": result.sealed,
        "failed": failed_data(result.failed),
    }
    contents = format_contents(result.objects, result.links, result.size)
    summary = f"bucket {result.bucket!r}: restored {contents}"
    lines = [summary + (f", {result.unchanged} unchanged" if result.unchanged else "")]
    if result.omitted:
        lines.append(f"the backup left out {format_count(result.omitted, 'damaged object')}")
    if result.sealed:
        lines.append("the original bucket was sealed; this one is not")
    return Result(data, notices=lines)


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=MAINTENANCE)(restore)
