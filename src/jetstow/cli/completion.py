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
from typing import TYPE_CHECKING, Final

import typer

from jetstow.cli.session import EMBEDDED, Settings, connect

if TYPE_CHECKING:
    import jetstow

# How long a user waits for a completion at most, and how many there may be. In seconds.
_PATIENCE: Final = 2.0
_MOST: Final = 1000


def buckets(ctx: typer.Context, incomplete: str) -> list[str]:
    """The buckets' names."""

    async def find(js: jetstow.JetStreamContext) -> list[str]:
        return await _buckets(js, incomplete)

    return _quickly(ctx, find)


def objects(ctx: typer.Context, incomplete: str) -> list[str]:
    """`bucket/` and, once that is there, `bucket/name`."""

    async def find(js: jetstow.JetStreamContext) -> list[str]:
        bucket, slash, name = incomplete.partition("/")
        if slash:
            return await _objects(js, bucket, name)
        found = await _buckets(js, bucket)
        # A single one would be completed with a space, and nothing could follow the slash.
        inside = await _objects(js, found[0], "") if len(found) == 1 else []
        return [*(f"{bucket}/" for bucket in found), *inside]

    return _quickly(ctx, find)


def put_arguments(ctx: typer.Context, incomplete: str) -> list[str]:
    """Files, which the shell itself completes; after the first one, objects as well."""
    # A file that stands alone is taken for the target.
    if not ctx.params.get("files") and not ctx.params.get("target"):
        return []
    return [*_files(incomplete), *objects(ctx, incomplete)]


def places(ctx: typer.Context, incomplete: str) -> list[str]:
    """Files where one is begun, as in `./`, and objects everywhere else."""
    if incomplete.startswith(("./", "../", "/", "~")):
        return _files(incomplete)
    return objects(ctx, incomplete)


def _files(incomplete: str) -> list[str]:
    names = glob.glob(f"{glob.escape(incomplete)}*")  # noqa: PTH207 - as the user began it
    return [f"{name}/" if Path(name).is_dir() else name for name in sorted(names)]


async def _buckets(js: jetstow.JetStreamContext, begin: str) -> list[str]:
    return sorted([name async for name in js.object_store_names() if name.startswith(begin)])


async def _objects(js: jetstow.JetStreamContext, bucket: str, begin: str) -> list[str]:
    listed = (await js.object_store(bucket)).list()
    names = sorted([info.name async for info in listed if info.name.startswith(begin)])
    # One with a line break would be completed as two.
    return [f"{bucket}/{name}" for name in names if name.isprintable()]


def _quickly(
    ctx: typer.Context, find: Callable[[jetstow.JetStreamContext], Awaitable[list[str]]]
) -> list[str]:
    """What is found in time; nothing, if anything is in the way. Nothing is ever said."""
    found: list[str] = []

    async def look() -> None:
        async with asyncio.timeout(_PATIENCE):
            client = await _connect(ctx)
            if client is not None:
                async with client:
                    found.extend(await find(client.jetstream()))

    def work() -> None:
        with suppress(Exception):
            asyncio.run(look())

    # Looking up an address may take longer than we wait, and cannot be cancelled.
    thread = threading.Thread(target=work, daemon=True)
    logging.disable()
    try:
        thread.start()
        thread.join(_PATIENCE + 0.5)
    finally:
        logging.disable(logging.NOTSET)
    return found[:_MOST]


async def _connect(ctx: typer.Context) -> jetstow.Client | None:
    """A connection to what the command will use; None if that would have to be started."""
    given, before = ctx.params, ctx.find_root().params
    settings = Settings(
        server=given.get("server") or before.get("server"),
        creds=given.get("creds") or before.get("creds"),
        timeout=_PATIENCE,
    )
    if settings.place != EMBEDDED:
        return await connect(settings, allow_reconnect=False)
    from jetstow import _embedded

    endpoint = _embedded.status()
    if endpoint is None:
        return None
    settings = replace(settings, server=endpoint.url)
    return await connect(settings, token=endpoint.token, allow_reconnect=False)
