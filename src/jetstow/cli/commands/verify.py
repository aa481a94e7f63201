"""verify: check that objects are complete and undamaged."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Annotated

import typer

from jetstow.cli import completion, errors, parsers
from jetstow.cli.command import command
from jetstow.cli.help import MAINTENANCE
from jetstow.cli.json_data import findings_data
from jetstow.cli.parsers import Address
from jetstow.cli.render import Result, format_contents, format_count, printable
from jetstow.cli.session import Session

if TYPE_CHECKING:
    from jetstow.types import Finding, VerifyResult


async def verify(
    session: Session,
    address: Annotated[
        Address | None,
        typer.Argument(
            metavar="[BUCKET[/NAME]]", parser=parsers.address, autocompletion=completion.objects,
            help="What to check (default: all buckets).",
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Count chunks and bytes without reading them.")
    ] = False,
) -> AsyncGenerator[Result, None]:  # fmt: skip
    """Check that objects are complete and undamaged.

    Every byte is read and compared with the digest, and the target of every link is looked up.
    Each problem is printed on a line; the exit code is then 7. Objects that are replaced or
    deleted during the check are not a problem.
    """
    from jetstow.errors import BucketNotFoundError, WrongStreamError

    if address is not None:
        yield await _verify(session, address, quick=quick)
        return
    for bucket in sorted(await (await session.js()).object_store_names()):
        try:
            yield await _verify(session, Address(bucket), quick=quick)
        except BucketNotFoundError:
            continue  # deleted since it was listed
        except WrongStreamError as error:
            session.report(error)


async def _verify(session: Session, address: Address, *, quick: bool) -> Result:
    store = await session.store(address.bucket)
    with session.progress(str(address)) as bar:
        result = await store.verify(address.name or None, quick=quick, progress=bar)
    if not result.ok:
        session.exit_code = session.exit_code or errors.DAMAGED
    data = {
        "bucket": result.bucket,
        "name": address.name or None,
        "quick": quick,
        "ok": result.ok,
        "objects": result.objects,
        "links": result.links,
        "size": result.size,
        "unused": result.unused,
        "findings": findings_data(result.findings),
    }
    lines = [
        f"{_label(result.bucket, finding)}: {errors.message(finding.error)}"
        for finding in result.findings
    ]
    return Result(data, lines, notices=[_summary(result, address)])


def _label(bucket: str, finding: Finding) -> str:
    return printable(str(Address(bucket, finding.name or "")))


def _summary(result: VerifyResult, address: Address) -> str:
    contents = format_contents(result.objects, result.links, result.size)
    checked = f"bucket {result.bucket!r}" if not address.name else printable(str(address))
    problems = format_count(len(result.findings), "problem") if result.findings else "no problems"
    summary = f"{checked}: {contents}, {problems}"
    if result.unused:
        summary += f"; {format_count(result.unused, 'unused chunk')}"
    return summary


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=MAINTENANCE, key_file=True)(verify)
