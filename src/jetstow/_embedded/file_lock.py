"""File locks that end with their process, and waits with a timeout."""

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

if sys.platform != "win32":  # `acquire` raises on Windows before it uses this module
    import fcntl

MIN_SLEEP = 0.001  # seconds
MAX_SLEEP = 0.05


class AcquireCancelledError(Exception):
    """The task that called `acquire` was cancelled, so its thread must stop."""


class Timeout:
    """A timeout for polling something that has no event, such as another process's lock.

    `seconds` is its length. Setting `cancelled`, from any thread, ends `sleep` at once.
    """

    def __init__(self, seconds: float, cancelled: threading.Event | None = None) -> None:
        self.seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._cancelled = cancelled or threading.Event()
        self._next_sleep = MIN_SLEEP

    @property
    def is_expired(self) -> bool:
        """Whether the timeout has passed."""
        return time.monotonic() > self._deadline

    def sleep(self) -> None:
        """Sleep for 1 ms at first, and increasingly up to 50 ms: most waits are short.

        Raises: `AcquireCancelledError`.
        """
        if self._cancelled.wait(self._next_sleep):
            raise AcquireCancelledError
        self._next_sleep = min(self._next_sleep * 1.5, MAX_SLEEP)


class FileLock:
    """A file to lock with `flock`. Each instance opens the file, so instances lock independently.

    With `create=False`, the file must exist.

    Raises: `OSError` (the file cannot be opened).
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self.path = path
        flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | (os.O_CREAT if create else 0)
        self.fd = os.open(path, flags, 0o600)
        _open_locks.add(self)

    def try_shared(self) -> bool:
        """Lock the file shared, without waiting. Return whether that succeeded."""
        return self._try_lock(fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        """Lock the file exclusively, without waiting. A failure releases a shared lock."""
        return self._try_lock(fcntl.LOCK_EX)

    def wait_shared(self, timeout: Timeout) -> None:
        """Lock the file shared.

        Raises: `AcquireCancelledError`, `EmbeddedServerError` (the timeout has passed).
        """
        self._wait(self.try_shared, timeout)

    def wait_exclusive(self, timeout: Timeout) -> None:
        """Lock the file exclusively.

        Raises: `AcquireCancelledError`, `EmbeddedServerError` (the timeout has passed).
        """
        self._wait(self.try_exclusive, timeout)

    def is_at_path(self) -> bool:
        """Return whether the path is still this file: the folder may have been deleted."""
        try:
            return os.path.samestat(os.fstat(self.fd), self.path.stat())
        except OSError:
            return False

    def close(self) -> None:
        """Unlock the file, also for child processes that inherited it, and close it."""
        if self.fd >= 0:
            fcntl.flock(self.fd, fcntl.LOCK_UN)
            self.close_without_unlock()

    def close_without_unlock(self) -> None:
        """Close the file. A child process that inherited it keeps the lock."""
        if self.fd >= 0:
            _open_locks.discard(self)
            fd, self.fd = self.fd, -1
            os.close(fd)

    def _wait(self, try_lock: Callable[[], bool], timeout: Timeout) -> None:
        # A blocking `flock` has neither a timeout nor a way to cancel it.
        while not try_lock():
            if timeout.is_expired:
                raise EmbeddedServerError(
                    f"another process has locked {self.path} for more than {timeout.seconds:g} s: "
                    "stop that process"
                )
            timeout.sleep()

    def _try_lock(self, mode: int) -> bool:
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


_open_locks: set[FileLock] = set()


def _close_inherited_locks() -> None:
    # A forked child has copies of its parent's open files. If they stayed open, the locks would
    # stay locked after the parent is killed. If the child unlocked them, the parent would lose
    # its locks.
    for lock in list(_open_locks):
        lock.close_without_unlock()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_close_inherited_locks)
