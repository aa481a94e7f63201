"""Real nats-server processes for the tests.

    with NatsServer(jetstream="max_file_store: 10M") as server:
        client = await jetstow.connect(server.url)

Everything here is synchronous on purpose: the kernel ends a server together with the
*thread* that started it, so it is the test's own thread that starts it. Starting takes
some 50 ms.
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
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support import versions

READY = "Server is ready"
START_TIMEOUT = 20.0


class ServerStartError(RuntimeError):
    """The server did not come up; its log is in the message."""


class NatsServer:
    """One nats-server on loopback with a store of its own.

    `config` is text added to the configuration file (accounts, users, permissions, TLS);
    `jetstream` is text inside its `jetstream` block (limits), `None` turns JetStream off.
    The port and the store stay the same over `restart`.
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
        self.greeting: list[str] = []
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
        """Whether there is a process, be it paused."""
        return self._process is not None and self._process.poll() is None

    def at_least(self, version: str) -> bool:
        """Whether this server is of `version` or later: `server.at_least("2.11")`."""
        return version_key(self.version) >= version_key(version)

    # -- its life ------------------------------------------------------------------------

    def start(self, *, wait: bool = True) -> Self:
        """Starts the server and returns when JetStream has answered.

        Raises: `ServerStartError`; `versions.MissingBinaryError`.
        """
        for attempt in range(5):
            self._launch()
            if not wait:
                return self
            try:
                self.wait_ready()
            except ServerStartError:
                self._reap()
                # Another process was quicker on that port: only a first start may move.
                if "address already in use" not in self.text() or attempt == 4:
                    raise
                self.port = free_port()
            else:
                return self
        raise AssertionError("unreachable")

    def wait_ready(self) -> None:
        """Waits for the greeting, then until JetStream says that it is healthy."""
        deadline = time.monotonic() + START_TIMEOUT
        while not self._ready.wait(0.02):
            if self._running().poll() is not None or time.monotonic() > deadline:
                raise ServerStartError(f"nats-server {self.version} did not start:\n{self.text()}")
        while not self.healthy():
            if self._running().poll() is not None or time.monotonic() > deadline:
                raise ServerStartError(f"nats-server {self.version} not healthy:\n{self.text()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Ends the server as an operator would."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Ends the server as a crash would."""
        self._end(signal.SIGKILL)

    def restart(self, *, kill: bool = False) -> Self:
        """The same port, the same store."""
        self._end(signal.SIGKILL if kill else signal.SIGTERM)
        return self.start()

    def pause(self) -> None:
        """The server stays connected and says nothing more, until `resume`."""
        self._running().send_signal(signal.SIGSTOP)
        # Its threads stop one by one, and until the last one has, it may still answer.
        os.waitpid(self.pid, os.WUNTRACED)

    def resume(self) -> None:
        self._running().send_signal(signal.SIGCONT)

    def close(self) -> None:
        """Ends the server and removes its store."""
        self._end(signal.SIGKILL)
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

    # -- what it says --------------------------------------------------------------------

    def text(self) -> str:
        """What the server has logged, for a failure's report."""
        return "\n".join(self.log)

    def healthy(self) -> bool:
        """Whether JetStream is up and, in a cluster, in touch with its leader."""
        try:
            return bool(self.monitor("healthz")["status"] == "ok")
        except (OSError, KeyError, ValueError):
            return False

    def monitor(self, page: str) -> dict[str, Any]:
        """A page of the server's monitoring: `varz`, `jsz?streams=true`, `connz`."""
        if not self._monitor_port:
            raise OSError("no monitoring yet")
        address = f"http://127.0.0.1:{self._monitor_port}/{page}"
        with urllib.request.urlopen(address, timeout=5) as answer:
            page_data: dict[str, Any] = json.load(answer)
        return page_data

    # -- inside --------------------------------------------------------------------------

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
                self.greeting = list(self.log)
                self._ready.set()

    def _end(self, sign: signal.Signals) -> None:
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self._process.send_signal(sign)
            self._process.send_signal(signal.SIGCONT)  # one that is paused would not see it
        self._reap()

    def _reap(self) -> None:
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
    """A free port below those that the kernel hands out by itself.

    A client that reconnects to a port of the kernel's own range may, while the server is
    down, get that same port for its own end, connect to itself and hang.
    """
    for _ in range(100):
        port = random.randint(10_000, 32_000)
        with socket.socket() as trial, suppress(OSError):
            trial.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port")


def die_with_parent() -> list[str]:
    # Where there is no setpriv, `_close_all` is all there is.
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []


_started: set[NatsServer] = set()


@atexit.register
def _close_all() -> None:
    for server in list(_started):
        server.close()
