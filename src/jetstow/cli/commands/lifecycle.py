"""lifecycle: apply the lifecycle rules of buckets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from jetstow.cli import completion, help, parsers
from jetstow.cli.arguments import DryRun
from jetstow.cli.command import command
from jetstow.cli.errors import CliError, missing_packages
from jetstow.cli.render import Result, format_count, printable
from jetstow.cli.session import Session

if TYPE_CHECKING:
    from jetstow.s3.lifecycle.removal import Removal

_NOUNS: Final = {
    "object": "object",
    "version": "noncurrent version",
    "delete marker": "delete marker",
    "upload": "unfinished upload",
}


async def run(
    session: Session,
    bucket: Annotated[
        str | None,
        typer.Argument(
            metavar="[BUCKET]", parser=parsers.bucket_name, autocompletion=completion.buckets,
            help="Bucket whose rules to apply (default: all buckets with rules).",
        ),
    ] = None,
    dry_run: DryRun = False,
) -> Result:  # fmt: skip
    """Remove what the lifecycle rules let expire.

    The S3 gateway stores the rules, and `jetstow serve` applies them every hour. Run this from
    cron if no gateway runs all the time. Ages are counted by the clock of the NATS servers.
    """
    try:
        from jetstow.s3.lifecycle.run import AlreadyRunningError, Lifecycle
    except ImportError as error:
        raise missing_packages("lifecycle", "s3", error) from error

    def on_error(bucket: str, error: Exception) -> None:
        error.add_note(f"bucket {bucket!r} was left as it is from there on")
        session.report(error)

    found = Lifecycle(await session.js()).run(bucket, dry_run=dry_run, on_error=on_error)
    try:
        removed = [removal async for removal in found]
    except AlreadyRunningError:
        raise CliError("another gateway or command applies the lifecycle rules now") from None
    return _result(removed, dry_run=dry_run)


def _result(removed: list[tuple[str, Removal]], *, dry_run: bool) -> Result:
    data = [
        {"bucket": bucket, "kind": each.kind, "name": each.key, "rule": each.rule}
        for bucket, each in removed
    ]
    counts = [
        format_count(count, noun)
        for kind, noun in _NOUNS.items()
        if (count := sum(each.kind == kind for _, each in removed))
    ]
    verb = "would remove" if dry_run else "removed"
    summary = f"{verb} {', '.join(counts) or 'nothing'}"
    if not dry_run:
        return Result(data, notices=[summary])
    lines = [
        printable(f"would remove {each.kind} {bucket}/{each.key} (rule {each.rule})")
        for bucket, each in removed
    ]
    return Result(data, [*lines, summary])


def register(app: typer.Typer) -> None:
    """Add the command with its subcommand."""
    lifecycle = typer.Typer(
        cls=help.Group,
        no_args_is_help=True,
        rich_markup_mode=None,
        help="Apply the lifecycle rules of buckets of the S3 gateway.",
    )

    @lifecycle.callback()
    def _group() -> None:
        """Make `run` a subcommand: typer would make the only command the whole program."""

    command(lifecycle)(run)
    app.add_typer(lifecycle, name="lifecycle", rich_help_panel=help.MAINTENANCE)
