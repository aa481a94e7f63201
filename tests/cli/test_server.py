"""server start, status and stop, and commands that use the embedded server."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from jetstow import _embedded
from jetstow.cli import errors
from tests.support.cli import Process
from tests.support.terminal import Terminal


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Configure only JETSTOW_HOME, a folder that does not exist yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NATS_URL", raising=False)
    monkeypatch.delenv("NATS_CONTEXT", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("JETSTOW_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def run(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    with Process(*arguments) as process:
        code, out, err = process.communicate(stdin)
    return code, out.decode(), err


def test_command_starts_and_stops_the_server(home: Path) -> None:
    assert run("mb", "b") == (0, "bucket 'b' is ready\n", "")
    assert _embedded.status() is None
    code, out, err = run("status", "--json")
    assert (code, err) == (0, "")
    assert (json.loads(out)["chosen_by"], json.loads(out)["buckets"]) == ("embedded", 1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_start_runs_until_a_signal(home: Path, number: int) -> None:
    with Process("server", "start", "--json") as process:
        started = json.loads(process.stdout.readline())
        assert started["running"] is True
        assert started["home"] == str(home)
        assert "token" not in json.dumps(started)
        code, out, _ = run("server", "status", "--json")
        assert (code, json.loads(out)) == (0, started)
        process.signal(number)
        assert process.wait() == (0, "")
    assert _embedded.status() is None


def test_line_after_ctrl_c_on_a_terminal(home: Path) -> None:
    """The prompt of the shell was on the line of ^C."""
    with Terminal("server", "start", env={"JETSTOW_HOME": str(home)}) as terminal:
        terminal.wait_for("data  ")
        assert run("server", "status")[0] == 0
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.wait() == 0
    assert terminal.text.endswith("\r\n\r\n")


def test_stop_while_start_runs(home: Path) -> None:
    with Process("server", "start") as process:
        process.stdout.readline()
        assert run("server", "stop") == (0, "the server is stopped\n", "")
        assert process.wait() == (errors.UNREACHABLE, "jetstow: the server was stopped\n")
    line = f"no server runs in {home}\n"
    assert run("server", "stop") == (0, line, "")
    assert run("server", "status") == (errors.NOT_FOUND, line, "")


def test_status_does_not_create_the_home(home: Path) -> None:
    code, out, _ = run("server", "status", "--json")
    assert (code, json.loads(out)) == (3, {"running": False, "home": str(home)})
    assert not home.exists()


def test_home_that_is_a_file(home: Path) -> None:
    home.write_text("a file")
    for command in (["ls"], ["server", "start"], ["server", "status"]):
        code, out, err = run(*command)
        assert (code, out) == (errors.UNREACHABLE, ""), command
        assert str(home) in err
        assert len(err.splitlines()) == 1
