"""Bytes: in from files and pipes, out to files and pipes."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jetstow.cli import completion, parsers, stdio
from jetstow.cli.arguments import Object, Objects
from jetstow.cli.command import command
from jetstow.cli.errors import UNREACHABLE, WrongUsage, code
from jetstow.cli.parsers import Address
from jetstow.cli.render import Answer, bytes_of, clean, object_data, progress
from jetstow.cli.session import Session

if TYPE_CHECKING:
    from jetstow import ObjectInfo, ObjectMeta


async def put(
    session: Session,
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...", autocompletion=completion.put_arguments,
            help="Files, or - for standard input.",
        ),
    ],
    target: Annotated[
        str,
        typer.Argument(
            metavar="BUCKET/[NAME]",
            help="Without a name, or with one that ends in a slash: under the file's own name.",
        ),
    ],
    description: Annotated[str | None, typer.Option(metavar="TEXT", help="What it is.")] = None,
    header: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="A header; may be repeated.")
    ] = None,
    metadata: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="A note; may be repeated.")
    ] = None,
    content_type: Annotated[
        str | None,
        typer.Option(metavar="TYPE", help="Such as text/csv (default: by the name)."),
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="A word to find it by; may be repeated.")
    ] = None,
    ttl: Annotated[
        float | None,
        typer.Option(
            metavar="TIME", parser=parsers.duration, help="Gone by itself after 12h, 30d."
        ),
    ] = None,
    chunk_size: Annotated[
        int | None,
        typer.Option(
            metavar="SIZE", parser=parsers.size, help="Bytes a message: 512K (default: 128K)."
        ),
    ] = None,
    if_revision: Annotated[
        int | None,
        typer.Option(
            metavar="N", parser=parsers.whole,
            help="Only if the object is at this revision; 0: only if there is none.",
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where an earlier try with --resume broke off.")
    ] = False,
) -> AsyncGenerator[Answer, None]:  # fmt: skip
    """Store files or standard input.

    The object appears once all of it is stored; until then the old one stays. A put that
    fails or is interrupted leaves nothing behind.
    """
    from jetstow import ObjectMeta, ObjectMetaOptions

    meta = ObjectMeta(
        description=description,
        headers=parsers.lists("--header", header),
        metadata=parsers.notes("--metadata", metadata),
        content_type=content_type,
        tags=tag,
        options=None if chunk_size is None else ObjectMetaOptions(max_chunk_size=chunk_size),
    )
    options = {"expected_revision": if_revision, "ttl": ttl}
    if if_revision is not None and len(files) > 1:
        raise WrongUsage("--if-revision is for one file at a time")
    for file, address in _destinations(files, parsers.address(target)):
        try:
            info = await _put_one(session, file, address, meta, resume, options)
        except Exception as error:
            if code(error) == UNREACHABLE or len(files) == 1:
                raise
            session.complain(error)
        else:
            size = bytes_of(info.size or 0)
            said = f"{clean(str(address))}: {size} stored, revision {info.revision}"
            yield Answer(object_data(info), [said])


def _destinations(files: list[str], target: Address) -> list[tuple[str, Address]]:
    """Where each file goes. Raises `WrongUsage` where that is not clear."""
    if not target.is_place:
        if len(files) > 1:
            raise WrongUsage(f"several files need a place to go: end {str(target)!r} with a slash")
        return [(files[0], target)]
    if "-" in files:
        raise WrongUsage(f"standard input has no name: write one after '{target.bucket}/'")
    named = [(file, target.under(Path(file).name)) for file in files]
    twice = [address for address, count in Counter(a for _, a in named).items() if count > 1]
    if twice:
        raise WrongUsage(f"two of the files would become {str(twice[0])!r}")
    return named


async def _put_one(
    session: Session,
    file: str,
    address: Address,
    meta: ObjectMeta,
    resume: bool,
    options: dict[str, Any],
) -> ObjectInfo:
    store = await session.store(address.bucket)
    if file == "-":
        _check_resume(resume, file)
        stdin = stdio.stdin()
        with progress(address.name, stdio.size(stdin), hidden=stdio.is_terminal(stdin)) as bar:
            source = stdio.read(stdin)
            return await store.put(address.name, source, meta, progress=bar, **options)
    with progress(Path(file).name) as bar:
        if not stdio.may_block(file):
            return await store.put_file(
                file, address.name, meta, resume=resume, progress=bar, **options
            )
        _check_resume(resume, file)
        source = stdio.open_and_read(file)
        return await store.put(address.name, source, meta, progress=bar, **options)


def _check_resume(resume: bool, place: str) -> None:
    if resume:
        raise WrongUsage(f"--resume needs a file that is there again the next time, not {place!r}")


async def get(
    session: Session,
    source: Object,
    path: Annotated[
        str | None,
        typer.Argument(
            metavar="[PATH]",
            help="A file, a folder, or - for standard output. Without it: the last part of the "
            "name, in this folder.",
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where an earlier try with --resume broke off.")
    ] = False,
) -> Answer | None:  # fmt: skip
    """Read an object into a file.

    The file appears, or is replaced, once all of it is there and verified.
    """
    if path == "-":
        if session.settings.json:
            raise WrongUsage("standard output cannot have both the object and JSON")
        _check_resume(resume, path)
        await _pour(session, source, session.output)
        return None
    destination = _destination(source, path)
    place = _place(destination, named=destination == path)
    store = await session.store(source.bucket)
    if not _is_link(place) and stdio.may_block(place):
        _check_resume(resume, place)
        with closing(stdio.Output(await stdio.open_to_write(place))) as into:
            info = await _pour(session, source, into)
    else:
        with progress(source.base) as bar:
            info = await store.get_file(source.name, place, resume=resume, progress=bar)
    size = bytes_of(info.size or 0)
    data = object_data(info) | {"path": destination}
    return Answer(data, [f"{clean(destination)}: {size} from {clean(str(source))}, verified"])


def _destination(source: Address, path: str | None) -> str:
    """The file to write: nowhere but where the user said, whatever the object is called."""
    if path is None or path.endswith("/") or Path(path).is_dir():
        if not source.file_name:
            raise WrongUsage(f"no file can be named after {str(source)!r}: say which file to write")
        path = os.path.join(path or "", source.file_name)  # noqa: PTH118 - as the user wrote it
    if not Path(path).parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(Path(path).parent)!r}")
    return path


def _place(destination: str, *, named: bool) -> str:
    """What is at the end of a symbolic link is replaced, not the link, if the user named it.

    One that the object's name happens to hit is not followed: it could lead anywhere.
    """
    return os.path.realpath(destination) if named else destination


def _is_link(path: str) -> bool:
    return Path(path).is_symlink()


async def cat(session: Session, objects: Objects) -> None:
    """Write objects to standard output.

    They are verified as they pass: bytes that are not what they should be have been written
    when the exit code tells of it.
    """
    for address in objects:
        await _pour(session, address, session.output)


async def _pour(session: Session, source: Address, into: stdio.Output) -> ObjectInfo:
    store = await session.store(source.bucket)
    # The terminal is somebody else's where the bytes go through a pipe.
    with progress(source.base, hidden=stdio.size(sys.stdout) is None) as bar:
        return (await store.get(source.name, into, progress=bar)).info


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, panel="Objects", key=True)(put)
    command(app, panel="Objects", key=True)(get)
    command(app, panel="Objects", without={"json"}, key=True)(cat)
