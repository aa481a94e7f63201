"""console: open the web console of the S3 gateway."""

from __future__ import annotations

import asyncio
import datetime
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
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from jetstow.cli import help
from jetstow.cli.addresses import AddressInUseError, authority, is_loopback, parse_address
from jetstow.cli.command import command
from jetstow.cli.commands.serve import Listen, new_gateway_loop, serve
from jetstow.cli.errors import CliError, UsageError, missing_packages
from jetstow.cli.gateway_files import default_key_file, load_gateway_keys
from jetstow.cli.render import Result
from jetstow.cli.session import Session

if TYPE_CHECKING:
    from jetstow.s3.auth.keys import Key

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
        yield await _open(url, no_browser, is_own=False)
        return
    try:
        import jetstow.console  # noqa: F401
    except ImportError as error:
        raise missing_packages("console", "console", error) from error
    try:
        async with aclosing(serve(session, listen=listen)) as gateway:
            async for started in gateway:
                yield await _open(started.data["url"], no_browser, is_own=True)
    except AddressInUseError as error:
        message = f"--listen {listen}: a program without the console uses this address"
        raise CliError(message) from error


def _serves_console(url: str) -> bool:
    """Return whether a gateway with a console listens at an address."""
    try:
        _open_url(f"{url}/_console/api/session")
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


def _open_url(url: str) -> None:
    """Send a request to this machine, and not to a proxy of the environment.

    Raises: `OSError` (`HTTPError` for an error status), `http.client.HTTPException`.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open(url, timeout=_PROBE_TIMEOUT).close()


async def _open(gateway: str, no_browser: bool, *, is_own: bool) -> Result:
    """Open the console of a gateway in a browser, and return how to sign in.

    `is_own`: this process runs the gateway.
    """
    url, key_file = f"{gateway}/_console/", default_key_file()
    data = {"url": url, "keys": str(key_file), "access_key": None, "secret_key": None}
    key = await asyncio.to_thread(_first_key, key_file)
    if key is None or not (is_own or await asyncio.to_thread(_accepts, gateway, key)):
        data["keys"] = None
        lines = ["sign in with a key that the gateway was started with (--keys)"]
    else:
        data |= {"access_key": key.access_key, "secret_key": key.secret_key}
        lines = [f"access key  {key.access_key}", f"secret key  {key.secret_key}"]
    if not no_browser and _has_browser():
        await asyncio.to_thread(webbrowser.open, url)
    return Result(data, [f"the console runs at {url}{' until Ctrl-C' if is_own else ''}", *lines])


def _first_key(path: Path) -> Key | None:
    return next(iter(load_gateway_keys(path)[0])) if path.is_file() else None


def _accepts(gateway: str, key: Key) -> bool:
    """Return whether a gateway accepts a key. The request does not contain the secret key."""
    from jetstow.s3.auth.presign import presigned_url

    now = datetime.datetime.now(datetime.UTC)
    url = presigned_url(key, gateway, "/", region="us-east-1", now=now, seconds=60)
    try:
        _open_url(url)
    except urllib.error.HTTPError as error:
        return error.code != HTTPStatus.FORBIDDEN or b"<Code>AccessDenied<" in error.read()
    except (OSError, http.client.HTTPException):
        return False
    return True


def _has_browser() -> bool:
    """Return whether there is a browser with a window: one in the terminal would take it over."""
    if sys.platform in ("darwin", "win32"):
        return True
    return any(os.environ.get(name) for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"))


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=help.SERVER, json_lines=True, new_event_loop=new_gateway_loop)(console)
