"""seal: make a bucket read-only."""

from __future__ import annotations

import typer

from jetstow.cli.arguments import Bucket, Yes
from jetstow.cli.command import command
from jetstow.cli.confirm import confirm
from jetstow.cli.help import BUCKETS
from jetstow.cli.json_data import bucket_data
from jetstow.cli.render import Result
from jetstow.cli.session import Session


async def seal(session: Session, bucket: Bucket, yes: Yes = False) -> Result:
    """Make a bucket read-only, forever.

    Asks for confirmation: this cannot be undone. A sealed bucket can still be deleted with rb.
    """
    store = await session.store(bucket)
    if not yes:
        await confirm(f"sealing bucket {bucket!r} cannot be undone", "seal it?")
    await store.seal()
    return Result(bucket_data(await store.status()), notices=[f"sealed bucket {bucket!r}"])


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=BUCKETS)(seal)
