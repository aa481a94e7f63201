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

# Fewer answered bytes do not show the rate of a slow link: the server itself may have been slow.
_MIN_SAMPLE: Final = 64 * 1024

# The resolution of the clock, in seconds.
_MIN_ELAPSED: Final = 1e-6

# Messages in flight at least: the next one is on its way while the first is answered.
_MIN_MESSAGES: Final = 2


class Departure(msgspec.Struct, frozen=True, gc=False):
    """What was sent when: `size` bytes, after `answered` bytes had been answered.

    `epoch` is the number of times that the window had been cleared.
    """

    size: int
    time: float
    answered: int
    epoch: int


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
        self._epoch = 0
        self.restart()

    def restart(self) -> None:
        """Clear the window and forget the measurements: the path to the server has changed."""
        self.clear()
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
            self.release(reservation.result())
            return
        with contextlib.suppress(StopIteration):
            self._waiters.remove(next(each for each in self._waiters if each[1] is reservation))
        reservation.cancel()
        self._wake_waiters()

    def take(self, size: int) -> Departure:
        """Take `size` bytes, whether they fit or not."""
        self._largest = max(self._largest, size) if self.used else size
        self.used += size
        return Departure(size, monotonic(), self.answered, self._epoch)

    def release(self, departure: Departure, size: int | None = None) -> None:
        """Return the bytes of a departure, or `size` of them, unless the window was cleared."""
        if departure.epoch == self._epoch:
            self.used -= departure.size if size is None else size
            if self._waiters:
                self._wake_waiters()

    def clear(self) -> None:
        """Count nothing as in flight: what is, will not be answered.

        Its owners may be suspended, and could not return the space.
        """
        self._epoch += 1
        self.used = 0
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
        sample = self.answered - departure.answered
        rate = sample / elapsed
        self._round_trip = min(self._round_trip, elapsed)
        if elapsed - self._round_trip >= _MIN_DELAY:
            if sample >= _MIN_SAMPLE:
                self._rate = rate
                target = int(rate * (self._round_trip + _MAX_QUEUE))
                smallest = _MIN_MESSAGES * max(size, self._largest)
                self.size = min(max(target, smallest), self._max_size)
        elif self._rate is None or rate > self._rate:
            self._rate = rate
            target = int(rate * (self._round_trip + _MAX_PROBE))
            self.size = min(max(target, self.size), self._max_size)
        self.release(departure, size)

    # -- inside ------------------------------------------------------------------------------

    def _fits(self, size: int) -> bool:
        return not self.used or self.used + size <= self.size

    def _wake_waiters(self) -> None:
        while self._waiters and self._fits(self._waiters[0][0]):
            size, reservation = self._waiters.popleft()
            if not reservation.done():
                reservation.set_result(self.take(size))
