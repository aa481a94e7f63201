"""The embedded server: the one that every `jetstow` without another one uses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from jetstow.cli import errors
from jetstow.cli.command import command
from jetstow.cli.help import Group
from jetstow.cli.render import Answer, facts
from jetstow.cli.session import Session, connect

if TYPE_CHECKING:
    from jetstow._embedded import Endpoint


async def start(session: Session) -> AsyncGenerator[Answer, None]:
    """Run the server until Ctrl-C.

    It goes on as long as others use it.
    """
    from jetstow import _embedded
    from jetstow.errors import EmbeddedServerError

    async with await _embedded.acquire() as hold:
        lost = asyncio.Event()

        async def on_loss() -> None:
            lost.set()

        settings = replace(session.settings, server=hold.endpoint.url)
        async with await connect(settings, token=hold.endpoint.token, disconnected_cb=on_loss):
            yield _told(hold.endpoint, "the server runs until Ctrl-C")
            try:
                await lost.wait()
            except asyncio.CancelledError:
                return  # as it should end
        raise EmbeddedServerError("the server was stopped")


async def status(session: Session) -> Answer:
    """Tell whether the server runs, and where."""
    from jetstow import _embedded

    endpoint = await asyncio.to_thread(_embedded.status)
    if endpoint is None:
        session.code = errors.NOT_FOUND
        home = _embedded.home()
        return Answer({"running": False, "home": str(home)}, [f"no server runs in {home}"])
    return _told(endpoint, "the server runs")


def _told(endpoint: Endpoint, words: str) -> Answer:
    from jetstow import _embedded

    data = {
        "running": True,
        "home": str(_embedded.home()),
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


async def stop(_: Session) -> Answer:
    """Stop the server, even if others use it."""
    from jetstow import _embedded

    stopped = await asyncio.to_thread(_embedded.stop)
    words = "the server is stopped" if stopped else f"no server runs in {_embedded.home()}"
    return Answer({"stopped": stopped}, [words])


def register(app: typer.Typer) -> None:
    """Add the commands."""
    server = typer.Typer(
        cls=Group,
        no_args_is_help=True,
        rich_markup_mode=None,
        help="Run, find or stop a server of one's own.\n\nIt is what every command uses where no "
        "other server is named: a nats-server on this machine, with its data in a folder of the "
        "user, or in JETSTOW_HOME. It starts by itself, and stops after its last user.",
    )
    elsewhere = {"server", "creds", "timeout"}
    command(server, without=elsewhere, lines=True)(start)
    command(server, without=elsewhere)(status)
    command(server, without=elsewhere)(stop)
    app.add_typer(server, name="server", rich_help_panel="Server")
