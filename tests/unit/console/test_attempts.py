"""The limit of failed attempts to sign in."""

from __future__ import annotations

from jetstow.console import attempts
from jetstow.console.attempts import LIMIT, PERIOD, Attempts


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_wait_after_the_limit() -> None:
    clock = Clock()
    counted = Attempts(clock)
    for _ in range(LIMIT):
        assert counted.wait(["client 1", "key a"]) == 0
        counted.add(["client 1", "key a"])
        clock.now += 1
    assert counted.wait(["client 1", "key b"]) == PERIOD - LIMIT
    assert counted.wait(["client 2", "key a"]) == PERIOD - LIMIT
    assert counted.wait(["client 2", "key b"]) == 0
    clock.now = 1000 + PERIOD
    assert counted.wait(["client 1", "key a"]) == 0
    counted.add(["client 1"])
    assert counted.wait(["client 1"]) == 1  # the second of the old ones counts for a second more


def test_many_names_do_not_fill_the_memory() -> None:
    counted = Attempts(Clock())
    for number in range(attempts._MAX_NAMES + 100):
        counted.add([f"client {number}"])
    assert len(counted._failed) == attempts._MAX_NAMES
