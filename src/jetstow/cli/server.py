"""The embedded server: the one that every `jetstow` without another one uses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import typer

import jetstow
from jetstow import embedded
from jetstow.cli import failure
from jetstow.cli.command import command
from jetstow.cli.render import Answer, facts
from jetstow.cli.session import Session
from jetstow.errors import EmbeddedServerError


async def start(session: Session) -> AsyncGenerator[Answer, None]:
    """Run the server until Ctrl-C, and longer while others use it."""
    async with await embedded.acquire() as hold:
        lost = asyncio.Event()

        async def on_loss() -> None:
            lost.set()

        async with await jetstow.connect(
            hold.endpoint.url, token=hold.endpoint.token, disconnected_cb=on_loss
        ):
            yield _told(hold.endpoint, "the server runs until Ctrl-C")
            try:
                await lost.wait()
            except asyncio.CancelledError:
                return  # as it should end
        raise EmbeddedServerError("the server was stopped")


async def status(session: Session) -> Answer:
    """Tell whether the server runs, and where."""
    endpoint = await asyncio.to_thread(embedded.status)
    if endpoint is None:
        session.code = failure.NOT_FOUND
        home = embedded.home()
        return Answer({"running": False, "home": str(home)}, [f"no server runs in {home}"])
    return _told(endpoint, "the server runs")


def _told(endpoint: embedded.Endpoint, words: str) -> Answer:
    data = {
        "running": True,
        "home": str(embedded.home()),
        "url": endpoint.url,
        "version": endpoint.version,
        "pid": endpoint.pid,
        "store_dir": str(endpoint.store_dir),
    }
    shown = facts(
        [
            ("url", endpoint.url),
            ("version", endpoint.version),
            ("process", str(endpoint.pid)),
            ("data", str(endpoint.store_dir)),
        ],
        data,
    )
    return Answer(data, [words, *shown.lines])


async def stop(session: Session) -> Answer:
    """Stop the server, even if others use it."""
    stopped = await asyncio.to_thread(embedded.stop)
    words = "the server is stopped" if stopped else f"no server runs in {embedded.home()}"
    return Answer({"stopped": stopped}, [words])


def register(app: typer.Typer) -> None:
    """Add the commands."""
    server = typer.Typer(
        no_args_is_help=True,
        help="The server that runs when no other one is named: start, status, stop.",
    )
    command(server, lines=True)(start)
    command(server)(status)
    command(server)(stop)
    app.add_typer(server, name="server", rich_help_panel="Server")
