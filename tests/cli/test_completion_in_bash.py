"""Completion in a real bash: names with spaces, colons, quotes and other special characters."""

from __future__ import annotations

import os
import pty
import select
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.cli import Cli, Process, wait_until

SPECIAL = "x(y)*?[z]&;|<>{1,2}~#^!h"
NAMES = (
    "with a space", "with another", "a:b c", "a:bd", "it's", "folder/x", "$HOME x", "ba\\ck",
    'do"uble', "`id`", "v=$v", "h!x", SPECIAL,
)  # fmt: skip

START_OF_LINE, END_OF_LINE = "\x01", "\x05"


# typer prints the script of the shell that is named, not of the shell that runs it.
NO_DETECTION = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}


class Bash:
    """An interactive bash on a terminal, with the completion of `jetstow`."""

    def __init__(self, cli: Cli, folder: Path) -> None:
        script = folder / "completion.sh"
        with Process("--show-completion", "bash", env=NO_DETECTION) as process:
            script.write_bytes(process.communicate()[1])
        pid, self._terminal = pty.fork()
        if not pid:
            os.environ |= {
                "NATS_URL": cli.server.url, "INPUTRC": "/dev/null", "TERM": "dumb", "PS1": "",
                "HISTFILE": "", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            }  # fmt: skip
            os.execlp("bash", "bash", "--norc", "--noprofile", "-i")
        self._pid = pid
        self.type(f"cd '{folder}'; . ./completion.sh\n")

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def wait_for(self, path: Path) -> None:
        """Wait until a command has created a file."""
        while not path.exists():
            if select.select([self._terminal], [], [], 0.02)[0]:
                os.read(self._terminal, 10_000)

    def close(self) -> None:
        os.kill(self._pid, 9)
        os.waitpid(self._pid, 0)
        with suppress(OSError):
            while os.read(self._terminal, 10_000):
                pass
        os.close(self._terminal)


@pytest.fixture
def bash(cli: Cli, bucket: str, tmp_path: Path) -> Iterator[Bash]:
    for name in NAMES:
        cli.run("put", "-", f"{bucket}/{name}", stdin=name.encode())
    wait_until(lambda: cli.connections() == 0)
    bash = Bash(cli, tmp_path)
    yield bash
    bash.close()


ATTEMPTS = 5

# What is typed after `jetstow cat`, and the name that it completes. {} is the bucket.
CASES = (
    ("{}/with\t\\ s\t", "with a space"),
    ('"{}/with an\t', "with another"),
    ("{}/a:b\\ \t", "a:b c"),
    ("{}/i\t", "it's"),
    ("jetstow://{}/fol\t", "folder/"),
    ("{}/\\$H\t", "$HOME x"),
    ("{}/ba\\\\c\t", r"ba\ck"),
    ("{}/\\`\t", "`id`"),
    ("{}/v=\t", "v=$v"),
    ("{}/x\t", SPECIAL),
    ("'{}/i\t", "it's"),
    ('"{}/\\$H\t', "$HOME x"),
    ('"{}/h\t', "h!x"),
)


@pytest.mark.slow
def test_names_are_quoted(bash: Bash, bucket: str, tmp_path: Path) -> None:
    """The words of each completed line are printed, as bash splits them.

    bash ran what was between the backquotes of an object's name, and replaced its variables.
    """
    for typed, name in CASES:
        expected = f"{bucket}/{name}"
        for attempt in range(ATTEMPTS):
            bash.type(f"jetstow cat {typed.replace('{}', bucket)}")
            bash.type(f"{START_OF_LINE}words=( {END_OF_LINE}); ")
            bash.type("printf '%s\\n' \"${words[@]}\" >out; mv out words\n")
            bash.wait_for(words := tmp_path / "words")
            word = words.read_text().splitlines()[-1].removeprefix("jetstow://")
            words.unlink()
            # A completion that takes longer than its timeout changes nothing.
            if word == expected or attempt == ATTEMPTS - 1:
                break
        assert word == expected, typed
