"""console: open the web console of the S3 gateway."""

from __future__ import annotations

import asyncio
import errno
import http.client
import json
import os
import sys
import urllib.error
import urllib.request
import webbrowser
from collections.abc import AsyncGenerator
from contextlib import aclosing
from http import HTTPStatus
from typing import Annotated, Final

import typer

from jetstow.cli import help
from jetstow.cli.addresses import authority, is_loopback, parse_address
from jetstow.cli.command import command
from jetstow.cli.commands.serve import Listen, new_gateway_loop, serve
from jetstow.cli.errors import CliError, UsageError
from jetstow.cli.gateway_files import default_key_file, load_gateway_keys
from jetstow.cli.render import Result
from jetstow.cli.session import Session

NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Print the address only.")]

# How long a process on the port may take to answer, in seconds.
_PROBE_TIMEOUT: Final = 10.0


async def console(
    session: Session, listen: Listen = "127.0.0.1:9000", no_browser: NoBrowser = False
) -> AsyncGenerator[Result, None]:
    """Open the web console of the S3 gateway in a browser.

    If no gateway listens at the address, it runs one until Ctrl-C, as `jetstow serve` does: with
    the embedded server, unless another server is named.
    """
    host, port = parse_address("--listen", listen)
    if not is_loopback(host):
        raise UsageError(f"--listen {listen} is not on loopback: use `jetstow serve` there")
    url = f"http://{authority(host, port)}"
    if port and await asyncio.to_thread(_serves_console, url):
        yield await _open(f"{url}/_console/", no_browser, "")
        return
    try:
        import jetstow.console  # noqa: F401
    except ImportError as error:
        raise UsageError(f"console needs the package jetstow[console]: {error}") from error
    try:
        async with aclosing(serve(session, listen=listen)) as gateway:
            async for started in gateway:
                yield await _open(started.data["console"], no_browser, " until Ctrl-C")
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        message = f"--listen {listen}: a program without the console uses this address"
        raise CliError(message) from error


def _serves_console(url: str) -> bool:
    """Return whether a gateway with a console listens at an address."""
    try:
        # Only http on loopback: `parse_address` has checked the host.
        urllib.request.urlopen(f"{url}/_console/api/session", timeout=_PROBE_TIMEOUT)  # noqa: S310
    except urllib.error.HTTPError as error:
        if error.code != HTTPStatus.UNAUTHORIZED:
            return False
        try:
            return bool(json.load(error)["error"]["code"] == "SignInRequired")
        except (KeyError, TypeError, ValueError):
            return False
    except (OSError, http.client.HTTPException):
        return False
    return False


async def _open(url: str, no_browser: bool, until: str) -> Result:
    """Open the console in a browser, and return how to sign in."""
    key_file = default_key_file()
    lines = [f"the console runs at {url}{until}"]
    data = {"url": url, "keys": str(key_file), "access_key": None, "secret_key": None}
    if key_file.is_file():
        keys, _, _ = await asyncio.to_thread(load_gateway_keys, key_file)
        key = next(iter(keys))
        data |= {"access_key": key.access_key, "secret_key": key.secret_key}
        lines += [f"access key  {key.access_key}", f"secret key  {key.secret_key}"]
    if not no_browser and _has_browser():
        await asyncio.to_thread(webbrowser.open, url)
    return Result(data, lines)


def _has_browser() -> bool:
    """Return whether there is a browser with a window: one in the terminal would take it over."""
    if sys.platform in ("darwin", "win32"):
        return True
    return any(os.environ.get(name) for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"))


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=help.SERVER, json_lines=True, new_event_loop=new_gateway_loop)(console)
