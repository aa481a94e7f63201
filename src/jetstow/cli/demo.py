"""The example program, run."""

from __future__ import annotations

import typer

from jetstow.cli.command import command
from jetstow.cli.session import Session


async def demo(session: Session) -> None:
    """Show the object store at work.

    This runs examples/intro.py. It makes a bucket of its own and removes it in the end.
    """
    from jetstow.cli import intro

    client = await session.client()
    address, version = await session.server()
    print(f"nats-server {version} at {address} ({session.settings.place})\n")
    await intro.tour(client)


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel="First steps", without={"json"})(demo)
