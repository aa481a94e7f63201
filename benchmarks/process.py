"""The process of a client: it runs one job and is killed after a timeout."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.servers import die_with_parent

ROOT = Path(__file__).resolve().parents[1]


class ClientFailedError(Exception):
    """The client failed. The report contains the message."""


class ClientTimeoutError(ClientFailedError):
    """The client was killed after its timeout."""


class WrongDataError(ClientFailedError):
    """The client stored or returned other bytes: its figures are discarded."""


class UnsupportedError(ClientFailedError):
    """The client does not have the operation."""


class Client:
    """A running client."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], timeout: float) -> None:
        self._timeout = timeout
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [*die_with_parent(), *command], cwd=ROOT, env={**os.environ, **env}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,
        )  # fmt: skip
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def send(self, line: str) -> None:
        """Send a line to the client."""
        assert self._process.stdin
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise ClientFailedError(self._exit_message()) from None

    def receive(self) -> dict[str, Any]:
        """Return the next line of the client.

        Raises: `ClientTimeoutError`, `UnsupportedError`, `WrongDataError`, `ClientFailedError` (an
        error, or its end).
        """
        until = time.monotonic() + self._timeout
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise ClientTimeoutError(f"no result after {self._timeout:.0f} s") from None
            if line is None:
                raise ClientFailedError(self._exit_message())
            if line.startswith("{"):  # ignore other output of a library
                break
        message: dict[str, Any] = json.loads(line)
        if "error" in message:
            raise ClientFailedError(message["error"])
        if "wrong" in message:
            raise WrongDataError(message["wrong"])
        if "unable" in message:
            raise UnsupportedError(message["unable"])
        return message

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue
        self._errors.close()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._lines.put(line)
        self._lines.put(None)

    def _exit_message(self) -> str:
        self._process.wait()
        self._errors.seek(0)
        words = self._errors.read().decode(errors="replace").strip().splitlines()
        return f"exit code {self._process.returncode}: {words[-1] if words else 'no output'}"


@contextmanager
def running(
    command: Sequence[str], env: Mapping[str, str], job: Mapping[str, Any], timeout: float
) -> Iterator[Client]:
    """Start a client with a job. `timeout` applies to each of its lines, in seconds."""
    client = Client(command, env, timeout)
    try:
        client.send(json.dumps(job))
        yield client
    finally:
        client.stop()
