"""The changes of a bucket, as an iterator."""

from __future__ import annotations

import os
import time
from typing import Self

import jetstow
from jetstow._core.protocol.duration import seconds
from jetstow.errors import WatcherStoppedError
from jetstow.models import ObjectInfo
from jetstow.sync._call import close_and_wait, run
from jetstow.sync._iterate import check_process
from jetstow.sync._portal import close_soon, get_portal, keep_inherited
from jetstow.types import Duration, Match


class ObjectWatcher:
    """The changes of a bucket: an `ObjectInfo` each, and None after those that exist already.

    Iterate over it, or call `updates`. Iteration ends with `stop`, which another thread may
    call. It is a context manager, which stops it.
    """

    def __init__(
        self, owner: object, watcher: jetstow.ObjectWatcher, match: Match | None = None
    ) -> None:
        self._owner = owner  # keeps the connection open
        self._watcher = watcher
        self._match = match if callable(match) else None
        self._pid = os.getpid()
        get_portal().register_file(watcher, watcher.stop)

    def stop(self) -> None:
        """Stop watching. Threads that wait for a change stop waiting."""
        check_process(self._pid, "the watcher")
        close_and_wait(self._watcher, self._watcher.stop)

    def updates(self, timeout: Duration | None = 5.0) -> ObjectInfo | None:
        """Return the next change; wait up to `timeout` seconds, or without limit if it is None.

        Raises: `TimeoutError`, `WatcherStoppedError`, `BucketNotFoundError`,
        `ConnectionLostError`.
        """
        check_process(self._pid, "the watcher")
        timeout = seconds(timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            change = run(self._watcher.updates, timeout)
            if change is None or self._match is None or self._match(change):
                return change
            if deadline is not None:
                timeout = max(0.0, deadline - time.monotonic())

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> ObjectInfo | None:
        try:
            return self.updates(None)
        except WatcherStoppedError:
            raise StopIteration from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __del__(self) -> None:
        if not hasattr(self, "_pid"):
            return
        if self._pid == os.getpid():
            close_soon(self._watcher, self._watcher.stop)
        else:
            keep_inherited(self._watcher)
