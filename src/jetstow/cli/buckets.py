"""Buckets: made, shown, sealed, removed."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from jetstow.cli import completion, parsers
from jetstow.cli.arguments import Bucket
from jetstow.cli.command import command
from jetstow.cli.errors import Told, WrongUsage
from jetstow.cli.render import Answer, bucket_data, bytes_of, facts, moment, span, table
from jetstow.cli.session import Session
from jetstow.cli.stdio import is_terminal, read, stdin

if TYPE_CHECKING:
    from jetstow import BucketStatus

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


async def mb(
    session: Session,
    bucket: Annotated[str, typer.Argument(metavar="BUCKET", parser=parsers.bucket_name)],
    description: Annotated[str | None, typer.Option(metavar="TEXT", help="What it is for.")] = None,
    ttl: Annotated[
        float | None,
        typer.Option(
            metavar="TIME", parser=parsers.duration, help="Objects expire after 12h, 30d."
        ),
    ] = None,
    max_bytes: Annotated[
        int | None,
        typer.Option(
            metavar="SIZE", parser=parsers.size, help="What it may hold at most: 500M, 10G."
        ),
    ] = None,
    storage: Annotated[
        Literal["file", "memory"] | None,
        typer.Option(metavar="file|memory", help="Where it is kept (default: file)."),
    ] = None,
    replicas: Annotated[
        int | None,
        typer.Option(metavar="N", parser=parsers.whole, help="Copies in a cluster (default: 1)."),
    ] = None,
    compression: Annotated[
        Literal["s2", "none"] | None,
        typer.Option(metavar="s2|none", help="How it is kept on disk (default: none)."),
    ] = None,
    metadata: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="A note; may be repeated.")
    ] = None,
) -> Answer:
    """Make a bucket."""
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
        metadata=parsers.notes("--metadata", metadata),
    )
    return Answer(bucket_data(await store.status()), [f"bucket {bucket!r} is ready"])


async def rb(session: Session, bucket: Bucket, yes: Yes = False) -> Answer:
    """Remove a bucket and everything in it.

    Asks first if there is something in it.
    """
    store = await session.store(bucket)
    if not yes and (inside := await _size_if_any(session, bucket)):
        await _confirm(f"bucket {bucket!r} is not empty ({inside})", "remove all of it?")
    await (await session.js()).delete_object_store(store.bucket)
    return Answer({"bucket": bucket, "removed": True}, [f"bucket {bucket!r} is removed"])


async def _size_if_any(session: Session, bucket: str) -> str:
    store = await session.store(bucket)
    async for _ in store.list():
        return bytes_of((await store.status()).size)
    return ""


async def buckets(session: Session) -> Answer:
    """List the buckets."""
    js = await session.js()
    return bucket_table(await js.object_stores())


def bucket_table(found: Iterable[BucketStatus]) -> Answer:
    """Buckets by name."""
    found = sorted(found, key=lambda status: status.bucket)
    rows = [
        (
            bytes_of(status.size),
            moment(status.created),
            status.bucket + (" (sealed)" if status.sealed else ""),
            status.description or "",
        )
        for status in found
    ]
    columns = (">SIZE", "CREATED", "BUCKET", "DESCRIPTION")
    return table(columns, rows, [bucket_data(status) for status in found])


def bucket_facts(status: BucketStatus) -> Answer:
    """Everything about one bucket."""
    data = bucket_data(status)
    limit = f" of at most {bytes_of(status.max_bytes)}" if status.max_bytes >= 0 else ""
    pairs = [
        ("bucket", status.bucket),
        ("description", status.description or ""),
        ("size", f"{bytes_of(status.size)}{limit} ({status.size} bytes)"),
        ("sealed", "yes: nothing in it can change" if status.sealed else "no"),
        ("created", moment(status.created)),
        ("expiry", f"{span(status.ttl)} after an object was stored" if status.ttl else "never"),
        ("storage", data["storage"] + (", compressed" if status.compressed else "")),
        ("replicas", str(status.replicas)),
        *(("metadata", f"{key} = {value}") for key, value in status.metadata.items()),
    ]
    return facts(pairs, data)


async def seal(session: Session, bucket: Bucket, yes: Yes = False) -> Answer:
    """Let nothing in a bucket change any more.

    Asks first: it cannot be undone.
    """
    store = await session.store(bucket)
    if not yes:
        await _confirm(f"sealing bucket {bucket!r} cannot be undone", "seal it?")
    await store.seal()
    return Answer(bucket_data(await store.status()), [f"bucket {bucket!r} is sealed"])


async def _confirm(statement: str, question: str) -> None:
    """Go on only after a yes. Raises `WrongUsage` where nobody can be asked."""
    if not is_terminal(sys.stdin):
        raise WrongUsage(f"{statement}: add --yes if you mean it")
    print(f"{statement}: {question} [y/N] ", end="", file=sys.stderr, flush=True)
    async with aclosing(read(stdin())) as answers:
        reply = await anext(answers, b"")
    if reply.strip().lower() not in {b"y", b"yes"}:
        raise Told("nothing was changed")


async def status(
    session: Session,
    bucket: Annotated[
        str | None,
        typer.Argument(
            metavar="[BUCKET]", parser=parsers.bucket_name, autocompletion=completion.buckets,
        ),
    ] = None,
) -> Answer:  # fmt: skip
    """Tell how a bucket is, or the server."""
    if bucket is not None:
        return bucket_facts(await (await session.store(bucket)).status())
    client, js = await session.client(), await session.js()
    found = await js.object_stores()
    address, version = await session.server()
    data = {
        "server": address,
        "chosen_by": session.settings.place,
        "version": version,
        "max_payload": client.max_payload,
        "buckets": len(found),
        "size": sum(status.size for status in found),
    }
    pairs = [
        ("server", f"{address} ({session.settings.place})"),
        ("version", version),
        ("payload", f"at most {bytes_of(client.max_payload)} a message"),
        ("buckets", str(len(found))),
        ("size", bytes_of(sum(status.size for status in found))),
    ]
    return facts(pairs, data)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for work in (mb, rb, buckets, seal, status):
        command(app, panel="Buckets")(work)
