"""mb: create a bucket."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from jetstow.cli import parsers
from jetstow.cli.arguments import Metadata, Replicas, Storage
from jetstow.cli.command import command
from jetstow.cli.help import BUCKETS
from jetstow.cli.json_data import bucket_data
from jetstow.cli.render import Result
from jetstow.cli.session import Session


async def mb(
    session: Session,
    bucket: Annotated[str, typer.Argument(metavar="BUCKET", parser=parsers.bucket_name)],
    description: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Description of the bucket.")
    ] = None,
    ttl: Annotated[
        float | None,
        typer.Option(
            metavar="TIME", parser=parsers.duration,
            help="Delete each object after this time: 12h, 30d (default: never).",
        ),
    ] = None,
    max_bytes: Annotated[
        int | None,
        typer.Option(
            metavar="SIZE", parser=parsers.size,
            help="Maximum size of the bucket: 500M, 10G (default: no limit).",
        ),
    ] = None,
    storage: Storage = None,
    replicas: Replicas = None,
    compression: Annotated[
        Literal["s2", "none"] | None,
        typer.Option(metavar="s2|none", help="Compression on disk (default: none)."),
    ] = None,
    metadata: Metadata = None,
    versioned: Annotated[
        bool,
        typer.Option("--versioned", help="Keep replaced and deleted objects as versions."),
    ] = False,
) -> Result:  # fmt: skip
    """Create a bucket.

    A bucket that exists already with the same configuration is not an error.
    """
    from jetstow import StorageType

    js = await session.js()
    store = await js.create_object_store(
        bucket,
        description=description,
        ttl=ttl,
        max_bytes=max_bytes,
        storage=None if storage is None else StorageType(storage),
        replicas=replicas,
        compression=compression,
        metadata=parsers.key_values("--metadata", metadata),
        versioned=versioned or None,
    )
    return Result(bucket_data(await store.status()), notices=[f"bucket {bucket!r} is ready"])


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=BUCKETS)(mb)
