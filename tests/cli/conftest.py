"""The command line as its users call it: a process, its arguments, its pipes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers import NatsServer

JETSTOW = Path(sys.executable).parent / "jetstow"


@dataclass
class Done:
    """What a call printed, and how it ended."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Call = Callable[..., Done]


@pytest.fixture
def environment(server: NatsServer, tmp_path: Path) -> dict[str, str]:
    """The test's server, and nothing of this machine's own configuration."""
    own = {
        "NATS_URL": server.url,
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "JETSTOW_HOME": str(tmp_path / "home"),
    }
    return {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ} | own


@pytest.fixture
def jetstow(environment: dict[str, str], tmp_path: Path) -> Call:
    """Call `jetstow` in an empty folder, with standard input if given."""
    folder = tmp_path / "work"
    folder.mkdir()

    def call(*arguments: object, stdin: bytes = b"", **more: str) -> Done:
        done = subprocess.run(
            [str(JETSTOW), *map(str, arguments)],
            input=stdin, capture_output=True, check=False, cwd=folder, env=environment | more,
            timeout=50,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr.decode())

    return call


@pytest.fixture
def work(tmp_path: Path, jetstow: Call) -> Path:
    """The folder in which `jetstow` is called."""
    return tmp_path / "work"


@pytest.fixture
def made(jetstow: Call, bucket: str) -> str:
    """A bucket that exists."""
    assert jetstow("mb", bucket).code == 0
    return bucket
