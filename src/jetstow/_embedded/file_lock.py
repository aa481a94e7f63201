"""Locks on files that end with their process, and waits that end in time."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from jetstow.errors import EmbeddedServerError

if sys.platform != "win32":  # there, `hold` has refused before anything here is called
    import fcntl

LONGEST_NAP = 0.05


class AbandonedError(Exception):
    """The caller was cancelled and wants no result any more."""


class Patience:
    """For a wait until something that cannot be awaited, such as another process's lock.

    It is `over` after `seconds`; setting `abandoned`, from any thread, ends its naps at once.
    """

    def __init__(self, seconds: float, abandoned: threading.Event | None = None) -> None:
        self.seconds = seconds
        self._ends = time.monotonic() + seconds
        self._abandoned = abandoned or threading.Event()
        self._nap = 0.001

    @property
    def over(self) -> bool:
        return time.monotonic() > self._ends

    def nap(self) -> None:
        """Lets a moment pass: the first ones short, since most waits are. `AbandonedError`."""
        if self._abandoned.wait(self._nap):
            raise AbandonedError
        self._nap = min(self._nap * 1.5, LONGEST_NAP)


class FileLock:
    """A file that can be locked. What locks is the open file: each instance is a party of its own.

    Raises `OSError` when the file cannot be opened; `create=False` asks for an existing one.
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self.path = path
        self.fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0), 0o600)
        _open.add(self)

    def try_shared(self) -> bool:
        return self._try(fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        """Locks the file for this instance alone. A share that it had is gone if this fails."""
        return self._try(fcntl.LOCK_EX)

    def wait_shared(self, patience: Patience) -> None:
        """Raises: `AbandonedError`; `EmbeddedServerError` when patience is over."""
        self._wait(self.try_shared, patience)

    def wait_exclusive(self, patience: Patience) -> None:
        """Raises: `AbandonedError`; `EmbeddedServerError` when patience is over."""
        self._wait(self.try_exclusive, patience)

    def in_place(self) -> bool:
        """Whether the path still names this file: the folder may have been deleted."""
        try:
            return os.path.samestat(os.fstat(self.fd), self.path.stat())
        except OSError:
            return False

    def close(self) -> None:
        """Unlocks. Also where a child process has a copy of the open file."""
        if self.fd >= 0:
            fcntl.flock(self.fd, fcntl.LOCK_UN)
            self.bequeath()

    def bequeath(self) -> None:
        """Closes without unlocking: a process that inherited the open file keeps it locked."""
        if self.fd >= 0:
            _open.discard(self)
            fd, self.fd = self.fd, -1
            os.close(fd)

    def _wait(self, attempt: Callable[[], bool], patience: Patience) -> None:
        # The kernel could wait for us, but neither for a limited time nor until we give up.
        while not attempt():
            if patience.over:
                raise EmbeddedServerError(
                    f"another process has kept {self.path} locked for {patience.seconds:g} s"
                )
            patience.nap()

    def _try(self, mode: int) -> bool:
        try:
            fcntl.flock(self.fd, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


_open: set[FileLock] = set()


def _forget_parents_locks() -> None:
    # A forked child has copies of its parent's open files. Kept, they would keep the locks
    # when the parent is killed; unlocked, they would take them from the parent.
    for lock in list(_open):
        lock.bequeath()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_forget_parents_locks)
