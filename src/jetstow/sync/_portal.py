"""The event loop of the blocking interface: one per process, in a daemon thread.

It starts when it is first needed, and ends with the interpreter. A forked child does not have
the threads of its parent, so that it starts its own.
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

# At the end of the interpreter: how long, in seconds, to wait for running calls, for open files
# and watchers, and for connections; and for all of them together.
_STEP_TIMEOUT: Final = 2.0
_SHUTDOWN_TIMEOUT: Final = 10.0

Close = Callable[[], Awaitable[Any]]


class Portal:
    """An event loop in a daemon thread, and the resources to close before it ends."""

    def __init__(self) -> None:
        ready: SimpleQueue[asyncio.AbstractEventLoop] = SimpleQueue()
        self.calls: set[asyncio.Task[Any]] = set()
        self.has_ended = False
        self._closing: set[asyncio.Task[Any]] = set()
        self._files: dict[object, Close] = {}
        self._connections: dict[object, Close] = {}
        self._ending = asyncio.Event()
        self._thread = threading.Thread(
            target=self._run_thread, args=(ready,), name="jetstow", daemon=True
        )
        self._thread.start()
        self.loop = ready.get()

    @property
    def is_current_thread(self) -> bool:
        """Whether the caller runs in the thread of the loop."""
        return threading.get_ident() == self._thread.ident

    def call_soon(self, callback: Callable[..., Any], *args: Any) -> None:
        """Call a function in the loop, from any thread. Does nothing if the loop has ended."""
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(callback, *args)

    def close_soon(self, close: Close) -> None:
        """Run `close` in the loop without waiting for it, from any thread."""

        def start() -> None:
            task = self.loop.create_task(_suppressing_errors(close))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

        self.call_soon(start)

    def register_file(self, resource: object, close: Close) -> None:
        """Close a file or a watcher when the interpreter ends."""
        self._files[resource] = close

    def register_connection(self, resource: object, close: Close) -> None:
        """Close a connection when the interpreter ends, after all files and watchers."""
        self._connections[resource] = close
        # Functions of `atexit` run in reverse order. That of the embedded server, which stops it,
        # is registered when a first connection needs it, and must run after ours.
        atexit.unregister(_end_portal)
        atexit.register(_end_portal)

    def unregister(self, resource: object) -> None:
        """Remove a resource that is closed."""
        self._files.pop(resource, None)
        self._connections.pop(resource, None)

    def end(self) -> None:
        """Cancel all calls, close all resources, and end the loop."""
        self.has_ended = True
        self.call_soon(self._ending.set)
        self._thread.join(_SHUTDOWN_TIMEOUT)

    def _run_thread(self, ready: SimpleQueue[asyncio.AbstractEventLoop]) -> None:
        with suppress(RuntimeError), asyncio.Runner() as runner:
            runner.run(self._run(ready))

    async def _run(self, ready: SimpleQueue[asyncio.AbstractEventLoop]) -> None:
        ready.put(asyncio.get_running_loop())
        await self._ending.wait()
        for task in tuple(self.calls):
            task.cancel()
        await _wait_briefly(self.calls)
        for resources in (self._files, self._connections):
            self._closing |= {
                asyncio.create_task(_suppressing_errors(close)) for close in resources.values()
            }
            await _wait_briefly(self._closing)


async def _suppressing_errors(close: Close) -> None:
    with suppress(Exception):
        await close()


async def _wait_briefly(tasks: set[asyncio.Task[Any]]) -> None:
    if pending := set(tasks):
        await asyncio.wait(pending, timeout=_STEP_TIMEOUT)


class _Process:
    """The state of this process. `lock` guards what is created once per process."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.portal: Portal | None = None
        self.inherited: list[object] = []

    def reset(self) -> None:
        """Forget the parent's portal, in a forked child: its thread does not run there."""
        self.inherited.append(self.portal)
        self.lock = threading.RLock()
        self.portal = None


_process = _Process()


def get_portal() -> Portal:
    """Return the portal of this process. Start it if it does not run.

    Raises: `RuntimeError` (called in the thread of the loop, which would wait for itself).
    """
    portal = _process.portal
    if portal is None or portal.has_ended:
        with _process.lock:
            portal = _process.portal
            if portal is None or portal.has_ended:
                portal = _process.portal = Portal()
                if parent_process() is not None:
                    # A process of `multiprocessing` ends with `os._exit`, without `atexit`.
                    util.Finalize(None, _end_portal, exitpriority=0)
    if portal.is_current_thread:
        raise RuntimeError(
            "jetstow.sync was called in its own background thread, as from an asynchronous "
            "callback: it would wait for itself. Use a plain function as callback"
        )
    return portal


def process_lock() -> threading.RLock:
    """Return the lock for what is created once per process. A forked child has a new one."""
    return _process.lock


def close_soon(resource: object, close: Close) -> None:
    """Close a resource that was garbage collected, without waiting.

    The garbage collector may run in any thread, the one of the loop included.
    """
    portal = _process.portal
    if portal is not None and not portal.has_ended:
        portal.unregister(resource)
        portal.close_soon(close)


def keep_inherited(resource: object) -> None:
    """Keep a resource of the parent in a forked child: its finalizer would close it."""
    _process.inherited.append(resource)


@atexit.register
def _end_portal() -> None:
    portal = _process.portal
    if portal is not None and not portal.has_ended:
        portal.end()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_process.reset)
