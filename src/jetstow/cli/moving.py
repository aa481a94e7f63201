"""Whole buckets: into a file, out of one, and onto another server."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jetstow.cli import completion, parsers, stdio
from jetstow.cli.arguments import Bucket
from jetstow.cli.command import command
from jetstow.cli.errors import WrongUsage, sentence
from jetstow.cli.render import Answer, bytes_of, clean, count_of, objects_and_links, progress
from jetstow.cli.session import Session

if TYPE_CHECKING:
    import jetstow
    from jetstow.errors import JetstowError
    from jetstow.types import BackupResult, MirrorResult, RestoreResult


async def backup(
    session: Session,
    bucket: Bucket,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="The archive: .tar, .tar.gz, or - for standard output."
        ),
    ],
) -> Answer | None:  # fmt: skip
    """Write a bucket to an archive.

    The archive is a tar that any tool can open. It holds the objects, verified, with all
    that is known of them, the links, and how the bucket is kept. The file appears once it
    is complete. An object that is damaged is told of and left out.
    """
    import jetstow

    if file == "-" and session.settings.json:
        raise WrongUsage("standard output cannot have both the archive and JSON")
    if file == "-" and stdio.is_terminal(sys.stdout):
        raise WrongUsage("the archive is nothing for a terminal: name a file, or pipe it")
    store = await session.store(bucket)
    if file == "-":
        # The terminal is somebody else's where the bytes go through a pipe.
        with progress(bucket, hidden=stdio.size(sys.stdout) is None) as bar:
            report = await jetstow.backup(store, session.output, progress=bar)
    elif stdio.may_block(file):
        with closing(stdio.Output(await stdio.open_to_write(file))) as into:
            report = await jetstow.backup(store, into)
    else:
        with progress(bucket) as bar:
            # What is at the end of a symbolic link is replaced, not the link.
            report = await jetstow.backup(store, _behind_links(file), progress=bar)
    _complain(session, report.failed)
    return None if file == "-" else _backed_up(report, file)


def _behind_links(path: str) -> str:
    return os.path.realpath(path) if os.path.islink(path) else path  # noqa: PTH114


def _backed_up(report: BackupResult, file: str) -> Answer:
    data = {
        "bucket": report.bucket,
        "path": file,
        "objects": report.objects,
        "links": report.links,
        "size": report.size,
        "failed": _failures(report.failed),
    }
    held = objects_and_links(report.objects, report.links, report.size)
    return Answer(data, [f"{clean(file)}: {held} from bucket {report.bucket!r}, verified"])


async def restore(
    session: Session,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="An archive, or - for standard input.")
    ],
    bucket: Annotated[
        str | None,
        typer.Argument(
            metavar="[BUCKET]", parser=parsers.bucket_name, autocompletion=completion.buckets,
            help="Where it goes (default: the bucket that it came from).",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace objects that are otherwise there.")
    ] = False,
) -> Answer:  # fmt: skip
    """Read an archive into a bucket.

    The bucket is made as it was, unless it is there; make it yourself to have it otherwise.
    What is there already, just as in the archive, is left alone, so a restore that broke
    off can be called again. Objects that are there otherwise are told of and kept.
    """
    import jetstow

    js = await session.js()
    source: Any = file
    hidden = False
    if file == "-":
        stdin = stdio.stdin()
        source, hidden = stdio.read(stdin), stdio.is_terminal(stdin)
    elif stdio.may_block(file):
        source = stdio.open_and_read(file)
    with progress(file, hidden=hidden) as bar:
        report = await jetstow.restore(js, source, bucket, overwrite=overwrite, progress=bar)
    _complain(session, report.failed)
    return _restored(report)


def _restored(report: RestoreResult) -> Answer:
    data = {
        "bucket": report.bucket,
        "objects": report.objects,
        "links": report.links,
        "unchanged": report.unchanged,
        "size": report.size,
        "omitted": report.omitted,
        "sealed": report.sealed,
        "failed": _failures(report.failed),
    }
    said = f"bucket {report.bucket!r}: "
    said += objects_and_links(report.objects, report.links, report.size) + " restored"
    lines = [said + (f", {report.unchanged} there already" if report.unchanged else "")]
    if report.omitted:
        lines.append(f"{count_of(report.omitted, 'object')} could not be read for the backup")
    if report.sealed:
        lines.append("the bucket was sealed, and is not now")
    return Answer(data, lines)


async def mirror(
    session: Session,
    bucket: Bucket,
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET", parser=parsers.bucket_name,
            help="The other bucket, which is made as the first one if it is not there.",
        ),
    ],
    to: Annotated[
        str | None,
        typer.Option(
            metavar="URL", parser=parsers.server,
            help="The server of the other bucket, or the name of its nats context "
            "(default: the same server).",
        ),
    ] = None,
    delete: Annotated[
        bool, typer.Option("--delete", help="Remove what the first bucket does not have.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Tell what would be done, and do nothing.")
    ] = False,
) -> Answer:  # fmt: skip
    """Let a bucket have what another one has.

    Only what is missing or different travels, so a mirror that broke off can be called
    again. --creds are for the first server; another one has its own in a nats context.
    """
    import jetstow

    if to is None and target == bucket:
        raise WrongUsage(f"bucket {bucket!r} is the same on both sides: name another, or --to")
    source = await session.store(bucket)
    async with _other_side(session, to) as js:
        store = await _target(js, source, target, dry_run=dry_run)
        with progress(bucket) as bar:
            report = await jetstow.mirror(
                source, store, delete=delete, dry_run=dry_run, progress=bar
            )
    _complain(session, report.failed)
    return _mirrored(report, bucket, target, dry_run=dry_run)


@asynccontextmanager
async def _other_side(
    session: Session, to: str | None
) -> AsyncGenerator[jetstow.JetStreamContext, None]:
    """JetStream on the other server; an address has a colon, and a context's name has none."""
    if to is None:
        yield await session.js()
        return
    from jetstow import _nats_context

    options: dict[str, Any] = {}
    named: dict[str, Any] = {}
    if ":" not in to:
        context = _nats_context.load(to)
        options = dict(context.options)
        to = ",".join(options.pop("servers"))
        named |= context.js_options
    if session.settings.timeout:
        named["timeout"] = session.settings.timeout
    async with Session(replace(session.settings, server=to, creds=None)) as other:
        yield (await other.client(**options)).jetstream(**named)


async def _target(
    js: jetstow.JetStreamContext, source: jetstow.ObjectStore, bucket: str, *, dry_run: bool
) -> jetstow.ObjectStore | None:
    """The other bucket, made if it is not there; None if it would be made."""
    from jetstow._transfer.plan import config_like, make_bucket
    from jetstow.errors import BucketNotFoundError

    try:
        return await js.object_store(bucket)
    except BucketNotFoundError:
        if dry_run:
            return None
    return await make_bucket(js, config_like(await source.status(), bucket))


def _mirrored(report: MirrorResult, bucket: str, target: str, *, dry_run: bool) -> Answer:
    data = {
        "source": bucket,
        "target": target,
        "dry_run": dry_run,
        "copied": report.copied,
        "updated": report.updated,
        "unchanged": len(report.unchanged),
        "removed": report.removed,
        "size": report.size,
        "failed": _failures(report.failed),
    }
    changes = (("copy", report.copied), ("update", report.updated), ("remove", report.removed))
    lines = [f"{verb} {clean(name)}" for verb, names in changes for name in names if dry_run]
    said = f"{len(report.copied)} copied ({bytes_of(report.size)}), {len(report.updated)} updated, "
    said += f"{len(report.unchanged)} left alone, {len(report.removed)} removed"
    would = "would be " if dry_run else ""
    return Answer(data, [*lines, f"bucket {target!r}: {would}{said}"])


# -- of all three ------------------------------------------------------------------------


def _complain(session: Session, failed: Collection[JetstowError]) -> None:
    for error in failed:
        session.complain(error)


def _failures(failed: Collection[JetstowError]) -> list[dict[str, str | None]]:
    return [{"name": error.name, "error": sentence(error)} for error in failed]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for work in (backup, restore, mirror):
        command(app, panel="Buckets")(work)
