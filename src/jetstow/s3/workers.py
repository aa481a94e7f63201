"""Worker processes that serve one listening socket, and are started again if they end.

A worker is a Python module that is run with two pipes. It reads its task from standard input, and
stops when that ends, so that no worker outlives its supervisor. When it serves, it writes a line to
standard output.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from jetstow._core.aio.background import stop
from jetstow.s3.server import DRAIN_TIMEOUT

_log = logging.getLogger("jetstow.s3")

# The pause before a worker is started again, in seconds: a worker that cannot start must not
# occupy the machine.
RESTART_PAUSE: Final = 1.0
# How long a worker may take to start, and, after the end of its requests, to end.
_START_TIMEOUT: Final = 60.0
_STOP_TIMEOUT: Final = DRAIN_TIMEOUT + 15.0


class WorkerError(Exception):
    """A worker did not start."""


class Workers:
    """`count` processes that run `module` with a task, which is pickled.

    They inherit the file `descriptors`, and have `environment` besides that of this process.
    `on_exit` is called with the id of each process that has ended.
    """

    def __init__(
        self,
        module: str,
        task: object,
        *,
        count: int,
        descriptors: Sequence[int],
        environment: dict[str, str],
        on_exit: Callable[[int], None],
    ) -> None:
        self._module = module
        self._task = pickle.dumps(task)
        self._count = count
        self._descriptors = tuple(descriptors)
        self._environment = os.environ | environment
        self._on_exit = on_exit
        self._processes: list[asyncio.subprocess.Process] = []
        self._watchers: list[asyncio.Task[None]] = []

    @property
    def all_running(self) -> bool:
        """Whether all of them serve requests."""
        return len(self._processes) == self._count

    async def start(self) -> None:
        """Start all of them. Raises: `WorkerError`."""
        started = await asyncio.gather(
            *(self._start() for _ in range(self._count)), return_exceptions=True
        )
        self._processes = [each for each in started if not isinstance(each, BaseException)]
        for error in started:
            if isinstance(error, BaseException):
                raise error
        self._watchers = [asyncio.create_task(self._watch(each)) for each in self._processes]

    async def stop(self) -> None:
        """Let all of them end their requests, and wait for their ends."""
        await stop(*self._watchers)
        for process in self._processes:
            _close_input(process)
        for process in self._processes:
            await _wait(process)

    async def _start(self) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", self._module,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            pass_fds=self._descriptors, env=self._environment,
            # A Ctrl-C in the terminal is for the supervisor.
            start_new_session=True,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with suppress(ConnectionError):
                process.stdin.write(self._task)
                await process.stdin.drain()
            async with asyncio.timeout(_START_TIMEOUT):
                ready = await process.stdout.readline()
        except BaseException:
            process.kill()
            raise
        if not ready:
            code = await process.wait()
            raise WorkerError(f"a worker ended at its start with exit code {code}")
        return process

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        """Replace a process whenever it ends."""
        while True:
            code = await process.wait()
            self._processes.remove(process)
            self._on_exit(process.pid)
            _log.error("worker %d ended with exit code %d; starting another", process.pid, code)
            while True:
                await asyncio.sleep(RESTART_PAUSE)
                try:
                    process = await self._start()
                    break
                except (OSError, TimeoutError, WorkerError) as error:
                    _log.error("%s", error)
            self._processes.append(process)


def _close_input(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()


async def _wait(process: asyncio.subprocess.Process) -> None:
    try:
        async with asyncio.timeout(_STOP_TIMEOUT):
            await process.wait()
    except TimeoutError:
        _log.error("worker %d did not end in %.0f s: killed", process.pid, _STOP_TIMEOUT)
        process.kill()
        await process.wait()
