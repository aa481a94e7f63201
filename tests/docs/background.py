"""Programs that a page starts in the background: `$ nats-server --config a.conf &`."""

from __future__ import annotations

import shlex
import signal
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from tests.support.servers import die_with_parent

# What each program prints when it accepts connections.
READY: Final = {
    "nats-server": "Server is ready",
    "uvicorn": "Uvicorn running on",
    "jetstow": "the S3 gateway runs at",
    "python": "ready",
}
# What a leaf node prints when it is connected to its hub.
LEAF_READY: Final = "Leafnode connection created"
START_TIMEOUT: Final = 30.0


class Background:
    """A program that runs until the end of its page."""

    def __init__(self, command: str, folder: Path, environment: dict[str, str]) -> None:
        self.command = command
        self._missing = _ready_texts(command, folder)
        self._lines: list[str] = []
        self._is_ready = threading.Event()
        self._process = subprocess.Popen(
            [*die_with_parent(), "bash", "-c", command], cwd=folder, env=environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_ready(self) -> None:
        """Wait until the program accepts connections."""
        self._is_ready.wait(START_TIMEOUT)
        assert not self._missing, f"{self.command}\n{''.join(self._lines)}"

    def stop(self, signal_number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to the program, and wait until it has ended."""
        self._process.send_signal(signal_number)
        self._process.wait(START_TIMEOUT)
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _read(self) -> None:
        with suppress(ValueError):
            for line in self._process.stdout or ():
                self._lines.append(line)
                self._missing -= {text for text in self._missing if text in line}
                if not self._missing:
                    self._is_ready.set()
        self._is_ready.set()


def _ready_texts(command: str, folder: Path) -> set[str]:
    """Return what the program of a command prints when it is ready."""
    words = shlex.split(command)
    texts = {READY[Path(word).name] for word in words if Path(word).name in READY}
    assert texts, f"{command}: add its program to READY"
    configs = (folder / word for word in words if word.endswith(".conf"))
    if any("remotes" in config.read_text(encoding="utf-8") for config in configs):
        texts.add(LEAF_READY)
    return texts
