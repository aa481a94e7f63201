"""Work on many objects, with progress: what fails for one of them does not stop the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from jetstow._core.aio.background import running
from jetstow.console.access import Session
from jetstow.console.errors import to_console_error

_CONCURRENT: Final = 32
# The time between two lines of progress, in seconds.
_INTERVAL: Final = 0.2
# How many failures are listed.
_MAX_FAILED: Final = 1_000


class Progress(msgspec.Struct):
    """How many of the objects are done."""

    done: int
    total: int


class Failure(msgspec.Struct):
    """An object for which the work failed, and why."""

    name: str
    code: str
    message: str


@dataclass(slots=True)
class Outcome:
    """What was done so far. `failed_count` may be more than are listed."""

    done: int = 0
    failed: list[Failure] = field(default_factory=list)
    failed_count: int = 0

    @property
    def succeeded(self) -> int:
        """The number of objects for which the work succeeded."""
        return self.done - self.failed_count


async def work_on(
    session: Session,
    names: Sequence[str],
    work: Callable[[str], Awaitable[None]],
    outcome: Outcome,
) -> AsyncGenerator[Progress, None]:
    """Do work for each name, several at the same time, and yield the progress.

    If the generator is closed, the work is cancelled.

    Raises: `ConsoleError` (SignInRequired: the session has ended).
    """
    yield Progress(0, len(names))
    async with running(_work_on_all(names, work, outcome)) as working:
        while not working.done():
            await asyncio.wait([working], timeout=_INTERVAL)
            session.check()  # the work may take longer than it
            yield Progress(outcome.done, len(names))
        working.result()


async def _work_on_all(
    names: Sequence[str], work: Callable[[str], Awaitable[None]], outcome: Outcome
) -> None:
    queue = iter(names)
    async with asyncio.TaskGroup() as group:
        for _ in range(_CONCURRENT):
            group.create_task(_work_on_some(queue, work, outcome))


async def _work_on_some(
    queue: Iterator[str], work: Callable[[str], Awaitable[None]], outcome: Outcome
) -> None:
    for name in queue:
        try:
            await work(name)
        except Exception as error:  # noqa: BLE001 - each error is part of the result
            known = to_console_error(error)
            outcome.failed_count += 1
            if len(outcome.failed) < _MAX_FAILED:
                outcome.failed.append(Failure(name, known.code, known.message))
        outcome.done += 1
