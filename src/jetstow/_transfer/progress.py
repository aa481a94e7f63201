"""The progress of several objects together."""

from __future__ import annotations

from jetstow.types import Progress


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
        """Return a `Progress` callable for one object, whose progress is added to the total.

        If the object is transferred again, its count starts again, too.
        """
        previous = 0

        def report(done: int, _: int | None) -> None:
            nonlocal previous
            self.add(done - previous)
            previous = done

        return report


__all__ = ["ProgressCounter"]
