"""What the tests of faults share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.servers import NatsServer


@pytest.fixture
def fragile() -> Iterator[NatsServer]:
    """A server of the test's own, to be broken."""
    with NatsServer() as started:
        yield started
