"""Shell completion of bucket and object names. It is silent and ends after `TIMEOUT`."""

from __future__ import annotations

import asyncio
import glob
import logging
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from jetstow.cli.connection import EMBEDDED, Settings, connect
from jetstow.cli.locations import LOCAL_PREFIXES
from jetstow.cli.parsers import URL_SCHEME

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
    """Complete `bucket/`, then the folders and objects in it, one level at a time."""
    scheme = URL_SCHEME if incomplete.startswith(URL_SCHEME) else ""

    async def find(js: jetstow.JetStreamContext) -> list[str]:
        bucket, slash, name = incomplete.removeprefix(scheme).partition("/")
        if slash:
            found = await _objects(js, bucket, name)
        else:
            found = [f"{name}/" for name in await _buckets(js, bucket)]
        return [scheme + address for address in found]

    return _complete(ctx, find)


def contexts(incomplete: str) -> list[str]:
    """Complete the name of a context of the nats tool."""
    from jetstow import _nats_context

    return [name for name in _nats_context.list_names() if name.startswith(incomplete)]


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
    folder = prefix[: prefix.rfind("/") + 1]
    names: set[str] = set()
    async for info in (await js.object_store(bucket)).list(prefix):
        # Shells separate completions by line breaks.
        if info.name.isprintable():
            head, slash, _ = info.name[len(folder) :].partition("/")
            names.add(f"{bucket}/{folder}{head}{slash}")
    return sorted(names)


def _complete(
    ctx: typer.Context, find: Callable[[jetstow.JetStreamContext], Awaitable[list[str]]]
) -> list[str]:
    """Return what `find` returns in time; nothing after a timeout or an error."""
    completions: list[str] = []

    async def run() -> None:
        async with asyncio.timeout(TIMEOUT):
            settings, options = _settings(ctx)
            if settings is not None:
                async with await connect(settings, allow_reconnect=False, **options) as client:
                    completions.extend(await find(client.jetstream(**settings.js_options)))

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


def _settings(ctx: typer.Context) -> tuple[Settings | None, dict[str, Any]]:
    """Return the settings and the token of the command's server.

    Return None rather than start an embedded server.
    """
    names = [field.name for field in fields(Settings)]
    settings = Settings()
    for params in (ctx.find_root().params, ctx.params):
        settings = settings.overridden(**{name: params.get(name) for name in names})
    settings = replace(settings, timeout=TIMEOUT)
    if settings.server_source != EMBEDDED:
        return settings, {}
    from jetstow import _embedded

    endpoint = _embedded.status()
    if endpoint is None:
        return None, {}
    return replace(settings, server=endpoint.url), {"token": endpoint.token}
