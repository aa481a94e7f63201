"""Transfers to pipes, devices and standard output."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from jetstow.cli import stdio
from jetstow.cli.errors import UsageError
from jetstow.cli.parsers import Address
from jetstow.cli.session import Session

if TYPE_CHECKING:
    from jetstow import ObjectInfo


async def write_object(
    session: Session, source: Address, output: stdio.AsyncOutput, version: str | None = None
) -> ObjectInfo:
    """Write an object's bytes, or those of a version, while they are verified. Return its info."""
    store = await session.store(source.bucket)
    # Without a bar if standard output is a pipe: its reader may use the terminal.
    with session.progress(source.basename, hidden=stdio.regular_size(sys.stdout) is None) as bar:
        return (await store.get(source.name, output, version=version, progress=bar)).info


def reject_resume(resume: bool, path: str) -> None:
    """Raise a `UsageError` if `resume` is set: a pipe or a device cannot be read twice."""
    if resume:
        raise UsageError(f"--resume needs a regular file, not {path!r}")
