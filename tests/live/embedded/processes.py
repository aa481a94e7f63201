"""Processes as the tests see them: users of the embedded server, and whether one lives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Self

# A user of the server in a process of its own: says the server's pid, leaves at the end of
# its input.
USER = """
import asyncio, sys
from jetstow import embedded

async def main():
    async with await embedded.acquire() as hold:
        print(hold.endpoint.pid, flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


class User:
    def __init__(self, code: str = USER) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def says(self) -> str:
        """What it prints next."""
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def holds(self) -> int:
        """The pid of its server, once it has one."""
        return int(self.says())

    def leave(self) -> str:
        return self._process.communicate()[0]

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def is_running(pid: int) -> bool:
    """Whether the process lives: a zombie, which waits for its parent, does not."""
    try:
        return b") Z " not in Path(f"/proc/{pid}/stat").read_bytes()
    except FileNotFoundError:
        return False
