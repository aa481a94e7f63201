"""Runs the blocks of a page in order, as a reader would, and compares the output."""

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
import signal
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
from tests.docs import deployment
from tests.docs.background import Background
from tests.docs.pages import Block
from tests.docs.places import Places

_OPTIONS: Final = doctest.ELLIPSIS | doctest.REPORT_NDIFF
_TOP_LEVEL: Final = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
# Times differ from run to run, so all of them compare as equal.
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(Z|\+\d\d:\d\d)?")
# A command with one of these characters needs a shell.
_SHELL: Final = frozenset("|><&;$(")
# As the shell writes jobs: %1 is the first program in the background, %python the last "python".
_KILL: Final = re.compile(r"kill (-9 )?(%[\w-]+(?: %[\w-]+)*)")
# Reads the variables of a file into the environment.
_SOURCE: Final = re.compile(r"set -a; \. (\S+)")


class Reader:
    """One Python namespace for all blocks of a page, one working folder, one shell environment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._places = Places(folder)
        self._background: list[Background] = []
        self._names: dict[str, Any] = {"__name__": "__page__"}
        self._loop = asyncio.Runner()
        self._unused: set[str] = set()
        self._files = ""  # the text of all files, without their first lines
        self._file_systems = set(JetstowFileSystem._cache)

    def __enter__(self) -> Self:
        """Make the files of the page importable."""
        sys.path.insert(0, str(self._folder))
        return self

    def __exit__(self, *_: object) -> None:
        """Close connections that the page leaves open, as the end of the program would."""
        sys.path.remove(str(self._folder))
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", "")).startswith(str(self._folder)):
                del sys.modules[name]
        for value in self._names.values():
            if isinstance(value, jetstow.Client) and not value.is_closed:
                self._loop.run(value.close())
            elif isinstance(value, jetstow.sync.Client):
                value.close()
        for made in set(JetstowFileSystem._cache) - self._file_systems:
            JetstowFileSystem._cache.pop(made).close()
        self._loop.close()
        for program in reversed(self._background):
            program.stop()

    def read(self, blocks: list[Block]) -> None:
        """Write all blocks that are files, and run all other Python and console blocks."""
        for block in blocks:
            if block.file:
                self._write(block, block.file)
            elif block.language == "python":
                self._python(block)
            elif block.language == "console":
                self._console(block)
        assert not self._unused, f"written and never run: {self._unused}"

    def _write(self, block: Block, name: str) -> None:
        """Write a file. A command or another file has to use it; services are run at once."""
        text = self._places.local(block.text)
        path = self._folder / name
        path.write_text(text, encoding="utf-8")
        if check := deployment.check_of(path):
            self._background += check(path, self._environment())
        else:
            self._unused.add(name)
        self._files += text.partition("\n")[2]
        self._use(self._files)

    def _use(self, text: str) -> None:
        """Mark the files that a command or a file names as used: `app.py`, or `app` alone."""
        words = set(re.findall(r"[\w-]+", text))
        if "pytest" in words:
            words |= {"conftest", "pyproject"}
        self._unused -= {name for name in self._unused if name.partition(".")[0] in words}

    def _python(self, block: Block) -> None:
        self._use(block.text)
        # Line numbers of a traceback are those of the page.
        source = "\n" * block.line + self._places.local(block.text)
        code = compile(source, str(block), "exec", flags=_TOP_LEVEL, dont_inherit=True)
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            if code.co_flags & inspect.CO_COROUTINE:
                self._loop.run(eval(code, self._names))
            else:
                exec(code, self._names)
        _compare(block, block.output or "", self._places.shown(output.getvalue()))

    def _console(self, block: Block) -> None:
        for typed, shown in dialogue(block.text):
            self._use(typed)
            command = self._places.local(typed)
            _compare(block, shown, self._places.shown(self._run(command)))

    def _run(self, command: str) -> str:
        if command.endswith(" &"):
            program = Background(command[:-2], self._folder, self._environment())
            self._background.append(program)
            program.wait_ready()
            return ""
        if match := _KILL.fullmatch(command):
            for job in match[2].split():
                self._job(job[1:]).stop(signal.SIGKILL if match[1] else signal.SIGTERM)
            return ""
        if match := _SOURCE.fullmatch(command):
            os.environ.update(deployment.variables(Path(match[1])))
            return ""
        words = shlex.split(command, comments=True)
        if words[0] == "jetstow" and not _SHELL & set(command):
            # Run it in this process: a new process takes a second to start.
            arguments = list(_expanded(command, words))[1:]
            result = CliRunner().invoke(app, arguments, prog_name="jetstow")
            if result.exception and not isinstance(result.exception, SystemExit):
                raise result.exception
            return str(result.output)
        process = subprocess.run(
            ["bash", "-c", command], cwd=self._folder, env=self._environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        return process.stdout

    def _job(self, job: str) -> Background:
        """Return a program in the background by its number or by the beginning of its command."""
        if job.isdecimal():
            return self._background[int(job) - 1]
        return next(it for it in reversed(self._background) if it.command.startswith(job))

    def _environment(self) -> dict[str, str]:
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        return os.environ | {"PATH": path}


def _expanded(command: str, words: list[str]) -> Iterator[str]:
    """Yield the words, with unquoted patterns replaced by the matching files."""
    for word, typed in zip(words, shlex.split(command, comments=True, posix=False), strict=True):
        if "*" in word and word == typed:
            yield from sorted(map(str, Path().glob(word)))
        else:
            yield word


def dialogue(text: str) -> Iterator[tuple[str, str]]:
    """Yield the command after each `$`, and the output shown below it."""
    for part in ("\n" + text).split("\n$ ")[1:]:
        command, shown = part, ""
        while True:
            line, _, shown = command.partition("\n")
            if not line.endswith("\\"):
                break
            command = line[:-1] + shown
        yield line, shown if not shown or shown.endswith("\n") else f"{shown}\n"


def _compare(block: Block, shown: str, printed: str) -> None:
    """Assert that `printed` matches `shown`; `...` matches any text, as in doctest."""
    expected, actual = (_TIME.sub("a time", text.rstrip()) for text in (shown, printed))
    if doctest.OutputChecker().check_output(expected, actual, _OPTIONS):
        return
    raise AssertionError(f"{block}: other output\n--- shown\n{shown}\n--- printed\n{printed}")
