"""watch: what happens to a bucket, told, or a command run for each of it."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Final

import typer

from jetstow.cli import parsers
from jetstow.cli.arguments import Bucket
from jetstow.cli.command import command
from jetstow.cli.errors import Told, WrongUsage, complain
from jetstow.cli.objects import size_of, titled
from jetstow.cli.parsers import Address
from jetstow.cli.render import Answer, clean, moment, object_data
from jetstow.cli.session import Session

# How long a command may take to end when it is told to, in seconds.
_PATIENCE: Final = 2.0

if TYPE_CHECKING:
    from jetstow import ObjectInfo


async def watch(
    session: Session,
    bucket: Bucket,
    updates_only: Annotated[
        bool, typer.Option("--updates-only", help="Leave out what is there already.")
    ] = False,
    ignore_deletes: Annotated[
        bool, typer.Option("--ignore-deletes", help="Leave out what is deleted.")
    ] = False,
    count: Annotated[
        int | None,
        typer.Option(
            "--count", "-n", metavar="N", parser=parsers.whole, help="End after so many changes."
        ),
    ] = None,
    execute: Annotated[
        str | None,
        typer.Option(
            "--exec", metavar="COMMAND",
            help="Run this for each, one after the other; {} stands for BUCKET/NAME.",
        ),
    ] = None,
) -> AsyncGenerator[Answer, None]:  # fmt: skip
    """Tell every change of a bucket as it happens.

    First comes what is there already. Ctrl-C ends it. A command gets JETSTOW_EVENT (updated,
    linked, deleted), JETSTOW_BUCKET, JETSTOW_NAME, JETSTOW_SIZE, JETSTOW_REVISION and
    JETSTOW_DIGEST in its environment; no shell sees any of it, and one that fails ends nothing.
    """
    words = None if execute is None else _words(execute)
    told = 0
    if count == 0:
        return
    await session.patient_client()
    store = await session.store(bucket)
    async with await store.watch(
        ignore_deletes=ignore_deletes, updates_only=updates_only
    ) as watcher:
        async for change in watcher:
            if change is None:
                continue
            event = "deleted" if change.deleted else "linked" if change.link else "updated"
            what = change.name if change.deleted else titled(change)
            said = f"{moment(change.modified)}  {event:<7}  {size_of(change):>8}  {what}"
            yield Answer({"event": event, **object_data(change)}, [clean(said)])
            if words is not None:
                await _run(words, event, change)
            told += 1
            if told == count:
                return


def _words(line: str) -> list[str]:
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise WrongUsage(f"--exec {line!r} is no command: {error}") from None
    if not words:
        raise WrongUsage("--exec names no command")
    return words


async def _run(words: list[str], event: str, change: ObjectInfo) -> None:
    """Run a command to its end; whoever ends us ends it."""
    place = str(Address(change.bucket, change.name))
    told = {
        "JETSTOW_EVENT": event,
        "JETSTOW_BUCKET": change.bucket,
        "JETSTOW_NAME": change.name,
        "JETSTOW_SIZE": str(change.size or 0),
        "JETSTOW_REVISION": str(change.revision),
        "JETSTOW_DIGEST": change.digest or "",
    }
    try:
        process = await asyncio.create_subprocess_exec(
            *(word.replace("{}", place) for word in words),
            env=os.environ | told,
            stdin=asyncio.subprocess.DEVNULL,
        )
    except (OSError, ValueError) as error:
        raise _NoCommandError(f"{words[0]!r} cannot be run: {error}") from None
    try:
        code = await process.wait()
    finally:
        if process.returncode is None:
            await _end(process)
    if code:
        complain(clean(f"{words[0]} ended with {code} for {place}"))


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask a command to end, and make it, if it does not listen."""
    with suppress(ProcessLookupError):
        process.terminate()
        try:
            async with asyncio.timeout(_PATIENCE):
                await process.wait()
        except TimeoutError:
            process.kill()
    await process.wait()


class _NoCommandError(Told):
    """There is no such program, or nobody may run it."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel="Objects", lines=True, key=True)(watch)
