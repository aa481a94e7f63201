"""Buckets kept in order: verified, and rid of what nobody refers to."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from jetstow.cli import completion, errors, parsers
from jetstow.cli.command import command
from jetstow.cli.errors import sentence
from jetstow.cli.parsers import Address
from jetstow.cli.render import Answer, clean, count_of, objects_and_links, progress
from jetstow.cli.session import Session

if TYPE_CHECKING:
    from jetstow.types import Finding, GarbageResult, VerifyResult

# In seconds; the default of the library as well.
_GRACE: Final = 3600.0


async def verify(
    session: Session,
    address: Annotated[
        Address | None,
        typer.Argument(
            metavar="[BUCKET[/NAME]]", parser=parsers.address, autocompletion=completion.objects,
            help="What is verified (default: all buckets).",
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", "-q", help="Count chunks and bytes, and read none.")
    ] = False,
) -> AsyncGenerator[Answer, None]:  # fmt: skip
    """Check that objects are whole and links lead somewhere.

    Every byte is read and compared with its digest. Each thing that is wrong has a line,
    and the exit code is 7 then. What is replaced or deleted meanwhile is no finding.
    """
    from jetstow.errors import BucketNotFoundError

    if address is not None:
        yield await _verified(session, address, quick=quick)
        return
    for bucket in await _buckets(session):
        with suppress(BucketNotFoundError):  # removed meanwhile
            yield await _verified(session, Address(bucket), quick=quick)


async def _verified(session: Session, address: Address, *, quick: bool) -> Answer:
    store = await session.store(address.bucket)
    with progress(str(address)) as bar:
        report = await store.verify(address.name or None, quick=quick, progress=bar)
    if not report.ok:
        session.code = session.code or errors.DAMAGED
    data = {
        "bucket": report.bucket,
        "name": address.name or None,
        "quick": quick,
        "ok": report.ok,
        "objects": report.objects,
        "links": report.links,
        "size": report.size,
        "unused": report.unused,
        "findings": _data(report.findings),
    }
    lines = [*_lines(report.bucket, report.findings), _summary(report, address)]
    return Answer(data, lines)


def _summary(report: VerifyResult, address: Address) -> str:
    held = objects_and_links(report.objects, report.links, report.size)
    place = f"bucket {report.bucket!r}" if not address.name else clean(str(address))
    said = f"{place}: {held}, "
    said += count_of(len(report.findings), "finding") if report.findings else "all is well"
    if report.unused:
        said += f"; {count_of(report.unused, 'chunk')} of no object"
    return said


async def gc(
    session: Session,
    bucket: Annotated[
        str | None,
        typer.Argument(
            metavar="[BUCKET]", parser=parsers.bucket_name, autocompletion=completion.buckets,
            help="Where (default: all buckets that are not sealed).",
        ),
    ] = None,
    grace: Annotated[
        float | None,
        typer.Option(
            metavar="TIME", parser=parsers.duration,
            help="Leave what was written within this time (default: 1h). No upload that runs "
            "may pause for longer.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Tell what would be removed, and do nothing.")
    ] = False,
) -> AsyncGenerator[Answer, None]:  # fmt: skip
    """Remove chunks that no object has.

    Uploads, deletes and renames that were killed leave them; they take room, and nobody
    sees them. Uploads may run meanwhile.
    """
    from jetstow.errors import BucketNotFoundError

    grace = _GRACE if grace is None else grace
    if bucket is not None:
        yield await _collected(session, bucket, grace, dry_run=dry_run)
        return
    for each in await _buckets(session):
        with suppress(BucketNotFoundError):  # removed meanwhile
            if dry_run or not (await (await session.store(each)).status()).sealed:
                yield await _collected(session, each, grace, dry_run=dry_run)


async def _collected(session: Session, bucket: str, grace: float, *, dry_run: bool) -> Answer:
    store = await session.store(bucket)
    report = await store.collect_garbage(grace=grace, dry_run=dry_run)
    for finding in report.findings:
        session.complain(finding.error)
    data = {
        "bucket": bucket,
        "dry_run": dry_run,
        "uploads": report.uploads,
        "messages": report.messages,
        "recent": report.recent,
        "names": list(report.names),
        "findings": _data(report.findings),
    }
    return Answer(data, [_removed(report, dry_run=dry_run)])


def _removed(report: GarbageResult, *, dry_run: bool) -> str:
    what = []
    if report.uploads:
        what.append(f"{count_of(report.messages, 'chunk')} of {count_of(report.uploads, 'upload')}")
    if report.names:
        what.append(f"{count_of(len(report.names), 'name')} of a rename")
    said = f"{' and '.join(what) or 'nothing'} {'would be removed' if dry_run else 'removed'}"
    if report.recent:
        said += f"; {count_of(report.recent, 'upload')} left, too young to tell"
    return f"bucket {report.bucket!r}: {said}"


# -- of both -----------------------------------------------------------------------------


async def _buckets(session: Session) -> list[str]:
    return sorted(await (await session.js()).object_store_names())


def _lines(bucket: str, findings: tuple[Finding, ...]) -> list[str]:
    return [
        f"{clean(str(Address(bucket, finding.name or '')))}: {sentence(finding.error)}"
        for finding in findings
    ]


def _data(findings: tuple[Finding, ...]) -> list[dict[str, Any]]:
    return [
        {
            "name": finding.name,
            "kind": type(finding.error).__name__,
            "error": sentence(finding.error),
        }
        for finding in findings
    ]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for work in (verify, gc):
        command(app, panel="Buckets")(work)
