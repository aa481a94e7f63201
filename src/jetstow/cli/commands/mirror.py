"""mirror: mirror a bucket to another bucket or server."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from jetstow.cli import parsers
from jetstow.cli.arguments import Bucket, DryRun, ForceDelete, MaxDelete
from jetstow.cli.change_summary import report_changes, summarize
from jetstow.cli.command import command
from jetstow.cli.errors import UsageError
from jetstow.cli.help import MAINTENANCE
from jetstow.cli.json_data import failed_data
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

    Only new and changed objects are copied, so an interrupted mirror can be repeated. Credentials,
    TLS files and the domain are for the server of BUCKET. If the other server needs them, too, use
    a nats context with --to.
    """
    import jetstow

    if to is None and target == bucket:
        raise UsageError(f"bucket {bucket!r} is both source and target: use another name, or --to")
    source = await session.store(bucket)
    async with _connect_target(session, to) as js:
        store = await _open_or_create(js, source, target, dry_run=dry_run)
        with session.progress(bucket) as bar:
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
    """Connect to an address or a nats context."""
    if to is None:
        yield await session.js()
        return
    async with Session(session.settings.for_server(to)) as other:
        yield await other.js()


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
    changes = (
        ("copy", f"{len(result.copied)} ({format_size(result.size)})"),
        ("update", str(len(result.updated))),
        ("delete", str(len(result.removed))),
    )
    summary = f"{summarize(changes, dry_run=dry_run)}, {len(result.unchanged)} unchanged"
    planned = {"copy": result.copied, "update": result.updated, "delete": result.removed}
    return report_changes(data, planned, f"bucket {target!r}: {summary}", dry_run=dry_run)


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=MAINTENANCE)(mirror)
