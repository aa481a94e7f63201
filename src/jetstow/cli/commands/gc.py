"""gc: remove chunks that belong to no object."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Annotated, Final

import typer

from jetstow.cli import completion, parsers
from jetstow.cli.arguments import DryRun
from jetstow.cli.change_summary import report_changes, summarize
from jetstow.cli.command import command
from jetstow.cli.help import MAINTENANCE
from jetstow.cli.json_data import findings_data
from jetstow.cli.render import Result, format_count
from jetstow.cli.session import Session

if TYPE_CHECKING:
    from jetstow.types import GarbageResult

# In seconds; also the default of `collect_garbage`.
DEFAULT_GRACE: Final = 3600.0


async def gc(
    session: Session,
    bucket: Annotated[
        str | None,
        typer.Argument(
            metavar="[BUCKET]", parser=parsers.bucket_name, autocompletion=completion.buckets,
            help="Bucket to clean up (default: all buckets that are not sealed).",
        ),
    ] = None,
    grace: Annotated[
        float | None,
        typer.Option(
            metavar="TIME", parser=parsers.duration,
            help="Keep chunks younger than this (default: 1h). It must be longer than any pause "
            "of a running upload.",
        ),
    ] = None,
    deleted: Annotated[
        float | None,
        typer.Option(
            metavar="TIME", parser=parsers.duration,
            help="Also remove delete markers older than this (default: keep them). Watchers that "
            "start later do not report these deletes.",
        ),
    ] = None,
    dry_run: DryRun = False,
) -> AsyncGenerator[Result, None]:  # fmt: skip
    """Remove chunks that belong to no object (garbage).

    Uploads, deletes and renames whose process was killed leave such chunks. They use storage and
    are not visible. Other clients may upload at the same time. Parts of multipart uploads to the
    S3 gateway are kept.
    """
    from jetstow.errors import BucketNotFoundError, BucketSealedError, WrongStreamError

    grace = DEFAULT_GRACE if grace is None else grace
    if bucket is not None:
        yield await _collect(session, bucket, grace, deleted, dry_run=dry_run)
        return
    for name in sorted(await (await session.js()).object_store_names()):
        try:
            if dry_run or not (await (await session.store(name)).status()).sealed:
                yield await _collect(session, name, grace, deleted, dry_run=dry_run)
        except BucketNotFoundError:
            continue  # deleted since it was listed
        except (BucketSealedError, WrongStreamError) as error:
            session.report(error)


async def _collect(
    session: Session, bucket: str, grace: float, deleted: float | None, *, dry_run: bool
) -> Result:
    from jetstow._upload_records import keep_uploads

    store = await session.store(bucket)
    keep = keep_uploads(await session.js(), bucket)
    result = await store.collect_garbage(
        grace=grace, deleted_for=deleted, keep=keep, dry_run=dry_run
    )
    for finding in result.findings:
        session.report(finding.error)
    data = {
        "bucket": bucket,
        "dry_run": dry_run,
        "uploads": result.uploads,
        "messages": result.messages,
        "recent": result.recent,
        "names": list(result.names),
        "markers": result.markers,
        "versions": result.versions,
        "findings": findings_data(result.findings),
    }
    return report_changes(data, {}, _summary(result, dry_run=dry_run), dry_run=dry_run)


def _summary(result: GarbageResult, *, dry_run: bool) -> str:
    garbage = []
    if result.uploads:
        chunks = format_count(result.messages, "chunk")
        garbage.append(f"{chunks} of {format_count(result.uploads, 'upload')}")
    if result.names:
        garbage.append(f"{format_count(len(result.names), 'old name')} of a rename")
    if result.markers:
        garbage.append(format_count(result.markers, "delete marker"))
    if result.versions:
        garbage.append(format_count(result.versions, "outdated version"))
    removed = summarize([("remove", " and ".join(garbage))], dry_run=dry_run)
    summary = f"bucket {result.bucket!r}: {removed if garbage else 'nothing to remove'}"
    if result.recent:
        summary += f"; kept {format_count(result.recent, 'upload')} younger than the grace period"
    return summary


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=MAINTENANCE)(gc)
