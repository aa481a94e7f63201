"""Programs that a page starts in the background: `$ nats-server --config a.conf &`."""

from __future__ import annotations

import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

# What each program prints when it accepts connections.
READY: Final = {
    "nats-server": "Server is ready",
    "uvicorn": "Uvicorn running on",
    "jetstow": "watching",
}
START_TIMEOUT: Final = 30.0


class Background:
    """A program of its own process group, which runs until the end of its page."""

    def __init__(self, command: str, folder: Path, environment: dict[str, str]) -> None:
        self._command = command
        self._lines: list[str] = []
        self._is_ready = threading.Event()
        self._process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"], cwd=folder, env=environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_ready(self) -> None:
        """Wait until the program accepts connections."""
        started = self._is_ready.wait(START_TIMEOUT)
        output = "".join(self._lines)
        assert started and self._process.poll() is None, f"{self._command}\n{output}"

    def stop(self) -> None:
        """End the program, as `kill` does."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _read(self) -> None:
        lines = self._process.stdout
        # The program is the last command of the line: variables may precede it.
        program = next(word for word in self._command.split() if "=" not in word)
        ready = READY[Path(program).name]
        with suppress(ValueError):
            for line in lines or ():
                self._lines.append(line)
                if ready in line:
                    self._is_ready.set()
        self._is_ready.set()
