"""Many operations by several clients, with faults between and during them, against a dictionary."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from tests.model.life import Tally
from tests.model.machine import live
from tests.support.servers import NatsServer

# Four of these make more than two thousand operations in a run of the suite.
OPERATIONS = 520


@pytest.fixture
def own() -> Iterator[NatsServer]:
    with NatsServer() as started:
        yield started


@pytest.mark.timeout(180)
@pytest.mark.parametrize("share", range(3))
def test_what_is_acknowledged_is_kept(
    own: NatsServer, share: int, record_property: Callable[[str, object], None]
) -> None:
    tally, seeds = Tally(), []
    # Another run tries others. `JETSTOW_TEST_SEED` has the one of a failure done again.
    first = int(os.environ.get("JETSTOW_TEST_SEED", os.getpid() * 1_000))
    while tally.operations < OPERATIONS:
        number = first + 10_000_000 * share + len(seeds)
        seeds.append(number)
        try:
            live(own, number, tally)
        except BaseException as error:
            error.add_note(f"again with JETSTOW_TEST_SEED={number - 10_000_000 * share}")
            raise
    record_property("seeds", seeds)
    record_property("tally", tally.line())
