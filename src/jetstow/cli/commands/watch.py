"""watch: print the changes of a bucket, or run a command for each."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Annotated

import typer

from jetstow.cli import parsers
from jetstow.cli.arguments import Bucket
from jetstow.cli.command import command
from jetstow.cli.errors import UsageError, print_message
from jetstow.cli.exec_command import ExecCommand
from jetstow.cli.help import OBJECTS
from jetstow.cli.json_data import object_data
from jetstow.cli.parsers import Address
from jetstow.cli.render import Result, format_time, printable
from jetstow.cli.session import Session
from jetstow.cli.tables import object_label, object_size

if TYPE_CHECKING:
    from jetstow import ObjectInfo


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
    unsafe: Annotated[
        bool,
        typer.Option("--unsafe", help="Allow {} in code, where names of objects can run commands."),
    ] = False,
) -> AsyncGenerator[Result, None]:  # fmt: skip
    """Print each change of a bucket as it happens.

    The objects that exist already come first, as "current" (with --json: "current": true). Then a
    line on stderr reports that changes follow. Ctrl-C ends the command.

    The command of --exec gets these environment variables: JETSTOW_EVENT (updated, linked or
    deleted), JETSTOW_BUCKET, JETSTOW_NAME, JETSTOW_SIZE, JETSTOW_REVISION, JETSTOW_DIGEST. It runs
    without a shell; for one, use "$JETSTOW_NAME": sh -c 'echo "$JETSTOW_NAME"'. If it fails or
    cannot run for a name, the failure is reported and the watch continues.
    """
    if unsafe and execute is None:
        raise UsageError("--unsafe needs --exec")
    run = None if execute is None else ExecCommand.parse(execute, unsafe=unsafe)
    seen = 0
    if count == 0:
        return
    store = await session.store(bucket)
    watching = f"watching bucket {bucket!r} for changes"
    async with await store.watch(
        ignore_deletes=ignore_deletes, updates_only=updates_only
    ) as watcher:
        is_current = not updates_only
        if not is_current:
            session.notify(watching)
        async for info in watcher:
            if info is None:  # the end of the objects that exist already
                is_current = False
                session.notify(watching)
                continue
            event = "deleted" if info.deleted else "linked" if info.link else "updated"
            yield _result(info, event, is_current=is_current)
            if run is not None:
                address = str(Address(info.bucket, info.name))
                if (failure := await run.run(address, _variables(event, info))) is not None:
                    print_message(printable(failure))
            seen += 1
            if seen == count:
                return


def _result(info: ObjectInfo, event: str, *, is_current: bool) -> Result:
    shown = "current" if is_current and not info.deleted else event
    name = info.name if info.deleted else object_label(info)
    line = f"{format_time(info.modified)}  {shown:<7}  {object_size(info):>8}  {name}"
    return Result({"event": event, "current": is_current, **object_data(info)}, [printable(line)])


def _variables(event: str, info: ObjectInfo) -> dict[str, str]:
    return {
        "JETSTOW_EVENT": event,
        "JETSTOW_BUCKET": info.bucket,
        "JETSTOW_NAME": info.name,
        "JETSTOW_SIZE": str(info.size or 0),
        "JETSTOW_REVISION": str(info.revision),
        "JETSTOW_DIGEST": info.digest or "",
    }


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=OBJECTS, json_lines=True, key_file=True)(watch)
