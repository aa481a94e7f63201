"""mirror: mirror a bucket to another bucket or server."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jetstow.cli import parsers
from jetstow.cli.arguments import Bucket, DryRun, ForceDelete, MaxDelete
from jetstow.cli.change_summary import list_planned, summarize
from jetstow.cli.command import command
from jetstow.cli.errors import UsageError
from jetstow.cli.help import MAINTENANCE
from jetstow.cli.json_data import failed_data
from jetstow.cli.progress import progress
from jetstow.cli.render import Result, format_size
from jetstow.cli.session import Session

if TYPE_CHECKING:
    import jetstow
    from jetstow.types import MirrorResult


async def mirror(
    session: Session,
    bucket: Bucket,
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET", parser=parsers.bucket_name,
            help="Target bucket. It is created with the configuration of BUCKET unless it exists.",
        ),
    ],
    to: Annotated[
        str | None,
        typer.Option(
            metavar="URL", parser=parsers.server_url,
            help="Server of the target bucket: its address, or the name of a nats context "
            "(default: the same server).",
        ),
    ] = None,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete from TARGET what BUCKET does not have.")
    ] = False,
    max_delete: MaxDelete = None,
    force: ForceDelete = False,
    dry_run: DryRun = False,
) -> Result:  # fmt: skip
    """Mirror a bucket to another bucket or server.

    Only new and changed objects are copied, so an interrupted mirror can be repeated. --creds are
    for the server of BUCKET; for a server that needs other credentials, use a nats context with
    --to.
    """
    import jetstow

    if to is None and target == bucket:
        raise UsageError(f"bucket {bucket!r} is both source and target: use another name, or --to")
    source = await session.store(bucket)
    async with _connect_target(session, to) as js:
        store = await _open_or_create(js, source, target, dry_run=dry_run)
        with progress(bucket) as bar:
            result = await jetstow.mirror(
                source, store, delete=delete, max_delete=max_delete, force=force,
                dry_run=dry_run, progress=bar,
            )  # fmt: skip
    for error in result.failed:
        session.report(error)
    return _summary(result, bucket, target, dry_run=dry_run)


@asynccontextmanager
async def _connect_target(
    session: Session, to: str | None
) -> AsyncGenerator[jetstow.JetStreamContext, None]:
    """Connect to an address or a nats context; an address contains a colon, a name does not."""
    if to is None:
        yield await session.js()
        return
    from jetstow import _nats_context

    options: dict[str, Any] = {}
    js_options: dict[str, Any] = {}
    if ":" not in to:
        context = _nats_context.load(to)
        options = dict(context.options)
        to = ",".join(options.pop("servers"))
        js_options |= context.js_options
    if session.settings.timeout:
        js_options["timeout"] = session.settings.timeout
    async with Session(replace(session.settings, server=to, creds=None)) as other:
        yield (await other.client(**options)).jetstream(**js_options)


async def _open_or_create(
    js: jetstow.JetStreamContext, source: jetstow.ObjectStore, bucket: str, *, dry_run: bool
) -> jetstow.ObjectStore | None:
    """Return the target bucket; None if a dry run would create it."""
    from jetstow._transfer.plan import config_from_status, create_bucket
    from jetstow.errors import BucketNotFoundError

    try:
        return await js.object_store(bucket)
    except BucketNotFoundError:
        if dry_run:
            return None
    return await create_bucket(js, config_from_status(await source.status(), bucket))


def _summary(result: MirrorResult, bucket: str, target: str, *, dry_run: bool) -> Result:
    data = {
        "source": bucket,
        "target": target,
        "dry_run": dry_run,
        "copied": result.copied,
        "updated": result.updated,
        "unchanged": len(result.unchanged),
        "removed": result.removed,
        "size": result.size,
        "failed": failed_data(result.failed),
    }
    lines = []
    if dry_run:
        lines += list_planned("copy", result.copied)
        lines += list_planned("update", result.updated)
        lines += list_planned("delete", result.removed)
    changes = (
        ("copy", f"{len(result.copied)} ({format_size(result.size)})"),
        ("update", str(len(result.updated))),
        ("delete", str(len(result.removed))),
    )
    summary = f"{summarize(changes, dry_run=dry_run)}, {len(result.unchanged)} unchanged"
    return Result(data, [*lines, f"bucket {target!r}: {summary}"])


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=MAINTENANCE)(mirror)
