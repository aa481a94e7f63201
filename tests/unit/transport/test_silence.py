"""What counts as a sign of life of the server during a wait, and when the wait ends."""

from __future__ import annotations

from typing import Any

import pytest

from jetstow._core.transport.silence import Progress, Silence

START = 100.0
IDLE = Progress(
    sent=1_000,
    received=1_000,
    answered=0,
    unsent=0,
    inbound=0,
    unanswered=0,
    chunk_size=0,
    rate=None,
    inbound_rate=None,
)


class Wait:
    """A wait with a timeout of 4 seconds. `ends_at` is checked with the same progress."""

    def __init__(self, first: Progress) -> None:
        self._silence = Silence(4.0, START)
        self.check(self._silence.first_check(), first)

    def check(
        self, now: float, progress: Progress, *, is_arriving: bool = False, late: float = 0.0
    ) -> bool:
        """Return whether the wait goes on."""
        when = self._silence.check(now, progress, is_arriving=is_arriving, late=late)
        return when is not None

    def ends_at(self, progress: Progress, *, is_arriving: bool = False) -> float:
        now = START
        while (when := self._silence.check(now, progress, is_arriving=is_arriving)) is not None:
            now = when
        return now


def test_silent_server() -> None:
    assert Wait(IDLE).ends_at(IDLE) == START + 4


def test_bytes_that_stay_in_the_socket() -> None:
    stuck = IDLE._replace(unsent=1_000_000)
    assert Wait(stuck).ends_at(stuck) == START + 4


@pytest.mark.parametrize(
    ("in_flight", "progress"),
    [
        ({"unsent": 50_000}, {"sent": 21_000}),
        ({"inbound": 50_000}, {"received": 21_000}),
        ({"unanswered": 50_000}, {"answered": 20_000}),
        ({"unanswered": 500}, {"answered": 500}),
    ],
)
def test_progress_of_what_is_in_flight(in_flight: dict[str, int], progress: dict[str, int]) -> None:
    first = IDLE._replace(**in_flight)
    wait = Wait(first)
    later = first._replace(**progress)
    assert wait.check(START + 3, later)
    assert wait.ends_at(later) == START + 7


@pytest.mark.parametrize("counter", ["sent", "received", "answered"])
def test_progress_of_later_transfers(counter: str) -> None:
    """An unanswered request ends, whatever else the connection transfers."""
    wait = Wait(IDLE)
    later = IDLE._replace(**{counter: 1_000_000})
    assert wait.check(START + 3, later)
    assert wait.ends_at(later) == START + 4


@pytest.mark.parametrize(
    ("in_flight", "rate", "counter"),
    [("inbound", "inbound_rate", "received"), ("unanswered", "rate", "answered")],
)
def test_progress_of_others_while_bytes_in_flight_are_lost(
    in_flight: str, rate: str, counter: str
) -> None:
    """What a lost leader did not answer stayed in flight: other calls prolonged a wait by it."""
    lost: dict[str, Any] = {in_flight: 1_000_000, rate: 1_000_000.0}
    first = IDLE._replace(**lost)
    wait, now, count = Wait(first), START + 0.5, 1_000
    while wait.check(now, first._replace(**{counter: count})):
        now, count = now + 0.5, count + 20_000
    assert START + 4 <= now <= START + 4 + 4 + 0.5


def test_heartbeats_while_bytes_in_flight_are_lost() -> None:
    first = IDLE._replace(inbound=1_000_000)
    wait, now, received = Wait(first), START + 0.5, 1_000
    while wait.check(now, first._replace(received=received)):
        now, received = now + 0.5, received + 100
    assert now == START + 4


def test_part_of_the_reply() -> None:
    wait = Wait(IDLE)
    later = IDLE._replace(received=5_000)
    assert wait.check(START + 3, later, is_arriving=True)
    assert wait.ends_at(later, is_arriving=True) == START + 7


def test_chunk_that_a_relay_may_hold() -> None:
    unknown = IDLE._replace(chunk_size=128 * 1024, unanswered=128 * 1024)
    assert Wait(unknown).ends_at(unknown) == START + 8
    slow = unknown._replace(rate=64 * 1024.0)
    assert Wait(slow).ends_at(slow) == START + 6
    small = unknown._replace(chunk_size=32 * 1024)
    assert Wait(small).ends_at(small) == START + 5


def test_blocked_loop_is_not_silence() -> None:
    wait = Wait(IDLE)
    assert wait.check(START + 10, IDLE, late=9)
    assert wait.ends_at(IDLE) == START + 13


def test_block_at_the_deadline() -> None:
    """What arrived while the loop was blocked is read after the check."""
    wait = Wait(IDLE)
    assert wait.check(START + 10, IDLE, late=6)
    assert wait.check(START + 10.5, IDLE) is False


def test_wait_that_began_during_the_block() -> None:
    silence = Silence(4.0, START)
    assert silence.check(START + 1, IDLE, is_arriving=False, late=50.0) == START + 1.5


def test_program_that_always_blocks() -> None:
    wait = Wait(IDLE)
    now, checks = START, 0
    while wait.check(now := now + 1.5, IDLE, late=1.0):
        checks += 1
    assert checks < 12
