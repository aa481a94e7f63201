"""The server's process: the reason of its failure, and finding it by its command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jetstow._embedded import process
from jetstow._embedded.home_dir import HomeDir


@pytest.fixture
def home(tmp_path: Path) -> HomeDir:
    home = HomeDir(tmp_path / "a home")
    home.create()
    return home


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        ("", "its log has no error"),
        ("\n \n", "its log has no error"),
        (
            "nats-server: server.conf:3:1: Parse error\n",
            "nats-server: server.conf:3:1: Parse error",
        ),
        (
            "[7] 2026/01/02 03:04:05.678901 [FTL] Can't listen: in use\n[7] [INF] Bye",
            "Can't listen: in use",
        ),
        ("panic: oh\n\ngoroutine 1 [running]:\nmain.main()\n", "panic: oh"),
        ("sh: nats: not found\n", "sh: nats: not found"),
    ],
)
def test_failure_reason_in_the_log(home: HomeDir, log: str, reason: str) -> None:
    home.log_file.write_text("[6] 2026/01/02 03:04:05.678901 [FTL] Of an earlier start\n" + log)
    offset = home.log_file.stat().st_size - len(log)
    assert process.failure_reason(home, offset) == reason


def test_failure_reason_without_a_log(home: HomeDir) -> None:
    assert process.failure_reason(home, 0) == "its log has no error"


def test_failure_reason_in_a_rotated_log(home: HomeDir) -> None:
    home.log_file.write_text("[FTL] short\n")
    assert process.failure_reason(home, 10_000) == "[FTL] short"


def test_failure_reason_does_not_contain_the_token(home: HomeDir) -> None:
    settings = home.write_config()
    home.log_file.write_text(f"[FTL] what is {settings.token}?\n")
    assert process.failure_reason(home, 0) == "[FTL] what is ***?"


# Processes that only wait, with the command lines of a server and of an editor.


@pytest.fixture
def fake_server(home: HomeDir) -> Iterator[int]:
    """A process with the command line of this home's server."""
    yield from _waiting_process(f"--config={home.config_file}")


@pytest.fixture
def editor(home: HomeDir) -> Iterator[int]:
    """A process with the configuration file as an argument, like an editor."""
    yield from _waiting_process(str(home.config_file))


def _waiting_process(argument: str) -> Iterator[int]:
    code = "import sys; print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, argument]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        yield child.pid
        child.kill()


@pytest.fixture(params=["proc", "ps"])
def process_list(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The source of command lines: `/proc` or `ps`."""
    if request.param == "ps":
        monkeypatch.setattr(process, "PROC_DIR", Path("/missing"))


@pytest.mark.usefixtures("process_list", "editor")
def test_server_is_found_by_its_command_line(home: HomeDir, fake_server: int) -> None:
    assert process.find_pid(home) == fake_server
    assert process.is_server(fake_server, home)


@pytest.mark.usefixtures("process_list")
def test_pid_file_of_another_process(home: HomeDir, editor: int) -> None:
    home.pid_file.write_text(str(editor))
    assert process.find_pid(home) is None
    assert not process.is_server(editor, home)
    assert not process.is_server(os.getpid(), home)


@pytest.mark.usefixtures("process_list")
def test_pid_file_of_an_exited_process(home: HomeDir) -> None:
    exited = subprocess.Popen([sys.executable, "-c", ""])
    exited.wait()
    home.pid_file.write_text(str(exited.pid))
    assert process.find_pid(home) is None


def test_process_is_not_signalled_while_the_lock_is_free(home: HomeDir, fake_server: int) -> None:
    home.server_lock.touch()
    assert not process.is_alive(home)
    assert process.stop(home) is False
    assert process.is_server(fake_server, home)
