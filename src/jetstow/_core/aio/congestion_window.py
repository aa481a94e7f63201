"""A congestion window: the limit of bytes in flight that all transfers of a connection share.

The window holds what the link transfers in a round trip and one second, by the measured rate of the
answers, or two seconds while nothing queues on the link. So a small request behind it is answered
soon, a long round trip does not reduce the rate, and the window of a fast link grows quickly.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from time import monotonic
from typing import Final, TypeAlias

import msgspec

# The window of a link whose rate is not known, in bytes: four chunks of the default size, and their
# headers.
INITIAL_SIZE: Final = 4 * 129 * 1024

# What may queue on the link, in seconds of the measured rate. More is allowed while nothing queues:
# then the link may be faster than what was sent.
_MAX_QUEUE: Final = 1.0
_MAX_PROBE: Final = 2.0

# An answer that takes this much longer than the fastest one, in seconds, shows a queue.
_MIN_DELAY: Final = 0.5

# The resolution of the clock, in seconds.
_MIN_ELAPSED: Final = 1e-6

# Messages in flight at least: the next one is on its way while the first is answered.
_MIN_MESSAGES: Final = 2


class Departure(msgspec.Struct, frozen=True, gc=False):
    """What was sent when: `size` bytes, after `answered` bytes had been answered."""

    size: int
    time: float
    answered: int


Reservation: TypeAlias = "asyncio.Future[Departure]"


class CongestionWindow:
    """At most `size` bytes in flight; waiters get space in the order in which they arrived.

    A request larger than the window is granted when nothing else is in flight. `used` counts the
    bytes in flight, and `answered` those that were answered.
    """

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size
        self._waiters: deque[tuple[int, Reservation]] = deque()
        self.used = 0
        self.answered = 0
        self.restart()

    def restart(self) -> None:
        """Forget the measurements: the path to the server has changed."""
        self.size = min(INITIAL_SIZE, self._max_size)
        self._rate: float | None = None
        self._assumed_rate: float | None = None
        self._round_trip = float("inf")
        self._largest = 0

    # -- space -------------------------------------------------------------------------------

    def try_acquire(self, size: int) -> Departure | None:
        """Take `size` bytes if that needs no wait."""
        return self.take(size) if not self._waiters and self._fits(size) else None

    def reserve(self, size: int) -> Reservation:
        """Return a future that is done as soon as `size` bytes are taken; see `cancel`."""
        reservation: Reservation = asyncio.get_running_loop().create_future()
        self._waiters.append((size, reservation))
        self._wake_waiters()
        return reservation

    def cancel(self, reservation: Reservation) -> None:
        """Cancel a reservation, or return its bytes."""
        if reservation.done():
            self.release(reservation.result().size)
            return
        with contextlib.suppress(StopIteration):
            self._waiters.remove(next(each for each in self._waiters if each[1] is reservation))
        reservation.cancel()
        self._wake_waiters()

    def take(self, size: int) -> Departure:
        """Take `size` bytes, whether they fit or not."""
        self._largest = max(self._largest, size) if self.used else size
        self.used += size
        return Departure(size, monotonic(), self.answered)

    def release(self, size: int) -> None:
        """Return `size` bytes that will not be answered."""
        self.used -= size
        self._wake_waiters()

    # -- measurements ------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """The bytes in flight, and those that wait for space."""
        return self.used + sum(size for size, _ in self._waiters)

    @property
    def rate(self) -> float | None:
        """The measured rate of the answers in bytes per second; None if there was none."""
        return self._assumed_rate if self._rate is None else self._rate

    @property
    def largest(self) -> int:
        """The size of the largest message in flight, or 0."""
        return self._largest if self.used else 0

    def observe_round_trip(self, seconds: float) -> None:
        """Learn how long a small request takes."""
        self._round_trip = min(self._round_trip, seconds)

    def give_up_first_answer(self) -> None:
        """Grant no more time for the first answer: it took longer than a slow link explains."""
        self._assumed_rate = float("inf")

    def answer(self, departure: Departure, size: int | None = None) -> None:
        """Return the bytes of a departure, or `size` of them, and measure the rate."""
        if size is None:
            size = departure.size
        self.answered += size
        elapsed = monotonic() - departure.time + _MIN_ELAPSED
        rate = (self.answered - departure.answered) / elapsed
        self._round_trip = min(self._round_trip, elapsed)
        if elapsed - self._round_trip >= _MIN_DELAY:
            self._rate = rate
            target = int(rate * (self._round_trip + _MAX_QUEUE))
            self.size = min(max(target, _MIN_MESSAGES * size), self._max_size)
        elif self._rate is None or rate > self._rate:
            self._rate = rate
            target = int(rate * (self._round_trip + _MAX_PROBE))
            self.size = min(max(target, self.size), self._max_size)
        self.used -= size
        if self._waiters:
            self._wake_waiters()

    # -- inside ------------------------------------------------------------------------------

    def _fits(self, size: int) -> bool:
        return not self.used or self.used + size <= self.size

    def _wake_waiters(self) -> None:
        while self._waiters and self._fits(self._waiters[0][0]):
            size, reservation = self._waiters.popleft()
            if not reservation.done():
                reservation.set_result(self.take(size))
