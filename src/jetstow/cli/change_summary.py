"""What a command changed, or with --dry-run would change, in one wording."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from jetstow.cli.render import Result, printable

PAST_TENSE: Final = {
    "copy": "copied",
    "delete": "deleted",
    "remove": "removed",
    "update": "updated",
}


def list_planned(verb: str, names: Iterable[str]) -> list[str]:
    """Return a line such as "would copy x" for each name, sorted."""
    return [f"would {verb} {printable(name)}" for name in sorted(names)]


def summarize(changes: Iterable[tuple[str, str]], *, dry_run: bool) -> str:
    """Return "copied 2 files, deleted 1", or in a dry run "would copy 2 files, delete 1".

    `changes` are verbs in the present tense with their objects: ("copy", "2 files").
    """
    texts = [f"{verb if dry_run else PAST_TENSE[verb]} {what}" for verb, what in changes]
    return ("would " if dry_run else "") + ", ".join(texts)


def report_changes(
    data: object, planned: Mapping[str, Iterable[str]], summary: str, *, dry_run: bool
) -> Result:
    """Return the summary of changes, after the planned names of each verb in a dry run."""
    if not dry_run:
        return Result(data, notices=[summary])
    lines = [line for verb, names in planned.items() for line in list_planned(verb, names)]
    return Result(data, [*lines, summary])
