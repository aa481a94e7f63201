"""A home for each test, users of its server, and what can be put in the server's place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from jetstow import _embedded
from jetstow._embedded import locate
from jetstow._embedded.home_dir import Folder
from tests.live.embedded.processes import USER, User


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Folder]:
    """A home that no test has used, for this process and for those it starts."""
    monkeypatch.setenv("JETSTOW_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(locate.OVERRIDE, raising=False)
    yield Folder(tmp_path / "home")
    monkeypatch.delenv(locate.OVERRIDE, raising=False)
    _embedded.stop(tmp_path / "home")


@pytest.fixture
def start(folder: Folder) -> Iterator[Callable[..., User]]:
    """Starts a user; those that are still there in the end are killed."""
    with ExitStack() as stack:
        yield lambda code=USER: stack.enter_context(User(code))


@pytest.fixture
async def orphan(folder: Folder) -> _embedded.Endpoint:
    """A server that serves nobody: those it served were killed."""
    with User() as user:
        user.holds()
    running = _embedded.status()
    assert running is not None
    return running


@pytest.fixture
def impostor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a shell script in the place of the server; `$SERVER` is the true one."""

    def replace(script: str) -> None:
        path = tmp_path / "impostor"
        path.write_text(f"#!/bin/sh\nSERVER={locate.find()}\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv(locate.OVERRIDE, str(path))

    return replace
