"""du: show the sizes of folders."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from jetstow.cli import parsers
from jetstow.cli.arguments import Prefix
from jetstow.cli.command import command
from jetstow.cli.help import OBJECTS
from jetstow.cli.parsers import Address
from jetstow.cli.render import Result, format_size, table
from jetstow.cli.session import Session

DEFAULT_DEPTH = 1


async def du(
    session: Session,
    prefix: Prefix,
    depth: Annotated[
        int | None,
        typer.Option(
            "--depth", "-d", metavar="N", parser=parsers.whole_number,
            help="Levels of folders to show (default: 1).",
        ),
    ] = None,
) -> Result:  # fmt: skip
    """Show the total size of the objects in each folder of a bucket.

    Links and deleted objects do not count. For the size of a bucket on disk, see status.
    """
    max_depth = DEFAULT_DEPTH if depth is None else depth
    store = await session.store(prefix.bucket)
    sizes: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    async for info in store.list(prefix.name):
        if info.link is not None:
            continue
        *folders, _ = info.name[len(prefix.name) :].split("/")
        for level in range(min(max_depth, len(folders)) + 1):
            folder = prefix.name + "".join(f"{part}/" for part in folders[:level])
            sizes[folder] += info.size or 0
            counts[folder] += 1
    sizes.setdefault(prefix.name, 0)
    # The total comes last.
    ordered = sorted(sizes, key=lambda folder: (folder == prefix.name, folder))
    totals = [
        (str(Address(prefix.bucket, folder)), counts[folder], sizes[folder]) for folder in ordered
    ]
    data = [{"path": path, "objects": count, "size": size} for path, count, size in totals]
    rows = [(format_size(size), str(count), path) for path, count, size in totals]
    return table((">SIZE", ">OBJECTS", "FOLDER"), rows, data)


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=OBJECTS, key_file=True)(du)
