"""Bytes: in from files and pipes, out to files and pipes."""

from __future__ import annotations

import os
import stat
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Annotated, Any

import typer

from jetstow import ObjectInfo, ObjectMeta, ObjectMetaOptions
from jetstow.cli import complete, pipes, values
from jetstow.cli.command import command
from jetstow.cli.failure import UNREACHABLE, WrongUsage, code
from jetstow.cli.render import Answer, Report, bytes_of, clean, object_data, progress
from jetstow.cli.session import Session
from jetstow.cli.values import Address

Object = Annotated[
    Address,
    typer.Argument(
        metavar="BUCKET/NAME", parser=values.object_address, autocompletion=complete.objects,
        show_default=False,
    ),
]  # fmt: skip


async def put(
    session: Session,
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...", autocompletion=complete.put_arguments, show_default=False,
            help="Files, or - for standard input.",
        ),
    ],
    target: Annotated[
        Address,
        typer.Argument(
            metavar="BUCKET/[NAME]", parser=values.address, show_default=False,
            help="Without a name, or with one that ends in a slash: under the file's own name.",
        ),
    ],
    description: Annotated[str | None, typer.Option(help="What it is.")] = None,
    header: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="A header; may be repeated.")
    ] = None,
    metadata: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="A note; may be repeated.")
    ] = None,
    chunk_size: Annotated[
        int | None,
        typer.Option(
            metavar="SIZE", parser=values.size, help="Bytes a message: 512K (default: 128K)."
        ),
    ] = None,
    if_revision: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=0, show_default=False,
            help="Only if the object is at this revision; 0: only if there is none.",
        ),
    ] = None,
) -> AsyncGenerator[Answer, None]:  # fmt: skip
    """Store files, or standard input, as objects.

    The object appears once all of it is stored; until then the old one stays. A put that
    fails or is interrupted leaves nothing behind.
    """
    meta = ObjectMeta(
        description=description,
        headers=values.lists("--header", header),
        metadata=values.notes("--metadata", metadata),
        options=None if chunk_size is None else ObjectMetaOptions(max_chunk_size=chunk_size),
    )
    if if_revision is not None and len(files) > 1:
        raise WrongUsage("--if-revision is for one file at a time")
    for file, address in _destinations(files, target):
        try:
            info = await _put_one(session, file, address, meta, if_revision)
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
    place = target.under("") == target and (not target.name or target.name.endswith("/"))
    if not place:
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
    session: Session, file: str, address: Address, meta: ObjectMeta, revision: int | None
) -> ObjectInfo:
    store = await session.store(address.bucket)
    options: dict[str, Any] = {"expected_revision": revision}
    if file == "-":
        with progress(address.name) if not pipes.is_terminal(sys.stdin) else _no_progress() as bar:
            size = os.fstat(0).st_size if pipes.is_regular(sys.stdin) else None
            source = pipes.read(sys.stdin.buffer)
            return await store.put(
                address.name, source, meta, progress=_sized(bar, size), **options
            )
    path = Path(file)
    mode = path.stat().st_mode
    with progress(path.name) as bar:
        if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
            return await store.put_file(path, address.name, meta, progress=bar, **options)
        source = pipes.open_and_read(file)
        return await store.put(address.name, source, meta, progress=bar, **options)
