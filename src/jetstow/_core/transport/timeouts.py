"""The timeouts of all waits of a connection, which share one timer of the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

# Called with the time of the loop, and how much later than due that is.
Check: TypeAlias = Callable[[float, float], None]


class Timeouts:
    """Calls a function at the earliest time at which one of the waits is to be checked.

    Nearly every wait ends long before its timeout.
    """

    def __init__(self, check: Check) -> None:
        self.next_check = float("inf")
        self._check = check
        self._timer: asyncio.TimerHandle | None = None

    def check_at(self, when: float) -> None:
        """Check all timeouts at a time of the loop."""
        if when < self.next_check:
            if self._timer is not None:
                self._timer.cancel()
            self.next_check = when
            self._timer = asyncio.get_running_loop().call_at(when, self._on_timer)

    def _on_timer(self) -> None:
        now, due = asyncio.get_running_loop().time(), self.next_check
        self._timer, self.next_check = None, float("inf")
        self._check(now, max(0.0, now - due))
