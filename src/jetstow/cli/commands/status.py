"""status: show the details of a bucket, or of the server."""

from __future__ import annotations

from typing import Annotated

import typer

from jetstow.cli import completion, parsers
from jetstow.cli.command import command
from jetstow.cli.help import BUCKETS
from jetstow.cli.render import Result, details, format_size
from jetstow.cli.session import Session
from jetstow.cli.tables import bucket_details


async def status(
    session: Session,
    bucket: Annotated[
        str | None,
        typer.Argument(
            metavar="[BUCKET]", parser=parsers.bucket_name, autocompletion=completion.buckets,
            help="Bucket (default: show the server and the number of its buckets).",
        ),
    ] = None,
) -> Result:  # fmt: skip
    """Show the details of a bucket, or of the server."""
    if bucket is not None:
        return bucket_details(await (await session.store(bucket)).status())
    client, js = await session.client(), await session.js()
    statuses = await js.object_stores()
    address, version = await session.connected_server()
    source, size = session.settings.server_source, sum(status.size for status in statuses)
    data = {
        "server": address,
        "chosen_by": source,
        "version": version,
        "max_payload": client.max_payload,
        "buckets": len(statuses),
        "size": size,
    }
    pairs = [
        ("server", f"{address} ({source})"),
        ("version", version),
        ("max payload", f"{format_size(client.max_payload)} per message"),
        ("buckets", str(len(statuses))),
        ("size", format_size(size)),
    ]
    return details(pairs, data)


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=BUCKETS)(status)
