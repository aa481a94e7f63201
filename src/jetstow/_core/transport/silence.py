"""How long a server has been silent during one wait.

A deadline bounds the silence of the server, not the time that bytes need on a slow link. So every
byte that makes progress counts as a sign of life, if it is ahead of the reply: bytes that leave
the socket, answers to chunks, and bytes that arrive. Each is bounded by what was in flight when the
wait began, and by the time for that at the measured rate, so that other transfers do not prolong a
wait without end. What is in flight may have been lost, with a leader for example.

While the program blocks the event loop, replies are not read, so that time is not silence
(docs/decisions/0027).
"""

from __future__ import annotations

from typing import Final, NamedTuple

# How often a wait is checked within its timeout.
CHECKS: Final = 8

# A relay may hold a chunk of this size (the default) for one more timeout if the rate is unknown.
_CHUNK_SIZE: Final = 128 * 1024

# The time for a chunk at most, in timeouts.
_MAX_CHUNK_TIMEOUTS: Final = 2

# Less progress than this, in bytes per second, is that of heartbeats and pings, not of a slow link.
_MIN_RATE: Final = 1024

# How much slower than the measured rate a link may become.
_SLOWDOWN: Final = 4

# A check that is later than this, in seconds, was held up by the program.
_MAX_LATENESS: Final = 0.05


class Progress(NamedTuple):
    """Counters of a connection, in bytes, and what is in flight ahead of a new request.

    `chunk_size` is that of the largest chunk in flight. The rates, in bytes per second, are those
    of the answers to chunks (`rate`) and of requested chunks (`inbound_rate`), None if not known.
    """

    sent: int
    received: int
    answered: int
    unsent: int
    inbound: int
    unanswered: int
    chunk_size: int
    rate: float | None
    inbound_rate: float | None

    def chunk_time(self, timeout: float) -> float:
        """Return how long a relay may hold a chunk in flight without a sign of progress."""
        if self.rate is not None:
            return min(self.chunk_size / self.rate, _MAX_CHUNK_TIMEOUTS * timeout)
        return timeout * min(1.0, self.chunk_size / _CHUNK_SIZE)


class Silence:
    """The silence during one wait that started at a time of the loop."""

    __slots__ = ("_had_grace", "_is_noticed", "_limits", "_seen", "_since", "_timeout", "_until")

    def __init__(self, timeout: float, start: float) -> None:
        self._timeout = timeout
        self._since = start
        self._seen: tuple[int, ...] | None = None
        self._limits = (0, 0, 0)
        self._is_noticed = False
        self._until = (0.0, 0.0)  # of bytes received, and of answers to chunks
        self._had_grace = False

    def first_check(self) -> float:
        """Return when to call `check` for the first time."""
        return self._since + self._timeout / CHECKS

    def check(
        self, now: float, progress: Progress, *, is_arriving: bool, late: float = 0.0
    ) -> float | None:
        """Return when to check again, or None if the server was silent for too long.

        With `is_arriving`, a part of the reply has arrived. `late` is how long the loop was blocked
        when the check was due, in seconds.
        """
        if late:
            self._since = min(self._since + late, now)  # it may have begun during the block
            self._until = (self._until[0] + late, self._until[1] + late)
        counts = (progress.sent, progress.received, progress.answered)
        if self._seen is None:
            sent, received, answered = counts
            self._limits = (
                sent + progress.unsent,
                received + progress.inbound,
                answered + progress.unanswered,
            )
            self._until = (
                now + _longest_time(progress.inbound, progress.inbound_rate),
                now + _longest_time(progress.unanswered, progress.rate),
            )
            self._seen = counts
        self._limit(now, progress, is_arriving=is_arriving)
        current = tuple(map(min, counts, self._limits))
        moved = sum(current) - sum(self._seen)
        remaining = sum(self._limits) - sum(self._seen)
        if moved > 0 and moved >= min(remaining, _MIN_RATE * self._timeout):
            self._seen, self._since = current, now
        deadline = self._since + self._timeout + progress.chunk_time(self._timeout)
        if now < deadline:
            return min(deadline, now + self._timeout / CHECKS)
        if late <= _MAX_LATENESS or self._had_grace:
            return None
        # Once, so that the waits of a program that always blocks end, too.
        self._had_grace = True
        return now + self._timeout / CHECKS

    def becomes_noticeable(self, now: float) -> bool:
        """Return whether the server is silent at about the time of the first check; true once."""
        if self._is_noticed or now < self._since + self._timeout / (2 * CHECKS):
            return False
        self._is_noticed = True
        return True

    def _limit(self, now: float, progress: Progress, *, is_arriving: bool) -> None:
        """Adapt the limits: to a part of the reply, and to what should be complete by now."""
        assert self._seen is not None
        sent, received, answered = self._limits
        if is_arriving:
            received = max(received, progress.received)
        elif now > self._until[0]:
            received = self._seen[1]
        if now > self._until[1]:
            answered = self._seen[2]
        self._limits = (sent, received, answered)


def _longest_time(size: int, rate: float | None) -> float:
    """Return how long a number of bytes in flight may take, in seconds."""
    return float("inf") if rate is None else _SLOWDOWN * size / rate
