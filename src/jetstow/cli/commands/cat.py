"""cat: write objects to standard output."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from jetstow.cli import parsers
from jetstow.cli.arguments import Objects
from jetstow.cli.command import command
from jetstow.cli.errors import UsageError
from jetstow.cli.help import OBJECTS
from jetstow.cli.parsers import Address
from jetstow.cli.pipes import write_object
from jetstow.cli.session import Session

# In bytes.
READ_SIZE: Final = 1 << 20


async def cat(
    session: Session,
    objects: Objects,
    offset: Annotated[
        int | None,
        typer.Option(
            metavar="SIZE", parser=parsers.size, help="Start at this byte (default: 0): 1000, 10M."
        ),
    ] = None,
    length: Annotated[
        int | None,
        typer.Option(
            metavar="SIZE", parser=parsers.size,
            help="Write at most this many bytes (default: all).",
        ),
    ] = None,
) -> None:  # fmt: skip
    """Write objects, or a range of bytes of one, to standard output.

    Bytes are verified while they are written. If an object is damaged, the exit code is 7, but
    some of its bytes have been written. Of a range, only its chunks are read: their number and
    sizes are verified, as the digest is that of the whole object.
    """
    if offset is None and length is None:
        for address in objects:
            await write_object(session, address, session.output)
    elif len(objects) == 1:
        await _write_range(session, objects[0], offset or 0, length)
    else:
        raise UsageError("--offset and --length are for a single object")


async def _write_range(session: Session, address: Address, offset: int, length: int | None) -> None:
    from jetstow.errors import InvalidRangeError

    store = await session.store(address.bucket)
    async with store.open(address.name) as reader:
        size = reader.info.size or 0
        if offset > size:
            raise InvalidRangeError(
                f"{str(address)!r} has {size} bytes: --offset {offset} is behind its end",
                bucket=address.bucket,
                name=address.name,
            )
        await reader.seek(offset)
        remaining = size - offset if length is None else min(length, size - offset)
        while remaining and (data := await reader.read(min(remaining, READ_SIZE))):
            await session.output.write(data)
            remaining -= len(data)


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=OBJECTS, without={"json"}, key_file=True)(cat)
