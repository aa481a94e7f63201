"""demo: run a tour of the object store."""

from __future__ import annotations

import typer

from jetstow.cli.command import command
from jetstow.cli.help import SERVER
from jetstow.cli.session import Session


async def demo(session: Session) -> None:
    """Run a tour of the object store.

    This is the program examples/intro.py. It creates a bucket, and deletes it at the end.
    """
    from jetstow.cli import intro

    client = await session.client()
    address, version = await session.connected_server()
    print(f"nats-server {version} at {address} ({session.settings.server_source})\n")
    await intro.tour(client)


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=SERVER, without={"json", "quiet", "js_domain"})(demo)
