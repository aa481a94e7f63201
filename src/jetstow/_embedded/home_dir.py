"""The home folder of the embedded server: its files, their modes, and the configuration."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from jetstow._embedded.ownership import check_file, check_folder
from jetstow.errors import EmbeddedServerError

HOST = "127.0.0.1"
MAX_LOG_SIZE = 10_000_000  # bytes; the server then rotates its log
MAX_LOG_FILES = 3
# Below the range from which the kernel assigns ports to clients. If the server is down, a
# reconnecting client could be assigned the server's port and connect to itself.
PORT_RANGE = range(10_000, 32_000)


@dataclass(frozen=True)
class Settings:
    """The port on loopback on which the server listens, and its token."""

    port: int
    token: str = field(repr=False)

    @property
    def url(self) -> str:
        return f"nats://{HOST}:{self.port}"


class HomeDir:
    """A home folder. Its path is resolved, so all processes use the same path for it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(os.path.realpath(path))
        self.gate_lock = self.path / "gate.lock"
        self.users_lock = self.path / "users.lock"
        self.server_lock = self.path / "server.lock"
        self.config_file = self.path / "server.conf"
        self.pid_file = self.path / "server.pid"
        self.log_file = self.path / "server.log"
        self.store_dir = self.path / "jetstream"

    @property
    def server_name(self) -> str:
        """The server's name, derived from the path: a copy of the folder has a different one."""
        return "jetstow-" + hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]

    @contextmanager
    def report_os_errors(self) -> Iterator[None]:
        """Convert an `OSError` into an `EmbeddedServerError` with the folder and the reason."""
        try:
            yield
        except EmbeddedServerError:
            raise
        except OSError as cause:
            file = f" ({cause.filename})" if cause.filename else ""
            reason = cause.strerror or str(cause)
            error = EmbeddedServerError(
                f"the embedded server cannot use {self.path}: {reason}{file}; "
                "set JETSTOW_HOME to use another folder"
            )
            error.errno = cause.errno
            raise error from cause

    def create(self) -> None:
        """Create the folder with mode 0700. An existing folder keeps its mode; check it.

        Raises: `OSError`, and what `check` raises.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_folder(self.path, self.path)
        self.store_dir.mkdir(mode=0o700, exist_ok=True)
        self.check()

    def check(self) -> None:
        """Check that the existing folder and its files belong to the user.

        The folders above it are not checked.

        Raises: `EmbeddedServerError` (another user owns or may write one of them), `OSError`.
        """
        check_folder(self.path, self.path)
        if os.path.lexists(self.store_dir):
            check_folder(self.path, self.store_dir)
        files = [self.config_file, self.pid_file, self.log_file]
        files += [self.gate_lock, self.users_lock, self.server_lock, *self.path.glob("*.ports")]
        for file in files:
            check_file(self.path, file)

    # -- the configuration, the only file with the token ----------------------------------

    def read_settings(self) -> Settings | None:
        """Return the settings in the configuration; None if it is missing or damaged."""
        try:
            config = json.loads(os.fsdecode(self.config_file.read_bytes()))
            port, token = config["port"], config["authorization"]["token"]
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return None
        if type(port) is not int or not isinstance(token, str):
            return None
        # jetstow writes a hexadecimal token. Other characters could not be written back.
        is_valid_token = token.isascii() and token.isprintable()
        return Settings(port, token) if token and is_valid_token and 0 < port < 65536 else None

    def write_config(self, *, new_port: bool = False) -> Settings:
        """Write the configuration. Keep a token that only the user could read, and a free port.

        With `new_port`, the port is changed.

        Raises: `OSError`, `EmbeddedServerError` (no port is free).
        """
        previous = self.read_settings()
        # Other users may have read the token.
        keep_token = previous is not None and not self.config_file.stat().st_mode & 0o077
        token = previous.token if previous and keep_token else secrets.token_hex(32)
        keep_port = previous is not None and not new_port and _becomes_free(previous.port)
        settings = Settings(previous.port if previous and keep_port else _free_port(), token)
        self._write_private(self.config_file, self._config_text(settings))
        return settings

    def _config_text(self, settings: Settings) -> str:
        config = {
            "server_name": self.server_name,
            "host": HOST,
            "port": settings.port,
            "authorization": {"token": settings.token},
            "pid_file": str(self.pid_file),
            "ports_file_dir": str(self.path),
            "log_file": str(self.log_file),
            "logfile_size_limit": MAX_LOG_SIZE,
            "logfile_max_num": MAX_LOG_FILES,
            # Each acknowledged write is on the disk, so a power failure loses none.
            "jetstream": {"store_dir": str(self.path), "sync_interval": "always"},
        }
        # The server's configuration language includes JSON, which can quote any path.
        return json.dumps(config, indent=2, ensure_ascii=False)

    def _write_private(self, path: Path, text: str) -> None:
        data = os.fsencode(text)
        # Do not rewrite an unchanged file: on a full disk the server must start, so that the
        # user can delete objects.
        if path.exists() and path.stat().st_mode & 0o777 == 0o600 and path.read_bytes() == data:
            return
        temporary = path.with_name(path.name + ".new")
        temporary.unlink(missing_ok=True)
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(data)
        temporary.replace(path)

    # -- files that a running server writes ------------------------------------------------

    def read_pid_file(self) -> int | None:
        """Return the process ID of the last server; None if the file has none."""
        try:
            pid = int(self.pid_file.read_bytes())
        except (OSError, ValueError):
            return None
        return pid if pid > 1 else None

    def is_listening(self, pid: int) -> bool:
        """Return whether the server with this process ID listens.

        The server writes a ports file when it listens. Before that, another program may use the
        port, and a client must not send the token.
        """
        return any(self.path.glob(f"*_{pid}.ports"))

    def remove_stale_files(self) -> None:
        """Remove the pid file and the ports files of a killed server. Call it if none runs.

        Raises: `OSError`.
        """
        for path in (self.pid_file, *self.path.glob("*.ports")):
            path.unlink(missing_ok=True)


def _free_port() -> int:
    for _ in range(100):
        port = secrets.choice(PORT_RANGE)
        if _is_free(port):
            return port
    raise EmbeddedServerError(
        f"the embedded server found no free port on {HOST} between {PORT_RANGE.start} and "
        f"{PORT_RANGE.stop}"
    )


def _becomes_free(port: int) -> bool:
    """Return whether a port is free, or becomes free soon.

    The kernel may close the socket of a killed server a moment after it releases the file lock.
    """
    deadline = time.monotonic() + 1.0
    while not _is_free(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As nats-server does: the port of a server that was just killed counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
