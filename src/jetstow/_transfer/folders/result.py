"""What is to be copied, and what became of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from jetstow import _glob
from jetstow._transfer.plan import FATAL
from jetstow.errors import JetstowError
from jetstow.types import Progress, SyncResult


def record_failure(result: SyncResult, error: Exception) -> None:
    """Add an error that concerns one name. Raise it if it would fail every other name too."""
    if isinstance(error, JetstowError) and isinstance(error, FATAL):
        raise error
    result.failed.append(error)


@dataclass(frozen=True)
class Wishes:
    """Which names count, by patterns (`jetstow._glob`), and what is to be done.

    A name counts if it is included, by any pattern or because there is none, and not excluded.
    """

    delete: bool
    include: Collection[str]
    exclude: Collection[str]
    dry_run: bool

    def counts(self, name: str) -> bool:
        """Whether a name, as it is behind the prefix, is any of our business."""
        included = not self.include or any(_glob.matches(each, name) for each in self.include)
        return included and not any(_glob.matches(each, name) for each in self.exclude)


class Tally:
    """How far all of it is, in bytes."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._done, self._total = 0, total
        self._progress = progress

    def add(self, count: int) -> None:
        """So many bytes more are looked at or copied."""
        self._done += count
        if self._progress is not None:
            self._progress(self._done, max(self._done, self._total))

    def one(self) -> Progress:
        """How far one of them is, of which all of it is told each time."""
        seen = 0

        def told(done: int, _: int | None) -> None:
            nonlocal seen
            self.add(done - seen)
            seen = done

        return told


def with_slash(prefix: str) -> str:
    """A prefix that ends a level of names; an empty one stays so."""
    return prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
