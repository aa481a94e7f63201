"""Run the command line in this process, or as a child process."""

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
    """`jetstow` on one server, in this process. Pipes and signals need a `Process`."""

    def __init__(self, server: NatsServer) -> None:
        self.server = server

    def run(self, *arguments: str, stdin: bytes = b"", code: int | None = 0) -> Result:
        """Run a command and check its exit code; with 0, also that stderr is empty."""
        result = CliRunner().invoke(
            app, ["--server", self.server.url, *arguments], input=stdin, prog_name="jetstow"
        )
        assert result.exit_code == (code or 0), f"{arguments}: {result.exit_code}\n{result.output}"
        if code == 0:
            assert not result.stderr, result.stderr
        return result

    def out(self, *arguments: str, stdin: bytes = b"") -> str:
        """Run a command and return its standard output."""
        return self.run(*arguments, stdin=stdin).stdout

    def json(self, *arguments: str, stdin: bytes = b"") -> Any:
        """Run a command with `--json` and return the decoded output."""
        return json.loads(self.out(*arguments, "--json", stdin=stdin))

    def error(self, code: int, *arguments: str, stdin: bytes = b"") -> str:
        """Run a command that fails with this exit code and return its one line of stderr."""
        result = self.run(*arguments, stdin=stdin, code=code)
        (line,) = result.stderr.splitlines()
        assert line.startswith("jetstow: "), line
        assert "Traceback" not in result.output
        return str(line.removeprefix("jetstow: "))

    def start(self, *arguments: str, **options: Any) -> Process:
        """Start a command on this server as a child process."""
        return Process(*arguments, env={"NATS_URL": self.server.url}, **options)

    # -- inspection without jetstow -------------------------------------------------------

    def inspect(self, call: Callable[[Client], Awaitable[T]]) -> T:
        """Return the result of `call` on a plain nats-py connection."""

        async def connect_and_call() -> T:
            async with await nats.connect(self.server.url) as nc:
                return await call(nc)

        return asyncio.run(connect_and_call())

    def chunks(self, bucket: str) -> int:
        """Return the number of chunks in the bucket."""
        return sum(self.inspect(lambda nc: raw_stream.chunks(nc, bucket)).values())

    def connections(self) -> int:
        """Return the number of connected command line processes."""
        listed = self.server.monitor("connz")["connections"] or []
        return sum(each.get("name") == "jetstow" for each in listed)


class Process:
    """`jetstow` as a child process: `with Process("cat", "a/b") as process`. Exit kills it."""

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

    @property
    def stderr(self) -> IO[bytes]:
        assert self._process.stderr
        return self._process.stderr

    def is_running(self) -> bool:
        return self._process.poll() is None

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self) -> tuple[int, str]:
        """Wait for its end and return the exit code and stderr. Its pipes stay open until then."""
        code = self._process.wait()
        return code, self._process.stderr.read().decode() if self._process.stderr else ""

    def communicate(self, stdin: bytes | None = None) -> tuple[int, bytes, str]:
        """Send stdin, wait for its end, and return the exit code, stdout and stderr."""
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


def wait_until(condition: Callable[[], object]) -> None:
    """Poll until the condition is true. The timeout of the test limits the wait."""
    while not condition():
        time.sleep(0.02)
