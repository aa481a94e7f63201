"""browse: look at buckets, folders and objects on a full screen."""

from __future__ import annotations

from typing import Annotated

import typer

from jetstow.cli import completion, parsers
from jetstow.cli.command import command
from jetstow.cli.errors import UsageError, missing_packages
from jetstow.cli.help import OBJECTS
from jetstow.cli.parsers import Address
from jetstow.cli.session import Session
from jetstow.cli.stdio import stdio_is_terminal


async def browse(
    session: Session,
    address: Annotated[
        Address | None,
        typer.Argument(
            metavar="[BUCKET[/NAME]]", parser=parsers.address, autocompletion=completion.objects,
            help="Bucket, folder or object to start with (default: the list of buckets).",
        ),
    ] = None,
) -> None:  # fmt: skip
    """Look at buckets, folders and objects on a full screen, with keys.

    It shows what is in an object, gets and puts files and folders, deletes, and renames. Changes of
    other clients appear at once. Press ? for the keys. In a pipe, use ls.
    """
    if not stdio_is_terminal():
        listing = "jetstow ls -l" if address is None else f"jetstow ls -l {address}"
        raise UsageError(f"browse needs a terminal: use {listing!r}")
    try:
        from jetstow.cli.browse.app import BrowseApp
        from jetstow.cli.screen.app import RECONNECT_FOREVER, run
    except ImportError as error:
        raise missing_packages("browse", "console", error) from error
    app = BrowseApp(session, await session.client(**RECONNECT_FOREVER), address)
    try:
        await run(app)
    finally:
        await app.stop()


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=OBJECTS, without={"json"}, key_file=True)(browse)
