"""Every command that a page names exists, with the options that stand behind it."""

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


def typed(page: str) -> list[str]:
    """What is to be typed: behind the `$` of a console, and every line of `sh`."""
    found: list[str] = []
    for block in pages.blocks(page):
        if block.language == "console":
            found += [command for command, _ in dialogue(block.text)]
        elif block.language == "sh":
            found += block.text.replace("\\\n", " ").splitlines()
    return found + re.findall(r"`(jetstow\s[^`]+)`", pages.prose(page))


def calls(page: str) -> list[list[str]]:
    """The words behind each `jetstow` of a command line."""
    found: list[list[str]] = []
    for line in typed(page):
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
def test_a_command_exists_with_its_options(page: str, call: list[str]) -> None:
    command, words = PROGRAM, list(call)
    if words == ["..."]:
        return
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    known = {option for each in command.params for option in each.opts} | {"--help", "-h"}
    if command is PROGRAM:
        assert words[0].startswith("-"), f"{page}: there is no command {words[0]!r}"
        known |= COMPLETION
    for word in words:
        if re.match(r"--?[a-z]", word):
            assert word.partition("=")[0] in known, f"{page}: {' '.join(call)}"


def test_there_are_commands_to_check() -> None:
    assert len(CALLS) > 40
