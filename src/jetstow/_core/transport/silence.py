"""How long a server has been silent during one wait.

A deadline bounds the silence of the server, not the time that bytes need on a slow link. So every
byte that makes progress counts as a sign of life, if it is ahead of the reply: bytes that leave
the socket, answers to chunks, and bytes that arrive. Each is bounded by what was in flight when the
wait began, so that other transfers do not prolong a wait without end.
"""

from __future__ import annotations

from typing import Final, NamedTuple

# How often a wait is checked within its timeout.
_CHECKS: Final = 8

# A relay may hold a chunk of this size (the default) for one more timeout if the rate is unknown.
_CHUNK_SIZE: Final = 128 * 1024


class Progress(NamedTuple):
    """Counters of a connection, in bytes, and what is in flight ahead of a new request.

    `chunk_size` is that of the largest chunk in flight, and `rate` that of the answers to chunks in
    bytes per second, None if it is not known.
    """

    sent: int
    received: int
    answered: int
    unsent: int
    inbound: int
    unanswered: int
    chunk_size: int
    rate: float | None

    def chunk_time(self, timeout: float) -> float:
        """Return how long a relay may hold a chunk in flight without a sign of progress."""
        if self.rate is not None:
            return self.chunk_size / self.rate
        return timeout * min(1.0, self.chunk_size / _CHUNK_SIZE)


class Silence:
    """The silence during one wait that started at a time of the loop."""

    __slots__ = ("_limits", "_seen", "_since", "_timeout")

    def __init__(self, timeout: float, start: float) -> None:
        self._timeout = timeout
        self._since = start
        self._seen: tuple[int, int, int] | None = None
        self._limits = (0, 0, 0)

    def first_check(self) -> float:
        """Return when to call `check` for the first time."""
        return self._since + self._timeout / _CHECKS

    def check(self, now: float, progress: Progress, *, is_arriving: bool) -> float | None:
        """Return when to check again, or None if the server was silent for too long.

        With `is_arriving`, a part of the reply has arrived.
        """
        counts = (progress.sent, progress.received, progress.answered)
        if self._seen is None:
            sent, received, answered = counts
            self._limits = (
                sent + progress.unsent,
                received + progress.inbound,
                answered + progress.unanswered,
            )
            self._seen = counts
        if is_arriving:
            sent, received, answered = self._limits
            self._limits = (sent, max(received, progress.received), answered)
        sent, received, answered = map(min, counts, self._limits)
        if (sent, received, answered) != self._seen:
            self._seen, self._since = (sent, received, answered), now
        deadline = self._since + self._timeout + progress.chunk_time(self._timeout)
        return None if now >= deadline else min(deadline, now + self._timeout / _CHECKS)
