"""Fixtures: a home for each test, processes with a lease, and replacements of the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from jetstow import _embedded
from jetstow._embedded import locate
from jetstow._embedded.home_dir import HomeDir
from tests.live.embedded.processes import ACQUIRE, ChildProcess


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.definition.add_marker(pytest.mark.one_path)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HomeDir]:
    """A new home, for this process and its child processes."""
    monkeypatch.setenv("JETSTOW_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(locate.BINARY_VARIABLE, raising=False)
    yield HomeDir(tmp_path / "home")
    monkeypatch.delenv(locate.BINARY_VARIABLE, raising=False)
    _embedded.stop(tmp_path / "home")


@pytest.fixture
def start(home: HomeDir) -> Iterator[Callable[..., ChildProcess]]:
    """A function that starts a process with a lease. It is killed at the end of the test."""
    with ExitStack() as stack:
        yield lambda code=ACQUIRE: stack.enter_context(ChildProcess(code))


@pytest.fixture
async def orphan(home: HomeDir) -> _embedded.Endpoint:
    """A running server without a lease: the process with the lease was killed."""
    with ChildProcess() as owner:
        owner.server_pid()
    endpoint = _embedded.status()
    assert endpoint is not None
    return endpoint


@pytest.fixture
def replace_binary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A function that replaces the server by a shell script; `$SERVER` is the real binary."""

    def replace(script: str) -> None:
        path = tmp_path / "fake-server"
        path.write_text(f"#!/bin/sh\nSERVER={locate.find_binary()}\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv(locate.BINARY_VARIABLE, str(path))

    return replace
