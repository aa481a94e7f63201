"""The command line on a server of the module's own, in a folder of the test's own."""

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
    """In an empty folder, with a bucket, and nobody else connected."""
    monkeypatch.chdir(tmp_path)
    cli = Cli(latest)
    cli.run("mb", bucket)
    wait_until(lambda: cli.connections() == 0)
    return cli
