"""Real nats-server processes for the tests.

    with NatsServer(jetstream="max_file_store: 10M") as server:
        client = await jetstow.connect(server.url)

Everything here is synchronous on purpose. `setpriv --pdeathsig` ends a server together with the
*thread* that started it, so the thread of the test must start it. A start takes about 50 ms.
"""

from __future__ import annotations

import atexit
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support import versions

READY = "Server is ready"
START_TIMEOUT = 20.0
# A replica that misses a message while it catches up tries again after some 30 s. Until it has
# caught up, its server is not healthy.
HEALTHY_TIMEOUT = 90.0


class ServerStartError(RuntimeError):
    """The server did not start. The message contains its log."""


class NatsServer:
    """A nats-server on loopback with its own store.

    `config` is text that is added to the configuration file (accounts, users, permissions, TLS).
    `jetstream` is text inside its `jetstream` block (limits); None disables JetStream.
    `restart` keeps the port and the store.
    """

    def __init__(
        self,
        version: str = versions.LATEST,
        *,
        config: str = "",
        jetstream: str | None = "",
        name: str = "jetstow-test",
    ) -> None:
        self.version = version
        self.config = config
        self.jetstream = jetstream
        self.name = name
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="jetstow-server-"))
        self.log: list[str] = []
        self.startup_log: list[str] = []
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._ready = threading.Event()
        self._monitor_port = 0

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    @property
    def store_dir(self) -> Path:
        return self.folder / "store"

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def is_running(self) -> bool:
        """Whether the process runs, paused or not."""
        return self._process is not None and self._process.poll() is None

    def at_least(self, version: str) -> bool:
        """Whether this server is of `version` or later: `server.at_least("2.11")`."""
        return version_key(self.version) >= version_key(version)

    # -- start and stop ------------------------------------------------------------------

    def start(self, *, wait: bool = True) -> Self:
        """Start the server and wait until JetStream is healthy.

        Raises: `ServerStartError`, `versions.MissingBinaryError`.
        """
        for attempt in range(5):
            self._launch()
            if not wait:
                return self
            try:
                self.wait_ready()
            except ServerStartError:
                self._wait_for_exit()
                # Another process took the port. Only a first start may change the port.
                if "address already in use" not in self.log_text() or attempt == 4:
                    raise
                self.port = free_port()
            else:
                return self
        raise AssertionError("unreachable")

    def wait_ready(self) -> None:
        """Wait for the "ready" log line, then until the health check succeeds.

        Raises: `ServerStartError` (the server ended, or was not ready in time).
        """
        self._wait_until(self._ready.is_set, "ready", START_TIMEOUT)
        self._wait_until(self.is_healthy, "healthy", HEALTHY_TIMEOUT)

    def stop(self) -> None:
        """Stop the server with SIGTERM, as an operator does."""
        self._terminate(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the server with SIGKILL, as a crash does."""
        self._terminate(signal.SIGKILL)

    def restart(
        self, *, kill: bool = False, version: str | None = None, healthy: bool = True
    ) -> Self:
        """Stop or kill the server and start it on the same port with the same store.

        With `version`, another version is started. Without `healthy`, do not wait until its
        replicas have caught up.
        """
        self.version = version or self.version
        self._terminate(signal.SIGKILL if kill else signal.SIGTERM)
        if healthy:
            return self.start()
        self.start(wait=False)
        self._wait_until(self._ready.is_set, "ready", START_TIMEOUT)
        return self

    def pause(self) -> None:
        """Stop the process with SIGSTOP until `resume`. Its connections stay open."""
        self._running().send_signal(signal.SIGSTOP)
        # Its threads stop one by one. Until the last one has stopped, it may still reply.
        os.waitpid(self.pid, os.WUNTRACED)

    def resume(self) -> None:
        self._running().send_signal(signal.SIGCONT)

    def close(self) -> None:
        """Kill the server and remove its store."""
        self._terminate(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # -- log and monitoring --------------------------------------------------------------

    def log_text(self) -> str:
        """Return the log of the server, for the report of a failure."""
        return "\n".join(self.log)

    def is_healthy(self) -> bool:
        """Return whether JetStream is healthy and, in a cluster, connected to its leader."""
        try:
            return bool(self.monitor("healthz")["status"] == "ok")
        except (OSError, KeyError, ValueError):
            return False

    def monitor(self, page: str) -> dict[str, Any]:
        """Return a page of the server's monitoring: `varz`, `jsz?streams=true`, `connz`.

        Raises: `OSError` (the monitoring port is not open yet).
        """
        if not self._monitor_port:
            raise OSError("the monitoring port is not open yet")
        address = f"http://127.0.0.1:{self._monitor_port}/{page}"
        with urllib.request.urlopen(address, timeout=5) as response:
            page_data: dict[str, Any] = json.load(response)
        return page_data

    # -- process -------------------------------------------------------------------------

    def _wait_until(self, condition: Callable[[], bool], state: str, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            if self._running().poll() is not None or time.monotonic() > deadline:
                raise ServerStartError(
                    f"nats-server {self.version} is not {state}:\n{self.log_text()}"
                )
            time.sleep(0.01)

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process

    def _launch(self) -> None:
        if self._process is not None:
            raise RuntimeError("the server is running already")
        binary = versions.binary(self.version)
        config = self.folder / "server.conf"
        config.write_text(self._configuration())
        command = [*die_with_parent(), str(binary), "--config", str(config)]
        self._ready.clear()
        self._monitor_port = 0
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, errors="replace",
        )  # fmt: skip
        _started.add(self)
        self._reader = threading.Thread(target=self._read_log, args=(self._process,), daemon=True)
        self._reader.start()

    def _configuration(self) -> str:
        lines = [
            f'server_name: "{self.name}"',
            "host: 127.0.0.1",
            f"port: {self.port}",
            'http: "127.0.0.1:-1"',
        ]
        if self.jetstream is not None:
            lines += ["jetstream {", f'  store_dir: "{self.store_dir}"', self.jetstream, "}"]
        return "\n".join([*lines, self.config, ""])

    def _read_log(self, process: subprocess.Popen[str]) -> None:
        stream = process.stderr
        if stream is None:
            return
        for line in stream:
            self.log.append(line.rstrip())
            if "Starting http monitor on" in line:
                self._monitor_port = int(line.rpartition(":")[2])
            elif READY in line:
                self.startup_log = list(self.log)
                self._ready.set()

    def _terminate(self, sign: signal.Signals) -> None:
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self._process.send_signal(sign)
            self._process.send_signal(signal.SIGCONT)  # a paused process handles no signal
        self._wait_for_exit()

    def _wait_for_exit(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._reader is not None:
            self._reader.join()
        if process.stderr is not None:
            process.stderr.close()
        _started.discard(self)


def version_key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def free_port() -> int:
    """Return a free port below the kernel's range of ephemeral ports.

    While the server is down, a reconnecting client could get an ephemeral port of the server's
    number for its own end. It would connect to itself and hang.
    """
    for _ in range(100):
        port = random.randint(10_000, 32_000)
        with socket.socket() as trial, suppress(OSError):
            trial.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port")


def die_with_parent() -> list[str]:
    """Return a command prefix that ends the process with its parent thread.

    Without setpriv (macOS), only `_close_all` stops the servers.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []


_started: set[NatsServer] = set()


@atexit.register
def _close_all() -> None:
    for server in list(_started):
        server.close()
