"""How the server's process is recognised, and what it said last."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jetstow._embedded import process
from jetstow._embedded.home_dir import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "a home")
    made.prepare()
    return made


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("", "it said nothing"),
        ("\n \n", "it said nothing"),
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
def test_last_words(folder: Folder, log: str, words: str) -> None:
    folder.log.write_text("[6] 2026/01/02 03:04:05.678901 [FTL] Of another time\n" + log)
    since = folder.log.stat().st_size - len(log)
    assert process.last_words(folder, since) == words


def test_last_words_without_a_log(folder: Folder) -> None:
    assert process.last_words(folder, 0) == "it said nothing"


def test_last_words_in_a_log_turned_over(folder: Folder) -> None:
    folder.log.write_text("[FTL] short\n")
    assert process.last_words(folder, 10_000) == "[FTL] short"


def test_last_words_keep_the_token_secret(folder: Folder) -> None:
    told = folder.configure()
    folder.log.write_text(f"[FTL] what is {told.token}?\n")
    assert process.last_words(folder, 0) == "[FTL] what is ***?"


# Sleepers in place of servers: what counts is the command line.


@pytest.fixture
def pretender(folder: Folder) -> Iterator[int]:
    """A process with the command line of this home's server."""
    yield from _sleeper(f"--config={folder.config}")


@pytest.fixture
def editor(folder: Folder) -> Iterator[int]:
    """A process with the configuration as an argument, as an editor would have it."""
    yield from _sleeper(str(folder.config))


def _sleeper(argument: str) -> Iterator[int]:
    code = "import sys; print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, argument]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as sleeper:
        assert sleeper.stdout
        sleeper.stdout.readline()
        yield sleeper.pid
        sleeper.kill()


@pytest.fixture(params=["proc", "ps"])
def listing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where command lines are found: in `/proc`, or asked of `ps`."""
    if request.param == "ps":
        monkeypatch.setattr(process, "PROC", Path("/missing"))


@pytest.mark.usefixtures("listing", "editor")
def test_the_server_is_found_by_its_command_line(folder: Folder, pretender: int) -> None:
    assert process.find_pid(folder) == pretender
    assert process.runs(pretender, folder)


@pytest.mark.usefixtures("listing")
def test_a_hint_is_not_believed(folder: Folder, editor: int) -> None:
    folder.pid_file.write_text(str(editor))
    assert process.find_pid(folder) is None
    assert not process.runs(editor, folder)
    assert not process.runs(os.getpid(), folder)


@pytest.mark.usefixtures("listing")
def test_a_process_that_is_gone(folder: Folder) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    folder.pid_file.write_text(str(gone.pid))
    assert process.find_pid(folder) is None


def test_no_lock_no_server(folder: Folder, pretender: int) -> None:
    # Not even a process with the right command line is signalled while the lock is free.
    folder.server.touch()
    assert not process.alive(folder)
    assert process.end(folder) is False
    assert process.runs(pretender, folder)
