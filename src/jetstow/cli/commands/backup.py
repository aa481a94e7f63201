"""backup: back up a bucket to a tar archive."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jetstow.cli import stdio
from jetstow.cli.arguments import Bucket
from jetstow.cli.command import command
from jetstow.cli.errors import UsageError
from jetstow.cli.help import MAINTENANCE
from jetstow.cli.json_data import failed_data
from jetstow.cli.render import Result, format_contents, printable
from jetstow.cli.session import Session

if TYPE_CHECKING:
    from jetstow.types import BackupResult


async def backup(
    session: Session,
    bucket: Bucket,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="Archive to write: .tar, .tar.gz, or - for standard output."
        ),
    ],
) -> Result | None:  # fmt: skip
    """Back up a bucket to a tar archive.

    The archive contains the objects, verified, with their metadata, the links, and the
    configuration of the bucket. The file is created or replaced once it is complete. Damaged
    objects are reported and left out.
    """
    if file == "-" and session.settings.json:
        raise UsageError("standard output cannot take both the archive and JSON: name a file")
    if file == "-" and stdio.is_terminal(sys.stdout):
        raise UsageError("standard output is a terminal: name a file, or use a pipe")
    result = await _backup(session, bucket, file)
    for error in result.failed:
        session.report(error)
    return None if file == "-" else _summary(result, file)


async def _backup(session: Session, bucket: str, file: str) -> BackupResult:
    import jetstow

    store = await session.store(bucket)
    if file == "-":
        # Without a bar if standard output is a pipe: its reader may use the terminal.
        with session.progress(bucket, hidden=stdio.regular_size(sys.stdout) is None) as bar:
            return await jetstow.backup(store, session.output, progress=bar)
    if stdio.may_block(file):
        with closing(await stdio.open_to_write(file)) as output:
            return await jetstow.backup(store, output)
    with session.progress(bucket) as bar:
        return await jetstow.backup(store, _follow_link(file), progress=bar)


def _follow_link(path: str) -> str:
    """Return the target of a symbolic link, so that the link itself is not replaced."""
    return os.path.realpath(path) if Path(path).is_symlink() else path


def _summary(result: BackupResult, file: str) -> Result:
    data = {
        "bucket": result.bucket,
        "path": file,
        "objects": result.objects,
        "links": result.links,
        "size": result.size,
        "failed": failed_data(result.failed),
    }
    contents = format_contents(result.objects, result.links, result.size)
    notice = f"{printable(file)}: {contents} from bucket {result.bucket!r}, verified"
    return Result(data, notices=[notice])


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=MAINTENANCE)(backup)
