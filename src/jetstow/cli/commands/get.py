"""get: read an object into a file."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from jetstow.cli import pipes, stdio
from jetstow.cli.arguments import Object, Resume, Version
from jetstow.cli.command import command
from jetstow.cli.errors import UsageError
from jetstow.cli.help import OBJECTS
from jetstow.cli.json_data import object_data
from jetstow.cli.parsers import Address
from jetstow.cli.render import Result, format_size, printable
from jetstow.cli.session import Session


async def get(
    session: Session,
    source: Object,
    path: Annotated[
        str | None,
        typer.Argument(
            metavar="[PATH]",
            help="File or folder to write to, or - for standard output (default: the last part "
            "of the object's name, in the current folder).",
        ),
    ] = None,
    resume: Resume = False,
    version: Version = None,
) -> Result | None:  # fmt: skip
    """Read an object into a file (download).

    The file is created or replaced once all bytes are read and verified.
    """
    if path == "-":
        if session.settings.json:
            raise UsageError("standard output cannot take both the object and JSON: name a file")
        pipes.reject_resume(resume, path)
        await pipes.write_object(session, source, session.output, version)
        return None
    target = _target_path(source, path)
    file = _follow_link(target) if target == path else target
    store = await session.store(source.bucket)
    if _is_device(file):
        pipes.reject_resume(resume, file)
        with closing(await stdio.open_to_write(file)) as output:
            info = await pipes.write_object(session, source, output, version)
    else:
        with session.progress(source.basename) as bar:
            info = await store.get_file(
                source.name, file, version=version, resume=resume, progress=bar
            )
    size = format_size(info.size or 0)
    line = f"{printable(target)}: {size} from {printable(str(source))}, verified"
    return Result(object_data(info) | {"path": target}, notices=[line])


def _target_path(source: Address, path: str | None) -> str:
    """Return the file to write. The object's name cannot lead out of the folder.

    Raises: `UsageError` (no file can have the object's name), `FileNotFoundError` (the folder).
    """
    if path is None or path.endswith("/") or Path(path).is_dir():
        if not source.file_name:
            raise UsageError(
                f"{str(source)!r} does not end in a valid file name: specify the file to write"
            )
        path = os.path.join(path or "", source.file_name)  # noqa: PTH118 - keeps a leading ./
    folder = Path(path).parent
    if not folder.is_dir():
        raise FileNotFoundError(2, os.strerror(2), str(folder))
    return path


def _follow_link(path: str) -> str:
    """Return the target of a symbolic link that the user named, so that the link is not replaced.

    A link that the object's name happens to match is replaced: it could lead anywhere.
    """
    return os.path.realpath(path)


def _is_device(path: str) -> bool:
    return not Path(path).is_symlink() and stdio.may_block(path)


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=OBJECTS, key_file=True)(get)
