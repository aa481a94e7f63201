"""`jetstow serve` as a process.

with Served(server.url, "--workers", "2") as served:
    new_client(served.url, served.key).list_buckets()
"""

from __future__ import annotations

import json
import os
import signal
import threading
import tomllib
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from jetstow.s3 import Key
from tests.support.cli import Process, wait_until


class Served:
    """A running gateway. `url` and `admin` are its addresses, `key` is the first of its keys."""

    def __init__(self, nats_url: str, *arguments: str, home: Path) -> None:
        self._process = Process(
            "serve", "--json", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", *arguments,
            env={"NATS_URL": nats_url, "JETSTOW_HOME": str(home)},
        )  # fmt: skip
        self.log: list[str] = []
        self._reader = threading.Thread(target=self._read_log)

    def __enter__(self) -> Self:
        line = self._process.stdout.readline()
        self._reader.start()
        if not line:
            self._process.wait()
            self._reader.join()
            raise AssertionError("".join(self.log))
        started: dict[str, Any] = json.loads(line)
        self.url, self.admin = started["url"], started["admin"]
        self.console: str | None = started["console"]
        self.host, port = self.url.rpartition("/")[2].split(":")
        self.port = int(port)
        self.key_file = Path(started["keys"])
        entry = tomllib.loads(self.key_file.read_text(encoding="utf-8"))["key"][0]
        self.key = Key(entry["access_key"], entry["secret_key"])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.signal(signal.SIGKILL)
        self._reader.join()  # also of its workers: they have the same standard error
        self._process.__exit__()

    def get_admin(self, path: str) -> httpx.Response:
        return httpx.get(self.admin + path)

    def wait_ready(self, status: int = 200) -> None:
        wait_until(lambda: self.get_admin("/readyz").status_code == status)

    def metric(self, name: str) -> float:
        """Return a sample of the metrics, by its name with labels."""
        for line in self.get_admin("/metrics").text.splitlines():
            if line.startswith(f"{name} "):
                return float(line.rpartition(" ")[2])
        return 0.0

    def workers(self) -> list[int]:
        """Return the process ids of the workers."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        found = []
        for pid in map(int, children.split()):
            command = Path(f"/proc/{pid}/cmdline")
            if command.exists() and b"gateway_worker" in command.read_bytes():
                found.append(pid)
        return found

    @property
    def pid(self) -> int:
        return self._process._process.pid

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def wait(self) -> int:
        """Wait for its end, and return the exit code."""
        code = self._process._process.wait()
        self._reader.join()
        return code

    def _read_log(self) -> None:
        for line in self._process.stderr:
            self.log.append(line.decode())
