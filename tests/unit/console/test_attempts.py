"""The limit of failed attempts to sign in."""

from __future__ import annotations

from starlette.datastructures import Address

from jetstow.console import attempts
from jetstow.console.attempts import LIMIT, PERIOD, Attempts, client_name


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


def test_clients_with_many_addresses_are_one() -> None:
    names = {client_name(Address(f"2001:db8:1:2::{each}", 1)) for each in (1, "ffff:1", "a:b:c")}
    assert names == {"client 2001:db8:1:2::/64"}
    assert client_name(Address("2001:db8:1:3::1", 1)) not in names
    assert client_name(Address("::ffff:10.0.0.1", 1)) == client_name(Address("10.0.0.1", 1))
    assert client_name(Address("10.0.0.2", 1)) != client_name(Address("10.0.0.1", 1))
    assert client_name(Address("proxy", 1)) == "client proxy"
    assert client_name(None) == "client"
