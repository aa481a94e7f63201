"""The event loop behind the blocking face: one a process, in a thread of its own.

It is made when it is first needed and ends with the interpreter. A forked child has none of
its parent's threads, so it makes another one.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from multiprocessing import parent_process, util
from queue import SimpleQueue
from typing import Any, Final

# What the end of the interpreter gives to running calls, to open files and watchers, and to
# connections each, in seconds; and to all of it.
_MOMENT: Final = 2.0
_LONGEST: Final = 10.0

Closer = Callable[[], Awaitable[Any]]


class Background:
    """A loop that runs in a daemon thread, and what is to be ended before it."""

    def __init__(self) -> None:
        ready: SimpleQueue[asyncio.AbstractEventLoop] = SimpleQueue()
        self.calls: set[asyncio.Task[Any]] = set()
        self._closing: set[asyncio.Task[Any]] = set()
        self.is_over = False
        self._files: dict[object, Closer] = {}
        self._connections: dict[object, Closer] = {}
        self._end = asyncio.Event()
        self._thread = threading.Thread(
            target=self._serve, args=(ready,), name="jetstow", daemon=True
        )
        self._thread.start()
        self.loop = ready.get()

    @property
    def is_here(self) -> bool:
        """Whether the caller is in the loop's own thread."""
        return threading.get_ident() == self._thread.ident

    def soon(self, step: Callable[..., Any], *args: Any) -> None:
        """Run a step in the loop, from any thread, and wait for nothing: not even for a loop
        that has ended.
        """
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(step, *args)

    def spawn(self, close: Closer) -> None:
        """Close something without waiting for it; from any thread."""

        def begin() -> None:
            task = self.loop.create_task(_silently(close))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

        self.soon(begin)

    def keep_file(self, key: object, close: Closer) -> None:
        """Close a file or a watcher at the interpreter's end, unless it is dropped before."""
        self._files[key] = close

    def keep_connection(self, key: object, close: Closer) -> None:
        """The same for a connection, which is closed after all files."""
        self._connections[key] = close

    def drop(self, key: object) -> None:
        """Forget what was closed."""
        self._files.pop(key, None)
        self._connections.pop(key, None)

    def end(self) -> None:
        """End everything, and then the loop. Takes moments, or seconds where a server is silent."""
        self.is_over = True
        self.soon(self._end.set)
        self._thread.join(_LONGEST)

    def _serve(self, ready: SimpleQueue[asyncio.AbstractEventLoop]) -> None:
        with suppress(RuntimeError), asyncio.Runner() as runner:
            runner.run(self._run(ready))

    async def _run(self, ready: SimpleQueue[asyncio.AbstractEventLoop]) -> None:
        ready.put(asyncio.get_running_loop())
        await self._end.wait()
        for task in tuple(self.calls):
            task.cancel()
        await _ended(self.calls)
        for kept in (self._files, self._connections):
            self._closing |= {asyncio.create_task(_silently(close)) for close in kept.values()}
            await _ended(self._closing)


async def _silently(close: Closer) -> None:
    with suppress(Exception):
        await close()


async def _ended(tasks: set[asyncio.Task[Any]]) -> None:
    if waited := set(tasks):
        await asyncio.wait(waited, timeout=_MOMENT)


class _Process:
    """What this process has of it. `lock` guards what is made once."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.background: Background | None = None
        self.inherited: list[object] = []

    def begin_anew(self) -> None:
        """In a forked child: the parent's loop stands still here, and must not be touched."""
        self.inherited.append(self.background)
        self.lock = threading.RLock()
        self.background = None


_process = _Process()


def background() -> Background:
    """This process's loop. Raises `RuntimeError` in the loop's own thread, which must not wait."""
    found = _process.background
    if found is None or found.is_over:
        with _process.lock:
            found = _process.background
            if found is None or found.is_over:
                found = _process.background = Background()
                if parent_process() is not None:  # these may end without `atexit`
                    util.Finalize(None, _end, exitpriority=0)
    if found.is_here:
        raise RuntimeError(
            "jetstow.sync was called in its own background thread, as from an asynchronous "
            "callback: it would wait for itself. Use a plain function as callback"
        )
    return found


def lock() -> threading.RLock:
    """For what a process makes once; a forked child has another one, which nobody holds."""
    return _process.lock


def let_go(thing: object, close: Closer) -> None:
    """Close something that nobody has any more, a little later. Never waits, as the garbage
    collector comes by in any thread at any time.
    """
    home = _process.background
    if home is not None and not home.is_over:
        home.drop(thing)
        home.spawn(close)


def inherit(thing: object) -> None:
    """Keep what a forked child has of its parent's loop: whoever lets go of it closes it."""
    _process.inherited.append(thing)


@atexit.register
def _end() -> None:
    home = _process.background
    if home is not None and not home.is_over:
        home.end()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_process.begin_anew)
