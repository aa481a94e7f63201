"""A process's share in the server: taken, given back, given back at exit."""

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
from jetstow._embedded.file_lock import AbandonedError, FileLock, Patience
from jetstow._embedded.home_dir import Folder
from jetstow._embedded.server import Endpoint
from jetstow.errors import EmbeddedServerError

HOME = "JETSTOW_HOME"
# One other process at most is inside at a time: it starts a server, or replaces one.
GATE_SECONDS = server.START_SECONDS + process.TERM_SECONDS + process.KILL_SECONDS


def home() -> Path:
    """The folder of the server and its data: `JETSTOW_HOME`, or one in the user's data folder.

    Raises: `EmbeddedServerError` for a user without a home folder.
    """
    named = os.environ.get(HOME) or platformdirs.user_data_dir("jetstow", appauthor=False)
    path = os.path.expanduser(named)  # noqa: PTH111 - pathlib's raises a RuntimeError
    if path.startswith("~"):
        raise EmbeddedServerError(f"there is no home folder for {path}: set {HOME}")
    return Path(path)


class Hold:
    """One holder's share in the running server; `async with` and `with` release it.

    A process may have several. A hold that is never released lasts until the process ends;
    in a forked child it holds nothing.
    """

    def __init__(self, endpoint: Endpoint, folder: Folder, users: FileLock) -> None:
        self.endpoint = endpoint
        self._folder = folder
        self._users = users
        _holds[self] = True

    def __repr__(self) -> str:
        return f"Hold({self.endpoint!r})"

    def release(self) -> None:
        """Gives the share back; the last one out stops the server. Again is no error.

        Blocks while the server ends: milliseconds, 15 s at the very most.

        Raises: `EmbeddedServerError` when the server cannot be stopped.
        """
        if not _holds.pop(self, False):
            return
        with self._users, self._folder.usable():
            _leave(self._folder, self._users, self.endpoint.pid)

    async def arelease(self) -> None:
        """`release`, in a thread."""
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


async def acquire(home: Path | None = None) -> Hold:
    """Joins the server of a home, or starts it, and returns when JetStream has answered.

    Everything that may block (locks, files, processes, the first connection) is done in one
    thread. Cancelled, it returns when that thread has let go of everything, which is soon.

    Raises: `EmbeddedServerError`.
    """
    folder = _folder(home)
    abandoned = threading.Event()
    loop = asyncio.get_running_loop()
    attempt = loop.run_in_executor(None, _take, folder, abandoned)
    try:
        return await asyncio.shield(attempt)
    except asyncio.CancelledError:
        abandoned.set()
        await _settle(attempt)
        if not attempt.cancelled() and attempt.exception() is None:
            # It was ready at the very moment when nobody wanted it any more.
            await _settle(loop.run_in_executor(None, attempt.result().release))
        raise


def status(home: Path | None = None) -> Endpoint | None:
    """The running server of a home, which has answered just now; None if there is none.

    Starts nothing and creates nothing. Blocks for 5 s at most.

    Raises: `EmbeddedServerError` when the home cannot be read.
    """
    folder = _folder(home)
    with folder.usable():
        try:
            return server.look(folder)
        except server.UnusableError:
            return None


def stop(home: Path | None = None) -> bool:
    """Stops the server of a home even if others use it; True if one was running.

    Those others' next `acquire` starts it again. Blocks until it has ended.

    Raises: `EmbeddedServerError` when it cannot be stopped.
    """
    folder = _folder(home)
    with folder.usable():
        if not folder.path.exists():
            return False
        with FileLock(folder.gate) as gate:
            gate.wait_exclusive(Patience(GATE_SECONDS))
            return process.end(folder)


def _folder(path: Path | None) -> Folder:
    if sys.platform == "win32":
        raise EmbeddedServerError(
            "the embedded server does not run on Windows: name servers, or set NATS_URL"
        )
    return Folder(home() if path is None else path)


def _take(folder: Folder, abandoned: threading.Event) -> Hold:
    with folder.usable():
        folder.prepare()
        users = FileLock(folder.users)
        try:
            with FileLock(folder.gate) as gate:
                patience = Patience(GATE_SECONDS, abandoned)
                gate.wait_exclusive(patience)
                users.wait_shared(patience)
                endpoint = server.join_or_start(folder, users, abandoned)
        except BaseException:
            # Who left meanwhile took us for a user, and left the server to us.
            with users, suppress(EmbeddedServerError, OSError):
                _leave(folder, users)
            raise
    hold = Hold(endpoint, folder, users)
    if abandoned.is_set():
        hold.release()
        raise AbandonedError
    return hold


def _leave(folder: Folder, users: FileLock, pid: int | None = None) -> None:
    """Gives up a share of `users`, but for closing it; the last one out stops the server."""
    if not users.try_exclusive():
        return
    if users.in_place():
        process.end(folder)
    elif pid:
        # The home was deleted. If it is there again, its server is another one, with users.
        process.end_stray(pid, folder)


async def _settle(work: asyncio.Future[Any]) -> None:
    """Waits for `work` whatever happens to the waiting task."""
    while not work.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([work])


# -- the end of the process, and its children ----------------------------------------------

_holds: dict[Hold, bool] = {}


@atexit.register
def _release_all() -> None:
    for hold in list(_holds):
        with suppress(EmbeddedServerError):
            hold.release()


if sys.platform != "win32":
    # The locks are forgotten in `locks`: the parent has them, and it alone.
    os.register_at_fork(after_in_child=_holds.clear)
