"""Every command on a page exists, with the options that the page uses."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import typer.main

from jetstow.cli.app import app
from tests.docs import pages
from tests.docs.reader import dialogue

PROGRAM: Any = typer.main.get_command(app)
COMPLETION = {"--install-completion", "--show-completion"}


def command_lines(page: str) -> list[str]:
    """Return the lines after the `$` of a console, all lines of `sh`, and commands in prose."""
    lines: list[str] = []
    for block in pages.blocks(page):
        if block.language == "console":
            lines += [command for command, _ in dialogue(block.text)]
        elif block.language == "sh":
            lines += block.text.replace("\\\n", " ").splitlines()
    return lines + re.findall(r"`(jetstow\s[^`]+)`", pages.prose(page))


def calls(page: str) -> list[list[str]]:
    """Return the words after each `jetstow` of a command line."""
    found: list[list[str]] = []
    for line in command_lines(page):
        words = shlex.shlex(line, posix=True, punctuation_chars=True)
        words.whitespace_split = True
        at_start = True
        for word in words:
            if set(word) <= set("|;&()<>"):
                at_start = True
            elif at_start and word == "jetstow":
                found.append([])
                at_start = False
            elif at_start and not re.fullmatch(r"\w+=.*", word):
                found.append(["of another program"])
                at_start = False
            elif not at_start:
                found[-1].append(word)
    return [call for call in found if call and call[0] != "of another program"]


CALLS = [(page, call) for page in pages.names() for call in calls(page)]


@pytest.mark.parametrize(
    ("page", "call"), CALLS, ids=[f"{page}: {' '.join(call)}" for page, call in CALLS]
)
def test_command_exists_with_its_options(page: str, call: list[str]) -> None:
    command, words = PROGRAM, list(call)
    if words == ["..."]:
        return
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    options = {option for param in command.params for option in param.opts} | {"--help", "-h"}
    if command is PROGRAM:
        assert words[0].startswith("-"), f"{page}: there is no command {words[0]!r}"
        options |= COMPLETION
    for word in words:
        if re.match(r"--?[a-z]", word):
            assert word.partition("=")[0] in options, f"{page}: {' '.join(call)}"


def test_servers_on_a_page_listen_on_loopback() -> None:
    """By default, `nats-server` listens on all addresses, without a password."""
    for page in pages.names():
        for line in command_lines(page) + re.findall(r"`(nats-server\s[^`]+)`", pages.prose(page)):
            if "nats-server " in line and "--config" not in line:
                assert "--addr localhost" in line, f"{page}: {line}"


def test_commands_are_found() -> None:
    assert len(CALLS) > 40
