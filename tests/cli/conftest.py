"""A server for each test module, and an empty working folder for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import Cli, wait_until
from tests.support.servers import NatsServer


@pytest.fixture(scope="module")
def latest() -> Iterator[NatsServer]:
    with NatsServer() as server:
        yield server


@pytest.fixture
def cli(latest: NatsServer, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run commands in an empty folder, with a bucket and without other connections."""
    monkeypatch.chdir(tmp_path)
    cli = Cli(latest)
    cli.run("mb", bucket)
    wait_until(lambda: cli.connections() == 0)
    return cli
