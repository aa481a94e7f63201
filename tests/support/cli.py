"""The command line, called as users call it: in this process, or as a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import IO, Any, Self, TypeVar

import nats
from nats.aio.client import Client
from typer.testing import CliRunner, Result

from jetstow.cli.app import app
from tests.support import raw_stream
from tests.support.servers import NatsServer

T = TypeVar("T")


class Cli:
    """`jetstow` on one server, in this process: quick, and good for all but pipes and signals."""

    def __init__(self, server: NatsServer) -> None:
        self.server = server

    def run(self, *arguments: str, stdin: bytes = b"", code: int | None = 0) -> Result:
        """What it said. It must end with that exit code; with 0, it may not complain."""
        result = CliRunner().invoke(
            app, ["--server", self.server.url, *arguments], input=stdin, prog_name="jetstow"
        )
        assert result.exit_code == (code or 0), f"{arguments}: {result.exit_code}\n{result.output}"
        if code == 0:
            assert not result.stderr, result.stderr
        return result

    def out(self, *arguments: str, stdin: bytes = b"") -> str:
        """Its standard output."""
        return self.run(*arguments, stdin=stdin).stdout

    def json(self, *arguments: str, stdin: bytes = b"") -> Any:
        """Its standard output, which is one JSON document."""
        return json.loads(self.out(*arguments, "--json", stdin=stdin))

    def error(self, code: int, *arguments: str, stdin: bytes = b"") -> str:
        """The one sentence on stderr, when it fails with that exit code."""
        result = self.run(*arguments, stdin=stdin, code=code)
        (line,) = result.stderr.splitlines()
        assert line.startswith("jetstow: "), line
        assert "Traceback" not in result.output
        return str(line.removeprefix("jetstow: "))

    def start(self, *arguments: str, **options: Any) -> Process:
        """A process of its own, on this server."""
        return Process(*arguments, env={"NATS_URL": self.server.url}, **options)

    # -- the server, asked without jetstow ------------------------------------------------

    def peek(self, look: Callable[[Client], Awaitable[T]]) -> T:
        """What a plain connection finds."""

        async def looked() -> T:
            async with await nats.connect(self.server.url) as nc:
                return await look(nc)

        return asyncio.run(looked())

    def chunks(self, bucket: str) -> int:
        """How many chunks lie in the bucket."""
        return sum(self.peek(lambda nc: raw_stream.chunks(nc, bucket)).values())

    def connections(self) -> int:
        """How many processes of the command line are connected."""
        listed = self.server.monitor("connz")["connections"] or []
        return sum(each.get("name") == "jetstow" for each in listed)


class Process:
    """`jetstow` as a process: `with Process("cat", "a/b") as process`. It is killed in the end."""

    def __init__(self, *arguments: str, env: dict[str, str] | None = None, **options: Any) -> None:
        pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        self._process: subprocess.Popen[bytes] = subprocess.Popen(
            [sys.executable, "-m", "jetstow", *arguments],
            env={**os.environ, **(env or {})},
            **pipes | options,
        )

    @property
    def stdin(self) -> IO[bytes]:
        assert self._process.stdin
        return self._process.stdin

    @property
    def stdout(self) -> IO[bytes]:
        assert self._process.stdout
        return self._process.stdout

    def running(self) -> bool:
        return self._process.poll() is None

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def ended(self) -> tuple[int, str]:
        """Its exit code and what it said on stderr. Its pipes stay open until it has ended."""
        code = self._process.wait()
        return code, self._process.stderr.read().decode() if self._process.stderr else ""

    def finished(self, stdin: bytes | None = None) -> tuple[int, bytes, str]:
        """Its exit code, its output, and what it said on stderr."""
        out, err = self._process.communicate(stdin)
        return self._process.returncode, out, (err or b"").decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self._process.wait()


def wait_until(there: Callable[[], object]) -> None:
    """The test's own timeout ends what never comes."""
    while not there():
        time.sleep(0.02)
