"""Confirmation of commands that destroy data or cannot be undone."""

from __future__ import annotations

import sys
from contextlib import aclosing

from jetstow.cli.errors import CliError, UsageError
from jetstow.cli.stdio import is_terminal, read, stdin


async def confirm(statement: str, question: str) -> None:
    """Ask on the terminal. Return only after a yes.

    Raises: `UsageError` (standard input is not a terminal), `CliError` (any other answer).
    """
    if not is_terminal(sys.stdin):
        raise UsageError(f"{statement}: add --yes to confirm")
    print(f"{statement}: {question} [y/N] ", end="", file=sys.stderr, flush=True)
    async with aclosing(read(stdin())) as lines:
        answer = await anext(lines, b"")
    if answer.strip().lower() not in {b"y", b"yes"}:
        raise CliError("nothing was changed")
