"""put: store files or standard input."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jetstow.cli import completion, locations, parsers, pipes, stdio
from jetstow.cli.arguments import Metadata, Resume
from jetstow.cli.command import command
from jetstow.cli.errors import UNREACHABLE, UsageError, exit_code
from jetstow.cli.help import OBJECTS
from jetstow.cli.json_data import object_data
from jetstow.cli.parsers import Address
from jetstow.cli.render import Result, format_size, printable
from jetstow.cli.session import Session

if TYPE_CHECKING:
    from jetstow import ObjectInfo, ObjectMeta


async def put(
    session: Session,
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...", autocompletion=completion.put_arguments,
            help="Files to store, or - for standard input.",
        ),
    ],
    target: Annotated[
        str,
        typer.Argument(
            metavar="BUCKET/[NAME]",
            help="Name of the object. If it is empty or ends in a slash, the name of the file is "
            "added.",
        ),
    ],
    description: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Description of the object.")
    ] = None,
    header: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Header; may be repeated.")
    ] = None,
    metadata: Metadata = None,
    content_type: Annotated[
        str | None,
        typer.Option(metavar="TYPE", help="Content type, such as text/csv (default: by the name)."),
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="Tag, see find; may be repeated.")
    ] = None,
    ttl: Annotated[
        float | None,
        typer.Option(
            metavar="TIME", parser=parsers.duration,
            help="Delete the object after this time: 12h, 30d (default: never). Needs server "
            "2.11.",
        ),
    ] = None,
    chunk_size: Annotated[
        int | None,
        typer.Option(metavar="SIZE", parser=parsers.size, help="Chunk size (default: 128K)."),
    ] = None,
    if_revision: Annotated[
        int | None,
        typer.Option(
            metavar="N", parser=parsers.whole_number,
            help="Store only if the object is at this revision; 0: only if it does not exist.",
        ),
    ] = None,
    resume: Resume = False,
) -> AsyncGenerator[Result, None]:  # fmt: skip
    """Store files or standard input as objects (upload).

    An object becomes visible once it is stored completely; until then, readers get the previous
    one. A put that fails or is interrupted leaves no chunks behind.
    """
    from jetstow import ObjectMeta, ObjectMetaOptions

    meta = ObjectMeta(
        description=description,
        headers=parsers.key_value_lists("--header", header),
        metadata=parsers.key_values("--metadata", metadata),
        content_type=content_type,
        tags=tag,
        options=None if chunk_size is None else ObjectMetaOptions(max_chunk_size=chunk_size),
    )
    options = {"expected_revision": if_revision, "ttl": ttl}
    if if_revision is not None and len(files) > 1:
        raise UsageError("--if-revision is for a single file")
    for file, address in _targets(files, parsers.address(target)):
        try:
            info = await _put_one(session, file, address, meta, resume, options)
        except Exception as error:
            if exit_code(error) == UNREACHABLE or len(files) == 1:
                raise
            session.report(error)
        else:
            size = format_size(info.size or 0)
            line = f"{printable(str(address))}: {size} stored, revision {info.revision}"
            yield Result(object_data(info), notices=[line])


def _targets(files: list[str], target: Address) -> list[tuple[str, Address]]:
    """Return the files with their addresses. Raises: `UsageError` (an ambiguous target)."""
    if not target.is_folder:
        if len(files) > 1:
            raise UsageError(f"more than one file needs a folder: end {str(target)!r} in a slash")
        return [(files[0], target)]
    if "-" in files:
        raise UsageError(f"standard input has no name: add one after '{target.bucket}/'")
    targets = [(file, target.join(Path(file).name)) for file in files]
    counts = Counter(address for _, address in targets)
    if duplicates := [address for address, count in counts.items() if count > 1]:
        raise UsageError(f"two files have the same target: {str(duplicates[0])!r}")
    return targets


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
        pipes.reject_resume(resume, file)
        stdin = stdio.stdin()
        size, hidden = stdio.regular_size(stdin), stdio.is_terminal(stdin)
        with session.progress(address.name, size, hidden=hidden) as bar:
            source = stdio.read(stdin)
            return await store.put(address.name, source, meta, progress=bar, **options)
    _check_not_a_folder(file, address)
    with session.progress(Path(file).name) as bar:
        if not stdio.may_block(file):
            return await store.put_file(
                file, address.name, meta, resume=resume, progress=bar, **options
            )
        pipes.reject_resume(resume, file)
        source = stdio.open_and_read(file)
        return await store.put(address.name, source, meta, progress=bar, **options)


def _check_not_a_folder(file: str, address: Address) -> None:
    if Path(file).is_dir():
        folder = locations.file_argument(file)
        raise UsageError(
            f"{file!r} is a folder: use 'jetstow cp -r {folder} {address.bucket}/', or "
            "'jetstow sync' for new and changed files only"
        )


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=OBJECTS, key_file=True)(put)
