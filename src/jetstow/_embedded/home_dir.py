"""The home: what lies in it, who may read it, what the server is told."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from jetstow.errors import EmbeddedServerError

HOST = "127.0.0.1"
LOG_LIMIT = 10_000_000  # bytes, then the log is turned over
LOGS_KEPT = 3
# Below the ports that the kernel gives to clients: a client that reconnects while the server
# is away could be given the server's port for its own end, and connect to itself.
PORTS = range(10_000, 32_000)


@dataclass(frozen=True)
class Settings:
    """Where the server listens and what it wants to hear: `port` on loopback, `token`."""

    port: int
    token: str = field(repr=False)

    @property
    def url(self) -> str:
        return f"nats://{HOST}:{self.port}"


class Folder:
    """One home. Its path is resolved, so that every process has the same name for it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(os.path.realpath(path))
        self.gate = self.path / "gate.lock"
        self.users = self.path / "users.lock"
        self.server = self.path / "server.lock"
        self.config = self.path / "server.conf"
        self.pid_file = self.path / "server.pid"
        self.log = self.path / "server.log"
        self.store = self.path / "jetstream"

    @property
    def server_name(self) -> str:
        """The same at every start, and another one in a copy of the home."""
        return "jetstow-" + hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]

    @contextmanager
    def usable(self) -> Iterator[None]:
        """Turns an `OSError` inside into one `EmbeddedServerError` that names the home."""
        try:
            yield
        except EmbeddedServerError:
            raise
        except OSError as cause:
            where = f" ({cause.filename})" if cause.filename else ""
            reason = cause.strerror or str(cause)
            error = EmbeddedServerError(
                f"the embedded server cannot use {self.path}: {reason}{where}"
            )
            error.errno = cause.errno
            raise error from cause

    def prepare(self) -> None:
        """Makes the home, for this user alone. One that exists keeps its mode. `OSError`."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.store.mkdir(mode=0o700, exist_ok=True)

    # -- the configuration, the one file that tells how to reach the server ---------------

    def settings(self) -> Settings | None:
        """What the configuration says; None if it is missing or damaged."""
        try:
            told = json.loads(os.fsdecode(self.config.read_bytes()))
            port, token = told["port"], told["authorization"]["token"]
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return None
        if type(port) is not int or not isinstance(token, str):
            return None
        # A token of ours is hexadecimal; another one might not get into the file again.
        usable = token.isascii() and token.isprintable()
        return Settings(port, token) if token and usable and 0 < port < 65536 else None

    def configure(self, *, move: bool = False) -> Settings:
        """Writes the configuration, with the token and the port of last time where it can.

        `move` asks for another port. Raises `OSError`.
        """
        before = self.settings()
        token = before.token if before else secrets.token_hex(32)
        same_port = before is not None and not move and _is_free(before.port)
        settings = Settings(before.port if before and same_port else _free_port(), token)
        self._write_private(self.config, self._told(settings))
        return settings

    def _told(self, settings: Settings) -> str:
        told = {
            "server_name": self.server_name,
            "host": HOST,
            "port": settings.port,
            "authorization": {"token": settings.token},
            "pid_file": str(self.pid_file),
            "ports_file_dir": str(self.path),
            "log_file": str(self.log),
            "logfile_size_limit": LOG_LIMIT,
            "logfile_max_num": LOGS_KEPT,
            # Every acknowledged write is on the disk: a power cut loses nothing.
            "jetstream": {"store_dir": str(self.path), "sync_interval": "always"},
        }
        # The server's configuration language includes JSON, which quotes any path rightly.
        return json.dumps(told, indent=2, ensure_ascii=False)

    def _write_private(self, path: Path, text: str) -> None:
        data = os.fsencode(text)
        # On a full disk a start must still work, so that something can be deleted.
        if path.exists() and path.stat().st_mode & 0o777 == 0o600 and path.read_bytes() == data:
            return
        new = path.with_name(path.name + ".new")
        new.unlink(missing_ok=True)
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(data)
        new.replace(path)

    # -- what a running server leaves ------------------------------------------------------

    def pid_hint(self) -> int | None:
        """The pid of the server that was started last; None if the file tells none."""
        try:
            pid = int(self.pid_file.read_bytes())
        except (OSError, ValueError):
            return None
        return pid if pid > 1 else None

    def is_listening(self, pid: int) -> bool:
        """Whether the server of that pid has its port: it writes a file of its ports then.

        Before, the port may be somebody else's, who must not be told the token.
        """
        return any(self.path.glob(f"*_{pid}.ports"))

    def forget_last_server(self) -> None:
        """Removes what a server that was killed has left. Only when none lives. `OSError`."""
        for path in (self.pid_file, *self.path.glob("*.ports")):
            path.unlink(missing_ok=True)


def _free_port() -> int:
    for _ in range(100):
        port = secrets.choice(PORTS)
        if _is_free(port):
            return port
    raise EmbeddedServerError(f"no free port on {HOST} between {PORTS.start} and {PORTS.stop}")


def _is_free(port: int) -> bool:
    with socket.socket() as trial:
        # As the server will do: the port of a server just killed is free, not lingering.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((HOST, port))
        except OSError:
            return False
    return True
