"""server start, status, stop; and commands that find the embedded server by themselves."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from jetstow import _embedded
from jetstow.cli import errors
from tests.support.cli import Process


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing is configured but a home that no server has used."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NATS_URL", raising=False)
    monkeypatch.delenv("NATS_CONTEXT", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("JETSTOW_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def run(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    with Process(*arguments) as process:
        code, out, err = process.finished(stdin)
    return code, out.decode(), err


def test_a_command_starts_the_server_and_stops_it(home: Path) -> None:
    assert run("mb", "b") == (0, "bucket 'b' is ready\n", "")
    assert _embedded.status() is None
    code, out, err = run("status", "--json")
    assert (code, err) == (0, "")
    assert (json.loads(out)["chosen_by"], json.loads(out)["buckets"]) == ("embedded", 1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_server_runs_until_it_is_told_to_end(home: Path, number: int) -> None:
    with Process("server", "start", "--json") as process:
        told = json.loads(process.stdout.readline())
        assert told["running"] is True
        assert told["home"] == str(home)
        assert "token" not in json.dumps(told)
        code, out, _ = run("server", "status", "--json")
        assert (code, json.loads(out)) == (0, told)
        process.signal(number)
        assert process.ended() == (0, "")
    assert _embedded.status() is None


def test_the_server_is_stopped_from_elsewhere(home: Path) -> None:
    with Process("server", "start") as process:
        process.stdout.readline()
        assert run("server", "stop") == (0, "the server is stopped\n", "")
        assert process.ended() == (errors.UNREACHABLE, "jetstow: the server was stopped\n")
    none = f"no server runs in {home}\n"
    assert run("server", "stop") == (0, none, "")
    assert run("server", "status") == (errors.NOT_FOUND, none, "")


def test_asking_for_the_server_makes_no_home(home: Path) -> None:
    code, out, _ = run("server", "status", "--json")
    assert (code, json.loads(out)) == (3, {"running": False, "home": str(home)})
    assert not home.exists()


def test_a_home_that_cannot_be(home: Path) -> None:
    home.write_text("a file")
    for command in (["ls"], ["server", "start"], ["server", "status"]):
        code, out, err = run(*command)
        assert (code, out) == (errors.UNREACHABLE, ""), command
        assert str(home) in err
        assert len(err.splitlines()) == 1
