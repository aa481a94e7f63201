"""A reader who types what a page says, block after block, and compares what comes out."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import doctest
import inspect
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Self

from typer.testing import CliRunner

import jetstow
import jetstow.sync
from jetstow.cli.app import app
from jetstow.fs import JetstowFileSystem
from tests.docs.pages import Block

_OPTIONS: Final = doctest.ELLIPSIS | doctest.REPORT_NDIFF
_TOP_LEVEL: Final = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
# One day is as good as another.
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(Z|\+\d\d:\d\d)?")
# What only a shell can do.
_SHELL: Final = frozenset("|><&;$(")


class Reader:
    """One program for all Python of a page, one folder, one shell's environment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: dict[str, Any] = {"__name__": "__page__"}
        self._loop = asyncio.Runner()
        self._unused: set[str] = set()
        self._file_systems = set(JetstowFileSystem._cache)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close what the page leaves open, as its reader leaves Python."""
        for value in self._names.values():
            if isinstance(value, jetstow.Client) and not value.is_closed:
                self._loop.run(value.close())
            elif isinstance(value, jetstow.sync.Client):
                value.close()
        for made in set(JetstowFileSystem._cache) - self._file_systems:
            JetstowFileSystem._cache.pop(made).close()
        self._loop.close()

    def read(self, blocks: list[Block]) -> None:
        """Do what all of them say."""
        for block in blocks:
            if block.language == "python":
                self._python(block)
            elif block.language == "console":
                self._console(block)
        assert not self._unused, f"written and never run: {self._unused}"

    def _python(self, block: Block) -> None:
        if block.file:
            (self._folder / block.file).write_text(block.text, encoding="utf-8")
            self._unused.add(block.file)
            return
        # Line numbers of a traceback are those of the page.
        source = "\n" * block.line + block.text
        code = compile(source, str(block), "exec", flags=_TOP_LEVEL, dont_inherit=True)
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            if code.co_flags & inspect.CO_COROUTINE:
                self._loop.run(eval(code, self._names))
            else:
                exec(code, self._names)
        _compare(block, block.shown or "", said.getvalue())

    def _console(self, block: Block) -> None:
        for command, shown in dialogue(block.text):
            words = shlex.split(command, comments=True)
            if words[0] == "python":
                self._unused.discard(words[1])
            _compare(block, shown, self._type(command, words))

    def _type(self, command: str, words: list[str]) -> str:
        if words[0] == "jetstow" and not _SHELL & set(command):
            # Its own process would take a second to start.
            arguments = list(_expanded(command, words))[1:]
            result = CliRunner().invoke(app, arguments, prog_name="jetstow")
            if result.exception and not isinstance(result.exception, SystemExit):
                raise result.exception
            return str(result.output)
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        done = subprocess.run(
            ["bash", "-c", command], cwd=self._folder, env=os.environ | {"PATH": path}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        return done.stdout


def _expanded(command: str, words: list[str]) -> Iterator[str]:
    """The words, with the files of this folder for patterns that are not quoted."""
    for word, typed in zip(words, shlex.split(command, comments=True, posix=False), strict=True):
        if "*" in word and word == typed:
            yield from sorted(map(str, Path().glob(word)))
        else:
            yield word


def dialogue(text: str) -> Iterator[tuple[str, str]]:
    """What is typed behind each `$`, and what is shown behind it."""
    for part in ("\n" + text).split("\n$ ")[1:]:
        command, shown = part, ""
        while True:
            line, _, shown = command.partition("\n")
            if not line.endswith("\\"):
                break
            command = line[:-1] + shown
        yield line, shown if not shown or shown.endswith("\n") else f"{shown}\n"


def _compare(block: Block, shown: str, said: str) -> None:
    """`...` stands for anything, as in doctest. What is not shown may not be printed."""
    wanted, found = (_MOMENT.sub("a moment", text.rstrip()) for text in (shown, said))
    if doctest.OutputChecker().check_output(wanted, found, _OPTIONS):
        return
    raise AssertionError(f"{block} prints otherwise\n--- shown\n{shown}\n--- printed\n{said}")
