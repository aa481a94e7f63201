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
    if not yes and (contents := await _contents(session, bucket)):
        await confirm(f"bucket {bucket!r} {contents}", "delete all of it?")
    await (await session.js()).delete_object_store(bucket)
    return Result({"bucket": bucket, "removed": True}, notices=[f"deleted bucket {bucket!r}"])


async def _contents(session: Session, bucket: str) -> str:
    """Return what is in a bucket, or "" if it is empty."""
    from jetstow.errors import WrongStreamError

    try:
        store = await session.store(bucket)
    except WrongStreamError:
        return "cannot be read, and may not be empty"
    if (size := (await store.status()).size) == 0:
        return ""
    contents = f"is not empty ({format_size(size)})"
    async for _ in store.list():
        return contents
    if await store.versions():
        return f"has no objects, but older versions ({format_size(size)})"
    # Objects whose metadata cannot be read are not listed.
    return contents if (await store.verify(quick=True)).findings else ""


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=BUCKETS)(rb)
