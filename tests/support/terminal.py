"""`jetstow` in a real terminal: a pseudo-terminal of a given size."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from typing import Any, Self

_ESCAPE = re.compile(rb"\x1b\[[0-9;?>=$]*[ -/]*[@-~]|\x1b\][^\x07]*\x07|\x1b[=>]")

ENTER_SCREEN, LEAVE_SCREEN = b"\x1b[?1049h", b"\x1b[?1049l"


class Terminal:
    """A command in a pseudo-terminal: `with Terminal("top", env=...) as it`. Exit kills it."""

    def __init__(
        self, *arguments: str, env: dict[str, str], columns: int = 80, rows: int = 24
    ) -> None:
        self.output = b""
        self._controller, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._terminal = terminal
        self.modes = termios.tcgetattr(terminal)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jetstow", *arguments],
            env={**os.environ, "TERM": "xterm-256color", **env},
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )

    @property
    def text(self) -> str:
        """What was printed, without escape sequences."""
        return _ESCAPE.sub(b"", self.output).decode(errors="replace")

    def press(self, keys: str) -> None:
        """Send keys."""
        os.write(self._controller, keys.encode())

    def wait_for(self, text: str) -> None:
        """Read until the text was printed since the start."""
        while text not in self.text:
            assert self._read(), f"ended without {text!r}: {self.text}"

    def wait(self) -> int:
        """Read to the end, and return the exit code."""
        while self.process.poll() is None:
            self._read()
        while select.select([self._controller], [], [], 0)[0]:
            self._read()
        return self.process.wait()

    def current_modes(self) -> list[Any]:
        """Return the modes of the terminal: they are restored if they equal `modes`."""
        return termios.tcgetattr(self._terminal)

    def _read(self) -> bool:
        if select.select([self._controller], [], [], 0.1)[0]:
            self.output += os.read(self._controller, 65536)
        return self.process.poll() is None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._controller)
        os.close(self._terminal)
