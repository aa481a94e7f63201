"""Objects: listed, described, watched, renamed, linked, removed."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Annotated

import typer

from jetstow.cli import completion, parsers
from jetstow.cli.arguments import Objects
from jetstow.cli.buckets import bucket_facts, bucket_table
from jetstow.cli.command import command
from jetstow.cli.errors import UNREACHABLE, code
from jetstow.cli.parsers import Address
from jetstow.cli.render import Answer, bytes_of, clean, facts, moment, object_data, table
from jetstow.cli.session import Session

if TYPE_CHECKING:
    from jetstow import ObjectInfo


async def ls(
    session: Session,
    place: Annotated[
        Address | None,
        typer.Argument(
            metavar="[BUCKET[/PREFIX]]", parser=parsers.address, autocompletion=completion.objects
        ),
    ] = None,
    long: Annotated[bool, typer.Option("--long", "-l", help="With sizes and times.")] = False,
    deleted: Annotated[bool, typer.Option("--deleted", help="Deleted objects, too.")] = False,
) -> Answer:  # fmt: skip
    """List the objects of a bucket, or the buckets."""
    if place is None:
        found = bucket_table(await (await session.js()).object_stores())
        return found if long else Answer(found.data, [each["bucket"] for each in found.data])
    listed = (await session.store(place.bucket)).list(ignore_deletes=not deleted)
    objects = sorted(
        [info async for info in listed if info.name.startswith(place.name)],
        key=lambda info: info.name,
    )
    if long:
        return listed_at_length(objects)
    data = [object_data(info) for info in objects]
    return Answer(data, [clean(titled(info)) for info in objects])


def listed_at_length(infos: list[ObjectInfo]) -> Answer:
    """Objects with their sizes and times."""
    rows = [
        (
            size_of(info),
            moment(info.modified),
            f"{titled(info)} (encrypted)" if info.encrypted else titled(info),
        )
        for info in infos
    ]
    return table((">SIZE", "MODIFIED", "NAME"), rows, [object_data(info) for info in infos])


def size_of(info: ObjectInfo) -> str:
    """How large it is, where it has a size."""
    return "-" if info.deleted or info.link else bytes_of(info.size or 0)


def titled(info: ObjectInfo) -> str:
    """An object's name, and what else there is to know of it at first sight."""
    if info.deleted:
        return f"{info.name} (deleted)"
    return f"{info.name} -> {_link(info)}" if info.link else info.name


def _link(info: ObjectInfo) -> str:
    return "" if info.link is None else str(Address(info.link.bucket, info.link.name or ""))


async def info(
    session: Session,
    place: Annotated[
        Address,
        typer.Argument(
            metavar="BUCKET[/NAME]", parser=parsers.address, autocompletion=completion.objects
        ),
    ],
) -> Answer:  # fmt: skip
    """Tell everything about an object or a bucket."""
    store = await session.store(place.bucket)
    if not place.name:
        return bucket_facts(await store.status())
    found = await store.get_info(place.name)
    chunk_size = found.options.max_chunk_size if found.options else None
    pairs = [
        ("object", str(place)),
        ("description", found.description or ""),
        ("link to", _link(found)),
        ("size", f"{bytes_of(found.size or 0)} ({found.size or 0} bytes)"),
        ("modified", moment(found.modified)),
        ("expires", moment(found.expires) if found.expires else ""),
        ("content type", "" if found.link else found.content_type or ""),
        ("tags", ", ".join(found.tags)),
        ("encrypted", "yes" if found.encrypted else ""),
        ("revision", str(found.revision)),
        ("digest", found.digest or ""),
        (
            "chunks",
            f"{found.chunks or 0}" + (f" of up to {bytes_of(chunk_size)}" if chunk_size else ""),
        ),
        *(
            ("header", f"{key}: {value}")
            for key, values in (found.meta.headers or {}).items()
            for value in values
        ),
        *(("metadata", f"{key} = {value}") for key, value in (found.metadata or {}).items()),
    ]
    without = {"size", "digest", "chunks"} if found.link else set()
    return facts([pair for pair in pairs if pair[0] not in without], object_data(found))


async def rm(
    session: Session,
    objects: Objects,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="No error for what is not there.")
    ] = False,
) -> AsyncGenerator[Answer, None]:  # fmt: skip
    """Remove objects."""
    for address in objects:
        try:
            await (await session.store(address.bucket)).delete(address.name)
        except FileNotFoundError as error:
            if not force:
                session.complain(error)
        except Exception as error:
            if code(error) == UNREACHABLE:
                raise
            session.complain(error)
        else:
            data = {"bucket": address.bucket, "name": address.name, "removed": True}
            yield Answer(data, [f"{clean(str(address))} is removed"])


async def ln(
    session: Session,
    target: Annotated[
        Address,
        typer.Argument(
            metavar="TARGET", parser=parsers.address, autocompletion=completion.objects,
            help="What to link to: BUCKET/NAME, or a whole BUCKET.",
        ),
    ],
    link: Annotated[
        Address,
        typer.Argument(
            metavar="LINK", parser=parsers.address, autocompletion=completion.objects,
            help="The new name, BUCKET/[NAME], in any bucket.",
        ),
    ],
) -> Answer:  # fmt: skip
    """Let a name stand for an object or a bucket."""
    link = link.under(target.base or target.bucket)
    linked, store = await session.store(target.bucket), await session.store(link.bucket)
    if target.name:
        made = await store.add_link(link.name, await linked.get_info(target.name))
    else:
        made = await store.add_bucket_link(link.name, linked)
    said = f"{clean(str(link))} is a link to {clean(str(target))}"
    return Answer(object_data(made), [said])


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for work in (ls, info):
        command(app, panel="Objects", key=True)(work)
    for changing in (rm, ln):
        command(app, panel="Objects")(changing)
