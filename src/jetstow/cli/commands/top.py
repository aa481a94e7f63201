"""top: show buckets, rates and clients, again and again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from jetstow.cli import parsers
from jetstow.cli.command import command
from jetstow.cli.errors import UsageError, missing_packages
from jetstow.cli.help import SERVER
from jetstow.cli.render import Result
from jetstow.cli.session import Session
from jetstow.cli.stdio import stdio_is_terminal

if TYPE_CHECKING:
    from jetstow.cli.top.gateway import GatewayMetrics
    from jetstow.cli.top.sample import SortKey
    from jetstow.cli.top.server import Sampler

# In seconds.
DEFAULT_INTERVAL: Final = 2.0
MIN_INTERVAL: Final = 0.1


async def top(
    session: Session,
    interval: Annotated[
        float | None,
        typer.Option(
            "--interval", "-i", metavar="TIME", parser=parsers.duration,
            help="Time between two samples: 500ms, 10s (default: 2s).",
        ),
    ] = None,
    sort: Annotated[
        Literal["bucket", "size", "objects", "writes", "growth"],
        typer.Option(
            metavar="COLUMN", help="bucket, size, objects, writes or growth (default: bucket)."
        ),
    ] = "bucket",
    name: Annotated[
        str, typer.Option("--filter", metavar="TEXT", help="Only buckets with this in their names.")
    ] = "",
    admin: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Also show the slowest operations of an S3 gateway: the address of its --admin.",
        ),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Print one sample, after one interval, and end.")
    ] = False,
) -> AsyncGenerator[Result, None]:  # fmt: skip
    """Show buckets with size, objects, rates and clients (live).

    WRITES/s are messages that are written to a bucket each second: the chunks and the metadata of
    objects. GROWTH/s are bytes that it grows or shrinks by. The server counts what is read for each
    client, not for each bucket. What it does not report is left out, or a dash.

    On a terminal, keys change the order, the filter and the interval: press ? for help. In a pipe,
    with --once or with --json, each sample is printed as text or as a line of JSON.
    """
    from jetstow.cli.top.server import Sampler

    interval = DEFAULT_INTERVAL if interval is None else interval
    if interval < MIN_INTERVAL:
        raise UsageError(f"--interval must be at least {MIN_INTERVAL:g} seconds")
    gateway = None if admin is None else _gateway(admin)
    sampler = Sampler(session, gateway)
    try:
        if once or session.settings.json or not stdio_is_terminal():
            async for result in _blocks(sampler, interval, sort, name, once=once):
                yield result
        else:
            await _show(session, sampler, interval, sort, name, has_gateway=gateway is not None)
    finally:
        await sampler.close()


def _gateway(url: str) -> GatewayMetrics:
    try:
        import prometheus_client.parser  # noqa: F401
    except ImportError as error:
        raise missing_packages("--admin", "console", error) from error
    from jetstow.cli.top.gateway import GatewayMetrics

    return GatewayMetrics(url)


async def _blocks(
    sampler: Sampler, interval: float, sort: SortKey, name: str, *, once: bool
) -> AsyncGenerator[Result, None]:
    """Yield a sample after each interval, with the rates in it."""
    from jetstow.cli.top.sample import load, select
    from jetstow.cli.top.text import block

    before = await sampler.take()
    if once:
        await sampler.wait_counted(interval)
    while True:
        await asyncio.sleep(interval)
        now = await sampler.take()
        loaded = load(before, now)
        yield block(loaded, select(loaded.buckets, sort, name))
        if once:
            return
        before = now


async def _show(
    session: Session,
    sampler: Sampler,
    interval: float,
    sort: SortKey,
    name: str,
    *,
    has_gateway: bool,
) -> None:
    try:
        from jetstow.cli.screen.app import RECONNECT_FOREVER, run
        from jetstow.cli.top.app import TopApp
    except ImportError as error:
        raise missing_packages("top without --once", "console", error) from error
    client = await session.client(**RECONNECT_FOREVER)
    app = TopApp(
        client,
        sampler,
        interval=interval,
        sort=sort,
        filter_text=name,
        has_gateway=has_gateway,
    )
    await run(app)


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=SERVER, json_lines=True)(top)
