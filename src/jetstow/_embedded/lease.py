"""Leases of the embedded server: acquire, release, and release at exit."""

from __future__ import annotations

import asyncio
import atexit
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import platformdirs

from jetstow._embedded import process, server
from jetstow._embedded.file_lock import AcquireCancelledError, FileLock, Timeout
from jetstow._embedded.home_dir import HomeDir
from jetstow._embedded.server import Endpoint
from jetstow.errors import EmbeddedServerError

HOME_VARIABLE = "JETSTOW_HOME"
# In seconds. One process at a time holds the gate, at most while it replaces a server.
GATE_TIMEOUT = server.START_TIMEOUT + process.TERM_TIMEOUT + process.KILL_TIMEOUT


def home() -> Path:
    """Return the folder of the server and its data.

    It is `JETSTOW_HOME`, or by default a folder in the user's data folder.

    Raises: `EmbeddedServerError` (the user's home folder cannot be determined).
    """
    path = os.environ.get(HOME_VARIABLE) or platformdirs.user_data_dir("jetstow", appauthor=False)
    expanded = os.path.expanduser(path)  # noqa: PTH111 - pathlib raises a RuntimeError
    if expanded.startswith("~"):
        raise EmbeddedServerError(
            f"cannot find the home folder of {path}: set {HOME_VARIABLE} to an absolute path"
        )
    return Path(expanded)


class Lease:
    """A lease of the running server; `async with` and `with` release it.

    A process may have several leases. A lease that is not released ends with the process. In a
    forked child, the parent's leases are invalid, and releasing them has no effect.
    """

    def __init__(self, endpoint: Endpoint, home: HomeDir, users: FileLock) -> None:
        self.endpoint = endpoint
        self._home = home
        self._users = users
        _leases[self] = True

    def __repr__(self) -> str:
        return f"Lease({self.endpoint!r})"

    @property
    def is_released(self) -> bool:
        """Whether the lease was released, or belongs to the parent of this process."""
        return self not in _leases

    def release(self) -> None:
        """Release the lease. The last one stops the server. A second release has no effect.

        Block until the server has exited: some milliseconds, at most 15 s.

        Raises: `EmbeddedServerError` (the server cannot be stopped).
        """
        if not _leases.pop(self, False):
            return
        with self._users, self._home.report_os_errors():
            _stop_if_last(self._home, self._users, self.endpoint.pid)

    async def arelease(self) -> None:
        """Release the lease in a thread.

        Raises: `EmbeddedServerError` (as `release`).
        """
        await asyncio.to_thread(self.release)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.arelease()


async def acquire(home: Path | None = None) -> Lease:
    """Join the server of a home or start it, and return a lease when JetStream has replied.

    `home` is by default `home()`. All blocking steps (locks, files, processes, the first
    connection) run in one thread. After a cancellation, `acquire` waits for the thread, which
    releases all locks and ends soon.

    Raises: `EmbeddedServerError`.
    """
    home_dir = _home_dir(home)
    cancelled = threading.Event()
    loop = asyncio.get_running_loop()
    attempt = loop.run_in_executor(None, _acquire, home_dir, cancelled)
    try:
        return await asyncio.shield(attempt)
    except asyncio.CancelledError:
        cancelled.set()
        await _wait_uncancelled(attempt)
        if not attempt.cancelled() and attempt.exception() is None:
            # The thread had returned a lease before it could see the cancellation.
            await _wait_uncancelled(loop.run_in_executor(None, attempt.result().release))
        raise


def status(home: Path | None = None) -> Endpoint | None:
    """Return the running server of a home if it replies; None if not.

    It starts no server and creates no file. Block for at most 5 s.

    Raises: `EmbeddedServerError` (the home cannot be read, or belongs to another user).
    """
    home_dir = _home_dir(home)
    with home_dir.report_os_errors():
        if not home_dir.path.exists():
            return None
        home_dir.check()
        try:
            return server.find_running(home_dir)
        except server.ServerUnusableError:
            return None


def stop(home: Path | None = None) -> bool:
    """Stop the server of a home, even if processes use it. Return whether one was running.

    Block until it has exited. The next `acquire` starts it again.

    Raises: `EmbeddedServerError` (it cannot be stopped, or the home belongs to another user).
    """
    home_dir = _home_dir(home)
    with home_dir.report_os_errors():
        if not home_dir.path.exists():
            return False
        home_dir.check()
        with FileLock(home_dir.gate_lock) as gate:
            gate.wait_exclusive(Timeout(GATE_TIMEOUT))
            return process.stop(home_dir)


def _home_dir(path: Path | None) -> HomeDir:
    if sys.platform == "win32":
        raise EmbeddedServerError(
            "the embedded server does not run on Windows: pass the URL of a server, or set NATS_URL"
        )
    return HomeDir(home() if path is None else path)


def _acquire(home: HomeDir, cancelled: threading.Event) -> Lease:
    with home.report_os_errors():
        home.create()
        users = FileLock(home.users_lock)
        try:
            with FileLock(home.gate_lock) as gate:
                timeout = Timeout(GATE_TIMEOUT, cancelled)
                gate.wait_exclusive(timeout)
                users.wait_shared(timeout)
                endpoint = server.join_or_start(home, users, cancelled)
        except BaseException:
            # Another process may have released its lease during this time, and left the server
            # running because of our share.
            with users, suppress(EmbeddedServerError, OSError):
                _stop_if_last(home, users)
            raise
    lease = Lease(endpoint, home, users)
    if cancelled.is_set():
        lease.release()
        raise AcquireCancelledError
    return lease


def _stop_if_last(home: HomeDir, users: FileLock, pid: int | None = None) -> None:
    """Stop the server if no other process shares `users`, which the caller then closes."""
    if not users.try_exclusive():
        return
    if users.is_at_path():
        process.stop(home)
    elif pid:
        # The home was deleted. If it exists again, its server is a different one, with users.
        process.kill_orphan(pid, home)


async def _wait_uncancelled(future: asyncio.Future[Any]) -> None:
    """Wait for a future even if the waiting task is cancelled."""
    while not future.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([future])


# -- exit and fork -------------------------------------------------------------------------

_leases: dict[Lease, bool] = {}


@atexit.register
def _release_all() -> None:
    for lease in list(_leases):
        with suppress(EmbeddedServerError):
            lease.release()


if sys.platform != "win32":
    # `file_lock` closes the inherited lock files. The leases belong to the parent only.
    os.register_at_fork(after_in_child=_leases.clear)
