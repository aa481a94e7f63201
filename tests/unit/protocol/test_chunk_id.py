"""The message ids of chunks."""

from __future__ import annotations

import pytest

from jetstow._core.protocol.chunk_id import chunk_id, chunk_number


@pytest.mark.parametrize("attempt", [0, 3])
def test_number_of_an_id(attempt: int) -> None:
    assert chunk_number("nuid", chunk_id("nuid", 12, attempt)) == 12


@pytest.mark.parametrize("other", ["", "nuid", "nuid.", "nuid.x.1", "nuid.-1", "nuid.²", "n.1"])
def test_id_of_another_client(other: str) -> None:
    assert chunk_number("nuid", other) is None
