"""A client's process: started for one job, told when to go, ended when it takes too long."""

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


class Failed(Exception):  # noqa: N818 - its message says it
    """The client did not do it; the message goes into the report."""


class TookTooLong(Failed):
    """It was ended after its time."""


class Wrong(Failed):
    """It stored or returned other bytes: its figures are worth nothing."""


class Unable(Failed):
    """It has no such operation."""


class Client:
    """One running client."""

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

    def tell(self, line: str) -> None:
        """One line to the client."""
        assert self._process.stdin
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise Failed(self._last_words()) from None

    def hear(self) -> dict[str, Any]:
        """The client's next line.

        Raises `TookTooLong`, `Unable`, `Wrong`, and `Failed` if the client gave up or ended
        without a word.
        """
        until = time.monotonic() + self._timeout
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise TookTooLong(f"not done after {self._timeout:.0f} s") from None
            if line is None:
                raise Failed(self._last_words())
            if line.startswith("{"):  # what else a library prints is not for us
                break
        said: dict[str, Any] = json.loads(line)
        if "error" in said:
            raise Failed(said["error"])
        if "wrong" in said:
            raise Wrong(said["wrong"])
        if "unable" in said:
            raise Unable(said["unable"])
        return said

    def end(self) -> None:
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

    def _last_words(self) -> str:
        self._process.wait()
        self._errors.seek(0)
        words = self._errors.read().decode(errors="replace").strip().splitlines()
        return f"it ended with {self._process.returncode}: {words[-1] if words else 'no word'}"


@contextmanager
def running(
    command: Sequence[str], env: Mapping[str, str], job: Mapping[str, Any], timeout: float
) -> Iterator[Client]:
    """A client that has been given a job. `timeout` is for each of its answers, in seconds."""
    client = Client(command, env, timeout)
    try:
        client.tell(json.dumps(job))
        yield client
    finally:
        client.end()
