"""Shell completion of bucket and object names. It is silent and ends after `TIMEOUT`."""

from __future__ import annotations

import asyncio
import glob
import logging
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from jetstow.cli.locations import LOCAL_PREFIXES
from jetstow.cli.session import EMBEDDED, Settings, connect

if TYPE_CHECKING:
    import jetstow

# In seconds.
TIMEOUT: Final = 2.0
MAX_COMPLETIONS: Final = 1000


def buckets(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete the name of a bucket."""

    async def find(js: jetstow.JetStreamContext) -> list[str]:
        return await _buckets(js, incomplete)

    return _complete(ctx, find)


def objects(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete `bucket/`, then `bucket/name`."""

    async def find(js: jetstow.JetStreamContext) -> list[str]:
        bucket, slash, name = incomplete.partition("/")
        if slash:
            return await _objects(js, bucket, name)
        names = await _buckets(js, bucket)
        # The shell adds a space after an only match, so that no name could follow its slash.
        contents = await _objects(js, names[0], "") if len(names) == 1 else []
        return [*(f"{name}/" for name in names), *contents]

    return _complete(ctx, find)


def put_arguments(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete files and objects; nothing for the first argument, so that the shell does it."""
    # click assigns a single argument to `target`.
    if not ctx.params.get("files") and not ctx.params.get("target"):
        return []
    return [*_files(incomplete), *objects(ctx, incomplete)]


def locations(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete files after ./ ../ / and ~, and objects after anything else."""
    if incomplete.startswith(LOCAL_PREFIXES):
        return _files(incomplete)
    return objects(ctx, incomplete)


def _files(incomplete: str) -> list[str]:
    names = glob.glob(f"{glob.escape(incomplete)}*")  # noqa: PTH207 - keeps a leading ./
    return [f"{name}/" if Path(name).is_dir() else name for name in sorted(names)]


async def _buckets(js: jetstow.JetStreamContext, prefix: str) -> list[str]:
    return sorted([name async for name in js.object_store_names() if name.startswith(prefix)])


async def _objects(js: jetstow.JetStreamContext, bucket: str, prefix: str) -> list[str]:
    infos = (await js.object_store(bucket)).list()
    names = sorted([info.name async for info in infos if info.name.startswith(prefix)])
    # Shells separate completions by line breaks.
    return [f"{bucket}/{name}" for name in names if name.isprintable()]


def _complete(
    ctx: typer.Context, find: Callable[[jetstow.JetStreamContext], Awaitable[list[str]]]
) -> list[str]:
    """Return what `find` returns in time; nothing after a timeout or an error."""
    completions: list[str] = []

    async def run() -> None:
        async with asyncio.timeout(TIMEOUT):
            client = await _connect(ctx)
            if client is not None:
                async with client:
                    completions.extend(await find(client.jetstream()))

    def run_silently() -> None:
        with suppress(Exception):
            asyncio.run(run())

    # A DNS lookup may take longer than the timeout, and cannot be cancelled.
    thread = threading.Thread(target=run_silently, daemon=True)
    logging.disable()
    try:
        thread.start()
        thread.join(TIMEOUT + 0.5)
    finally:
        logging.disable(logging.NOTSET)
    return completions[:MAX_COMPLETIONS]


async def _connect(ctx: typer.Context) -> jetstow.Client | None:
    """Connect to the command's server. Return None rather than start an embedded server."""
    own, root = ctx.params, ctx.find_root().params
    settings = Settings(
        server=own.get("server") or root.get("server"),
        creds=own.get("creds") or root.get("creds"),
        timeout=TIMEOUT,
    )
    if settings.server_source != EMBEDDED:
        return await connect(settings, allow_reconnect=False)
    from jetstow import _embedded

    endpoint = _embedded.status()
    if endpoint is None:
        return None
    settings = replace(settings, server=endpoint.url)
    return await connect(settings, token=endpoint.token, allow_reconnect=False)
