"""serve: run the S3 gateway."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jetstow.cli import help
from jetstow.cli.command import command
from jetstow.cli.connection import connect
from jetstow.cli.errors import UsageError
from jetstow.cli.render import Result
from jetstow.cli.session import Session

if TYPE_CHECKING:
    import jetstow
    from jetstow.s3.auth.keys import Key, Keys

Listen = Annotated[str, typer.Option(metavar="HOST:PORT", help="The address to listen on.")]
KeyFile = Annotated[
    Path | None,
    typer.Option("--keys", metavar="FILE", help="The access keys (TOML); default: one random key."),
]
BaseDomain = Annotated[
    list[str] | None,
    typer.Option(metavar="DOMAIN", help="BUCKET.DOMAIN is a bucket, too; may be repeated."),
]


async def serve(
    session: Session,
    listen: Listen = "127.0.0.1:9000",
    keys: KeyFile = None,
    base_domain: BaseDomain = None,
) -> AsyncGenerator[Result, None]:
    """Run the S3 gateway: clients of S3 use the buckets.

    Without --keys, it makes one key at random, and listens on loopback only. Ctrl-C ends it after
    the requests in progress.
    """
    try:
        from jetstow.s3 import server
        from jetstow.s3.app import Gateway
    except ImportError as error:
        raise UsageError(f"serve needs the package jetstow[s3]: {error}") from error
    host, port = _parse_address(listen)
    if keys is None and not _is_loopback(host):
        raise UsageError(f"--listen {listen} is not on loopback: it needs --keys")
    loaded, key_file, is_new = await asyncio.to_thread(_load_keys, keys)
    async with AsyncExitStack() as stack:

        async def connect_as(creds: Path) -> jetstow.JetStreamContext:
            settings = replace(session.settings, creds=creds, nkey=None)
            client = await stack.enter_async_context(await connect(settings))
            return client.jetstream(**settings.js_options)

        gateway = Gateway(
            await session.js(), loaded, base_domains=base_domain or (), connect=connect_as
        )
        listener = server.listen(host, port)
        server.tune_malloc()
        url = f"http://{_authority(host, listener.getsockname()[1])}"
        try:
            async with server.serving(gateway, listener) as running:
                yield _started(url, key_file, next(iter(loaded)), is_new)
                await asyncio.shield(running)
        except asyncio.CancelledError:
            return  # Ctrl-C or SIGTERM: the exit code is 0


def _parse_address(listen: str) -> tuple[str, int]:
    host, colon, port = listen.rpartition(":")
    if not (colon and host and port.isdigit() and int(port) < 65536):
        raise UsageError(f"--listen {listen} must be HOST:PORT")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _load_keys(path: Path | None) -> tuple[Keys, Path, bool]:
    """Return the keys, their file, and whether it was made now."""
    from jetstow import _embedded
    from jetstow.s3.auth.keys import KeyFileError, load_keys, load_or_generate_key

    try:
        if path is not None:
            return load_keys(path), path, False
        path = _embedded.home() / "s3-keys.toml"
        loaded, is_new = load_or_generate_key(path)
    except KeyFileError as error:
        raise UsageError(str(error)) from error
    return loaded, path, is_new


def _started(url: str, key_file: Path, key: Key, is_new: bool) -> Result:
    """Return the address, and how to use it with the AWS command line."""
    secret = key.secret_key if is_new else f"(secret_key in {key_file})"
    return Result(
        {"url": url, "keys": str(key_file)},
        [
            f"the S3 gateway runs at {url} until Ctrl-C",
            f"keys  {key_file}",
            "",
            f"export AWS_ENDPOINT_URL={url} AWS_REGION=us-east-1",
            f"export AWS_ACCESS_KEY_ID={key.access_key} AWS_SECRET_ACCESS_KEY='{secret}'",
            "aws s3 ls",
        ],
    )


def _new_event_loop() -> asyncio.AbstractEventLoop:
    """Return uvloop's event loop, which is faster; asyncio's on Windows."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=help.SERVER, json_lines=True, new_event_loop=_new_event_loop)(serve)
