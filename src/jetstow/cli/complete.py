"""What a shell may complete: names of buckets and objects, found quickly or not at all."""

from __future__ import annotations

import asyncio
import glob
import logging
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import typer

import jetstow
from jetstow import embedded
from jetstow.cli.session import EMBEDDED, Settings, connect

# How long a user waits for a completion at most, and how many there may be. In seconds.
_PATIENCE: Final = 2.0
_MOST: Final = 1000


def buckets(ctx: typer.Context, incomplete: str) -> list[str]:
    """The buckets' names."""

    async def find() -> list[str]:
        return await _buckets(ctx, incomplete)

    return _quickly(find)


def objects(ctx: typer.Context, incomplete: str) -> list[str]:
    """`bucket/` and, once that is there, `bucket/name`."""

    async def find() -> list[str]:
        bucket, slash, name = incomplete.partition("/")
        if slash:
            return await _objects(ctx, bucket, name)
        found = await _buckets(ctx, bucket)
        # A single one would be completed with a space, and nothing could follow the slash.
        inside = await _objects(ctx, found[0], "") if len(found) == 1 else []
        return [*(f"{bucket}/" for bucket in found), *inside]

    return _quickly(find)


def put_arguments(ctx: typer.Context, incomplete: str) -> list[str]:
    """Files, which the shell itself completes; after the first one, objects as well."""
    if not ctx.params.get("files"):
        return []
    names = glob.glob(f"{glob.escape(incomplete)}*")  # noqa: PTH207 - as the user began it
    files = [f"{name}/" if Path(name).is_dir() else name for name in names]
    return [*files, *objects(ctx, incomplete)]


def _quickly(find: Callable[[], Awaitable[list[str]]]) -> list[str]:
    """What is found in time; nothing, if anything is in the way. Nothing is ever said."""
    logging.disable()
    found: list[str] = []

    async def limited() -> None:
        async with asyncio.timeout(_PATIENCE):
            found.extend(await find())

    def work() -> None:
        with suppress(Exception):
            asyncio.run(limited())

    # Looking up an address may take longer than we wait, and cannot be cancelled.
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(_PATIENCE + 0.5)
    return found[:_MOST]


async def _buckets(ctx: typer.Context, begin: str) -> list[str]:
    client = await _connect(ctx)
    if client is None:
        return []
    async with client:
        names = await client.jetstream().object_store_names()
    return sorted(name for name in names if name.startswith(begin))


async def _objects(ctx: typer.Context, bucket: str, begin: str) -> list[str]:
    client = await _connect(ctx)
    if client is None:
        return []
    async with client:
        store = await client.jetstream().object_store(bucket)
        names = [info.name async for info in store.list() if info.name.startswith(begin)]
    # One with a line break would be completed as two.
    return [f"{bucket}/{name}" for name in sorted(names) if name.isprintable()]


async def _connect(ctx: typer.Context) -> jetstow.Client | None:
    """A connection to what the command will use; None if that would have to be started."""
    settings = Settings(
        server=ctx.params.get("server") or ctx.find_root().params.get("server"),
        creds=ctx.params.get("creds") or ctx.find_root().params.get("creds"),
        timeout=_PATIENCE,
    )
    if settings.place != EMBEDDED:
        return await connect(settings, allow_reconnect=False)
    endpoint = embedded.status()
    if endpoint is None:
        return None
    settings = replace(settings, server=endpoint.url)
    return await connect(settings, token=endpoint.token, allow_reconnect=False)
