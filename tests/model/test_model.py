"""Random operations of several clients, with faults, against a reference model."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from tests.model.machine import run_seed
from tests.model.run import Tally
from tests.support.servers import NatsServer

# Operations of each of the three tests: more than 1,500 in `make test-full`.
OPERATIONS = 520


@pytest.fixture
def own() -> Iterator[NatsServer]:
    with NatsServer() as started:
        yield started


@pytest.mark.timeout(180)
@pytest.mark.parametrize("share", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2))])
def test_model_with_faults(
    own: NatsServer, share: int, record_property: Callable[[str, object], None]
) -> None:
    tally, seeds = Tally(), list[int]()
    # Each run tries other seeds. `JETSTOW_TEST_SEED` repeats the seed of a failure.
    first = int(os.environ.get("JETSTOW_TEST_SEED", os.getpid() * 1_000))
    while tally.operations < OPERATIONS:
        number = first + 10_000_000 * share + len(seeds)
        seeds.append(number)
        try:
            run_seed(own, number, tally)
        except BaseException as error:
            error.add_note(f"repeat with JETSTOW_TEST_SEED={number - 10_000_000 * share}")
            raise
    record_property("seeds", seeds)
    record_property("tally", tally.summary())
