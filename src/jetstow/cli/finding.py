"""find and du: what is in a bucket, and how much of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from jetstow.cli import completion, parsers
from jetstow.cli.command import command
from jetstow.cli.errors import WrongUsage
from jetstow.cli.objects import listed_at_length, titled
from jetstow.cli.parsers import Address
from jetstow.cli.render import Answer, bytes_of, clean, object_data, table
from jetstow.cli.session import Session

if TYPE_CHECKING:
    import datetime

Start = Annotated[
    Address,
    typer.Argument(
        metavar="BUCKET[/PREFIX]", parser=parsers.address, autocompletion=completion.objects
    ),
]  # fmt: skip


async def find(
    session: Session,
    place: Start,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="PATTERN",
            help="Such as '*.csv' for the last part, 'logs/**/*.csv' for all of the name.",
        ),
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="With this tag; may be repeated.")
    ] = None,
    larger: Annotated[
        int | None,
        typer.Option(metavar="SIZE", parser=parsers.size, help="At least so large: 512K."),
    ] = None,
    smaller: Annotated[
        int | None, typer.Option(metavar="SIZE", parser=parsers.size, help="At most so large.")
    ] = None,
    newer: Annotated[
        str | None, typer.Option(metavar="TIME", help="Younger than 12h, or since 2026-01-31.")
    ] = None,
    older: Annotated[
        str | None, typer.Option(metavar="TIME", help="Older than 30d, or before 2026-01-31.")
    ] = None,
    long: Annotated[bool, typer.Option("--long", "-l", help="With sizes and times.")] = False,
    print0: Annotated[
        bool, typer.Option("--print0", "-0", help="Names ended by NUL, for xargs -0.")
    ] = False,
) -> Answer | None:  # fmt: skip
    """Find objects by name, tag, size and age."""
    from jetstow._glob import matches

    if print0 and (long or session.settings.json):
        raise WrongUsage("--print0 writes names and nothing else")
    store = await session.store(place.bucket)
    asked = store.find(
        tags=tag or (),
        min_size=larger,
        max_size=smaller,
        newer_than=_age(newer),
        older_than=_age(older),
    )

    def fits(told: str) -> bool:
        if not told.startswith(place.name):
            return False
        looked_at = told if name is None or "/" in name else told.rpartition("/")[2]
        return name is None or matches(name, looked_at)

    infos = sorted([info async for info in asked if fits(info.name)], key=lambda info: info.name)
    if print0:
        text = "".join(f"{Address(place.bucket, info.name)}\0" for info in infos)
        await session.output.write(text.encode("utf-8", "surrogateescape"))
        return None
    if long:
        return listed_at_length(infos)
    lines = [clean(f"{place.bucket}/{titled(info)}") for info in infos]
    return Answer([object_data(info) for info in infos], lines)


def _age(text: str | None) -> datetime.timedelta | datetime.datetime | None:
    return None if text is None else parsers.age(text)


async def du(
    session: Session,
    place: Start,
    depth: Annotated[
        int | None, typer.Option(
            "--depth", "-d", metavar="N", parser=parsers.whole,
            help="So many levels of folders (default: 1).",
        ),
    ] = None,
) -> Answer:  # fmt: skip
    """Tell how much lies in a bucket's folders.

    Sizes are those of the objects. What else a bucket takes on the disk, `jetstow info` tells.
    """
    most = 1 if depth is None else depth
    store = await session.store(place.bucket)
    sizes: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    async for info in store.list():
        if not info.name.startswith(place.name) or info.link is not None:
            continue
        *folders, _ = info.name[len(place.name) :].split("/")
        for level in range(min(most, len(folders)) + 1):
            folder = place.name + "".join(f"{part}/" for part in folders[:level])
            sizes[folder] += info.size or 0
            counts[folder] += 1
    sizes.setdefault(place.name, 0)
    ordered = sorted(sizes, key=lambda folder: (folder == place.name, folder))
    told = [(str(Address(place.bucket, each)), counts[each], sizes[each]) for each in ordered]
    data = [{"path": path, "objects": count, "size": size} for path, count, size in told]
    rows = [(bytes_of(size), str(count), path) for path, count, size in told]
    return table((">SIZE", ">OBJECTS", "FOLDER"), rows, data)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, panel="Objects", key=True)(find)
    command(app, panel="Objects", key=True)(du)
