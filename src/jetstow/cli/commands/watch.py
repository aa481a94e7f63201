"""watch: print the changes of a bucket, or run a command for each."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Final

import typer

from jetstow._core.aio.cancellation import uncancelled
from jetstow.cli import parsers
from jetstow.cli.arguments import Bucket
from jetstow.cli.command import command
from jetstow.cli.errors import CliError, UsageError, print_message
from jetstow.cli.help import OBJECTS
from jetstow.cli.json_data import object_data
from jetstow.cli.parsers import Address
from jetstow.cli.render import Result, format_time, printable
from jetstow.cli.session import Session
from jetstow.cli.tables import object_label, object_size

if TYPE_CHECKING:
    from jetstow import ObjectInfo

# How long a command has to end after SIGTERM, before SIGKILL. In seconds.
TERMINATE_TIMEOUT: Final = 2.0


async def watch(
    session: Session,
    bucket: Bucket,
    updates_only: Annotated[
        bool, typer.Option("--updates-only", help="Skip objects that exist already.")
    ] = False,
    ignore_deletes: Annotated[
        bool, typer.Option("--ignore-deletes", help="Skip deleted objects.")
    ] = False,
    count: Annotated[
        int | None,
        typer.Option(
            metavar="N", parser=parsers.whole_number,
            help="End after this many changes (default: run until Ctrl-C).",
        ),
    ] = None,
    execute: Annotated[
        str | None,
        typer.Option(
            "--exec", metavar="COMMAND",
            help="Run this command for each change, in order; {} is replaced by BUCKET/NAME.",
        ),
    ] = None,
) -> AsyncGenerator[Result, None]:  # fmt: skip
    """Print each change of a bucket as it happens.

    The objects that exist already come first. Ctrl-C ends the command.

    The command of --exec gets these environment variables: JETSTOW_EVENT (updated, linked or
    deleted), JETSTOW_BUCKET, JETSTOW_NAME, JETSTOW_SIZE, JETSTOW_REVISION, JETSTOW_DIGEST. It runs
    without a shell. If it fails, the failure is reported and the watch continues.
    """
    words = None if execute is None else _split(execute)
    seen = 0
    if count == 0:
        return
    store = await session.store(bucket)
    async with await store.watch(
        ignore_deletes=ignore_deletes, updates_only=updates_only
    ) as watcher:
        async for info in watcher:
            if info is None:  # the end of the objects that exist already
                continue
            event = "deleted" if info.deleted else "linked" if info.link else "updated"
            name = info.name if info.deleted else object_label(info)
            line = f"{format_time(info.modified)}  {event:<7}  {object_size(info):>8}  {name}"
            yield Result({"event": event, **object_data(info)}, [printable(line)])
            if words is not None:
                await _run(words, event, info)
            seen += 1
            if seen == count:
                return


def _split(line: str) -> list[str]:
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"--exec {line!r} is not a command: {error}") from None
    if not words:
        raise UsageError("--exec is not a command: it is empty")
    return words


async def _run(words: list[str], event: str, info: ObjectInfo) -> None:
    """Run a command and wait for its end. A cancellation ends it, too."""
    address = str(Address(info.bucket, info.name))
    variables = {
        "JETSTOW_EVENT": event,
        "JETSTOW_BUCKET": info.bucket,
        "JETSTOW_NAME": info.name,
        "JETSTOW_SIZE": str(info.size or 0),
        "JETSTOW_REVISION": str(info.revision),
        "JETSTOW_DIGEST": info.digest or "",
    }
    try:
        process = await asyncio.create_subprocess_exec(
            *(word.replace("{}", address) for word in words),
            env=os.environ | variables,
            stdin=asyncio.subprocess.DEVNULL,
        )
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or error
        raise CliError(f"cannot run {words[0]!r}: {cause}") from None
    try:
        code = await process.wait()
    finally:
        if process.returncode is None:
            await uncancelled(_terminate(process))
    if code:
        print_message(printable(f"{words[0]!r} failed with exit code {code} for {address}"))


async def _terminate(process: asyncio.subprocess.Process) -> None:
    """Send SIGTERM, then SIGKILL after `TERMINATE_TIMEOUT`. Wait for the end."""
    with suppress(ProcessLookupError):
        process.terminate()
        try:
            async with asyncio.timeout(TERMINATE_TIMEOUT):
                await process.wait()
        except TimeoutError:
            process.kill()
    await process.wait()


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=OBJECTS, json_lines=True, key_file=True)(watch)
