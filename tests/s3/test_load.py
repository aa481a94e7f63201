"""Clients at the same time, and a gateway that is killed and restarted: a short run of the load."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.model.s3_load import run_load


@pytest.mark.slow
def test_load_with_killed_gateway(tmp_path: Path) -> None:
    counts = run_load(tmp_path, seconds=4, clients=8, seed=1)
    assert counts["put"] > 0
    assert counts["read"] > 0
    assert counts["cut or refused"] > 0
