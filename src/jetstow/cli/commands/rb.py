"""rb: delete a bucket and everything in it."""

from __future__ import annotations

import typer

from jetstow.cli.arguments import Bucket, Yes
from jetstow.cli.command import command
from jetstow.cli.confirm import confirm
from jetstow.cli.help import BUCKETS
from jetstow.cli.render import Result, format_size
from jetstow.cli.session import Session


async def rb(session: Session, bucket: Bucket, yes: Yes = False) -> Result:
    """Delete a bucket and everything in it.

    Asks for confirmation unless the bucket is empty.
    """
    await session.store(bucket)
    if not yes and (size := await _size_if_not_empty(session, bucket)):
        await confirm(f"bucket {bucket!r} is not empty ({size})", "delete all of it?")
    await (await session.js()).delete_object_store(bucket)
    return Result({"bucket": bucket, "removed": True}, notices=[f"deleted bucket {bucket!r}"])


async def _size_if_not_empty(session: Session, bucket: str) -> str:
    store = await session.store(bucket)
    async for _ in store.list():
        return format_size((await store.status()).size)
    return ""


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=BUCKETS)(rb)
