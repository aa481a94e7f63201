"""server: run, show or stop the embedded server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from jetstow.cli import errors, help
from jetstow.cli.arguments import CONNECTION_OPTIONS
from jetstow.cli.command import command
from jetstow.cli.connection import connect
from jetstow.cli.render import Result, details
from jetstow.cli.session import Session
from jetstow.cli.stdio import end_interrupted_line

if TYPE_CHECKING:
    from jetstow._embedded import Endpoint


async def start(session: Session) -> AsyncGenerator[Result, None]:
    """Start the server and run it until Ctrl-C.

    After Ctrl-C, the server stops once no other process uses it.
    """
    from jetstow import _embedded
    from jetstow.errors import EmbeddedServerError

    async with await _embedded.acquire() as lease:
        endpoint, lost = lease.endpoint, asyncio.Event()

        async def on_disconnect() -> None:
            lost.set()

        settings = replace(session.settings, server=endpoint.url)
        async with await connect(settings, token=endpoint.token, disconnected_cb=on_disconnect):
            yield _details(endpoint, "the server runs until Ctrl-C")
            try:
                await lost.wait()
            except asyncio.CancelledError:
                end_interrupted_line()
                return  # Ctrl-C or SIGTERM: the exit code is 0
        raise EmbeddedServerError("the server was stopped")


async def status(session: Session) -> Result:
    """Show whether the server runs, its address and its data folder."""
    from jetstow import _embedded

    endpoint = await asyncio.to_thread(_embedded.status)
    if endpoint is None:
        session.exit_code = errors.NOT_FOUND
        home = str(_embedded.home())
        return Result({"running": False, "home": home}, [f"no server runs in {home}"])
    return _details(endpoint, "the server runs")


async def stop(_: Session) -> Result:
    """Stop the server, even if other processes use it."""
    from jetstow import _embedded

    stopped = await asyncio.to_thread(_embedded.stop)
    line = "the server is stopped" if stopped else f"no server runs in {_embedded.home()}"
    return Result({"stopped": stopped}, notices=[line])


def _details(endpoint: Endpoint, state: str) -> Result:
    from jetstow import _embedded

    data = {
        "running": True,
        "home": str(_embedded.home()),
        "url": endpoint.url,
        "version": endpoint.version,
        "pid": endpoint.pid,
        "store_dir": str(endpoint.store_dir),
    }
    pairs = [
        ("url", endpoint.url),
        ("version", endpoint.version),
        ("process", str(endpoint.pid)),
        ("data", str(endpoint.store_dir)),
    ]
    return Result(data, [state, *details(pairs, data).lines])


def register(app: typer.Typer) -> None:
    """Add the command with its subcommands."""
    server = typer.Typer(
        cls=help.Group,
        no_args_is_help=True,
        rich_markup_mode=None,
        help="Run, show or stop the embedded server.\n\nEvery command uses it unless another "
        "server is named. It is a nats-server on this machine, with its data in JETSTOW_HOME "
        "(default: your data folder). The first process that needs it starts it, and the last "
        "one stops it.",
    )
    unused = CONNECTION_OPTIONS
    command(server, without=unused, json_lines=True)(start)
    command(server, without=unused)(status)
    command(server, without=unused)(stop)
    app.add_typer(server, name="server", rich_help_panel=help.SERVER)
