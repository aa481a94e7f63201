"""The command of watch --exec: its words, its check, and its run for each change."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import shlex
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jetstow._core.aio.cancellation import uncancelled
from jetstow.cli.errors import CliError, UsageError

PLACEHOLDER: Final = "{}"

# How long a command has to end after SIGTERM, before SIGKILL. In seconds.
TERMINATE_TIMEOUT: Final = 2.0


@dataclass(frozen=True)
class ExecCommand:
    """A command line, split into words. `{}` is replaced by the address of an object."""

    words: list[str]

    @classmethod
    def parse(cls, line: str, *, unsafe: bool) -> ExecCommand:
        """Split a command line as a shell does, and check it.

        Raises: `UsageError` (no command, or `{}` in code and not `unsafe`), `CliError` (there is
        no such program).
        """
        try:
            words = shlex.split(line)
        except ValueError as error:
            raise UsageError(f"--exec {line!r} is not a command: {error}") from None
        if not words or not words[0]:
            raise UsageError("--exec is not a command: it is empty")
        if not unsafe and (program := find_code(words)) is not None:
            raise UsageError(
                f"{PLACEHOLDER} in the code that {program!r} runs would run commands in the names "
                'of objects: write "$JETSTOW_NAME" there, or add --unsafe if you trust all names'
            )
        if PLACEHOLDER not in words[0] and shutil.which(words[0]) is None:
            code = errno.EACCES if "/" in words[0] and Path(words[0]).exists() else errno.ENOENT
            raise CliError(f"cannot run {words[0]!r}: {os.strerror(code)}")
        return cls(words)

    async def run(self, address: str, variables: Mapping[str, str]) -> str | None:
        """Run the command for an object and wait for its end. A cancellation ends it, too.

        Return why it failed, or None.
        """
        program = self.words[0]
        try:
            process = await asyncio.create_subprocess_exec(
                *(word.replace(PLACEHOLDER, address) for word in self.words),
                env=os.environ | variables,
                stdin=asyncio.subprocess.DEVNULL,
            )
        # ValueError: NUL and lone surrogates, which arguments and variables cannot have.
        except (OSError, ValueError) as error:
            return f"cannot run {program!r} for {address}: {_cause(error)}"
        try:
            code = await process.wait()
        finally:
            if process.returncode is None:
                await uncancelled(_terminate(process))
        return f"{program!r} {_outcome(code)} for {address}" if code else None


def _cause(error: OSError | ValueError) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return f"no argument can have such a name ({error})"


def _outcome(code: int) -> str:
    if code > 0:
        return f"failed with exit code {code}"
    with suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"


async def _terminate(process: asyncio.subprocess.Process) -> None:
    """Send SIGTERM, then SIGKILL after `TERMINATE_TIMEOUT`. Wait for the end."""
    with suppress(ProcessLookupError):
        process.terminate()
        try:
            async with asyncio.timeout(TERMINATE_TIMEOUT):
                await process.wait()
        except TimeoutError:
            process.kill()
    await process.wait()


# -- placeholders in code ----------------------------------------------------------------


@dataclass(frozen=True)
class _Interpreter:
    """A program that runs code from its arguments.

    `letters` are its short options for code, and `long` the long ones. `with_value` are other short
    options with a value in the next word.
    """

    letters: str
    long: tuple[str, ...] = ()
    with_value: str = ""
    # `bash -c -x CODE`: the code is the first word that is not an option.
    code_after_options: bool = False
    # Options end at the first other word: `bash FILE -c WORD` has no code.
    options_first: bool = False


_SHELL: Final = _Interpreter("c", with_value="oO", code_after_options=True, options_first=True)
_USER: Final = _Interpreter("c", ("command", "session-command"))
_INTERPRETERS: Final = {
    **dict.fromkeys(("sh", "ash", "bash", "dash", "ksh", "mksh", "zsh", "csh", "tcsh"), _SHELL),
    "fish": _Interpreter("cC", ("command", "init-command"), options_first=True),
    **dict.fromkeys(("python", "pypy"), _Interpreter("c", with_value="WX", options_first=True)),
    **dict.fromkeys(("perl", "ruby", "lua"), _Interpreter("eE")),
    **dict.fromkeys(("node", "nodejs"), _Interpreter("ep", ("eval", "print"))),
    "php": _Interpreter("rBRE"),
    "env": _Interpreter("S", ("split-string",)),
    **dict.fromkeys(("su", "runuser", "script", "flock"), _USER),
}

# These join all of their arguments into code for a shell.
_JOINING: Final = frozenset({"ssh", "watch"})

_VERSION: Final = re.compile(r"[-\d.]+$", re.ASCII)


def find_code(words: list[str]) -> str | None:
    """Return the program that would run code with `{}` in it. None if none is known to.

    A program may follow another one: `sudo sh -c`, `env python3 -c`.
    """
    if PLACEHOLDER in words[0]:
        return words[0]
    for position, word in enumerate(words):
        name = _VERSION.sub("", word.rpartition("/")[2])
        following = words[position + 1 :]
        interpreter = _INTERPRETERS.get(name)
        code = following if name in _JOINING else _code(interpreter, following)
        if any(PLACEHOLDER in text for text in code):
            return word
    return None


def _code(interpreter: _Interpreter | None, words: list[str]) -> Iterator[str]:
    """Yield the arguments of an interpreter that are code."""
    if interpreter is None:
        return
    code_follows = value_follows = False
    for word in words:
        is_option = word[:1] in {"-", "+"} and len(word) > 1
        if value_follows:
            value_follows = False
        elif code_follows and not (is_option and interpreter.code_after_options):
            yield word
            code_follows = False
        elif word.startswith("--"):
            option, equals, value = word[2:].partition("=")
            if option in interpreter.long:
                yield value
                code_follows = not equals
        elif is_option:
            letters = word[1:].partition(PLACEHOLDER)[0]
            if set(letters) & set(interpreter.letters):
                yield word  # `perl -eCODE`
                code_follows = True
            value_follows = letters[-1:] in tuple(interpreter.with_value)
        elif interpreter.options_first:
            return
