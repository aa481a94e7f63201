"""The options, the progress and the failures of folder copies."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from jetstow import _glob
from jetstow._transfer.plan import FATAL_ERRORS
from jetstow.errors import JetstowError
from jetstow.types import Progress, SyncResult


def record_failure(result: SyncResult, error: Exception) -> None:
    """Add an error that concerns one name. Raise it if it would fail every other name too."""
    if isinstance(error, JetstowError) and isinstance(error, FATAL_ERRORS):
        raise error
    result.failed.append(error)


@dataclass(frozen=True)
class SyncOptions:
    """The options of an upload or a download. `include` and `exclude` are glob patterns."""

    delete: bool
    include: Collection[str]
    exclude: Collection[str]
    dry_run: bool

    def selects(self, name: str) -> bool:
        """Return whether the patterns select a name, given without the prefix.

        An included name matches any `include` pattern, or there is none. A selected name is
        included and matches no `exclude` pattern.
        """
        included = not self.include or any(_glob.matches(pattern, name) for pattern in self.include)
        return included and not any(_glob.matches(pattern, name) for pattern in self.exclude)


class ProgressCounter:
    """Adds up the progress of concurrent copies, in bytes."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._done, self._total = 0, total
        self._progress = progress

    def add(self, count: int) -> None:
        """Add bytes that were copied, or compared and found equal."""
        self._done += count
        if self._progress is not None:
            self._progress(self._done, max(self._done, self._total))

    def for_object(self) -> Progress:
        """Return a `Progress` callable for one object, whose progress is added to the total."""
        previous = 0

        def report(done: int, _: int | None) -> None:
            nonlocal previous
            self.add(done - previous)
            previous = done

        return report


def folder_prefix(prefix: str) -> str:
    """Return a prefix with a slash at its end; an empty prefix stays empty."""
    return prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
