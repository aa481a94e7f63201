"""A bucket's changes, waited for by a thread."""

from __future__ import annotations

import os
from typing import Self

import jetstow
from jetstow.errors import WatcherStoppedError
from jetstow.models import ObjectInfo
from jetstow.sync.call import run, shut
from jetstow.sync.iterate import check_process
from jetstow.sync.likeness import like, like_class
from jetstow.sync.portal import background, inherit, let_go


@like_class(jetstow.ObjectWatcher)
class ObjectWatcher:
    def __init__(self, owner: object, watcher: jetstow.ObjectWatcher) -> None:
        self._owner = owner  # which stays connected as long as somebody watches
        self._watcher = watcher
        self._pid = os.getpid()
        background().keep_file(watcher, watcher.stop)

    @like(jetstow.ObjectWatcher.stop)
    def stop(self) -> None:
        check_process(self._pid, "the watcher")
        shut(self._watcher, self._watcher.stop)

    @like(jetstow.ObjectWatcher.updates)
    def updates(self, timeout: float | None = 5.0) -> ObjectInfo | None:
        check_process(self._pid, "the watcher")
        return run(self._watcher.updates, timeout)

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
            let_go(self._watcher, self._watcher.stop)
        else:
            inherit(self._watcher)
