"""Child processes that acquire the embedded server, and a test for running processes."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Self

# A process with a lease: it prints the server's process ID, and releases the lease at the end
# of its standard input.
ACQUIRE = """
import asyncio, sys
from jetstow import _embedded

async def main():
    async with await _embedded.acquire() as lease:
        print(lease.endpoint.pid, flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


class ChildProcess:
    def __init__(self, code: str = ACQUIRE) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def read_line(self) -> str:
        """Wait for the next line of its output."""
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def server_pid(self) -> int:
        """Wait until it has a lease, and return the server's process ID."""
        return int(self.read_line())

    def finish(self) -> str:
        """Close its input, and return its remaining output."""
        return self._process.communicate()[0]

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def is_running(pid: int) -> bool:
    """Return whether a process runs and is not a zombie."""
    try:
        return b") Z " not in Path(f"/proc/{pid}/stat").read_bytes()
    except FileNotFoundError:
        return False


def ends(pid: int, within: float = 5) -> bool:
    """Return whether a process ends in `within` seconds.

    A server that was stopped has released its locks a moment before /proc shows its end.
    """
    deadline = time.monotonic() + within
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not is_running(pid)


def is_stopped(pid: int) -> bool:
    """Return whether a signal has stopped all threads of a process."""
    stats = [task.joinpath("stat").read_bytes() for task in Path(f"/proc/{pid}/task").iterdir()]
    return all(b") T " in stat for stat in stats)
