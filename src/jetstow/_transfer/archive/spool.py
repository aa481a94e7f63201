"""A temporary store for an object's bytes, until they are verified and can be archived."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator
from contextlib import nullcontext
from pathlib import Path
from typing import IO

from jetstow._core.aio.atomic_file import report_disk_errors
from jetstow._core.aio.sink import write_all
from jetstow._core.aio.worker import BLOCK_SIZE, Worker, run_in_thread
from jetstow._core.protocol.digest import Digest


class Spool:
    """Keeps up to 1 MiB in memory, and more in a temporary file in `folder`.

    `write` is the method of an asynchronous file, so `ObjectStore.get` can write to it.
    """

    def __init__(self, folder: Path | None) -> None:
        self.size = 0
        self._folder = folder
        self._buffered: list[bytes] = []
        self._buffered_size = 0
        self._file: IO[bytes] | None = None
        self._worker = Worker[None]()
        self._digest = Digest()

    @property
    def digest(self) -> str:
        """The digest of the bytes, as in an object's metadata."""
        return str(self._digest)

    async def write(self, data: bytes) -> int:
        """Add bytes. A full buffer is written to the file while the next bytes arrive.

        Raises: `OSError` (a previous buffer could not be written).
        """
        self._buffered.append(data)
        self._buffered_size += len(data)
        self._digest.update(data)
        self.size += len(data)
        if self._buffered_size >= BLOCK_SIZE:
            buffered, self._buffered, self._buffered_size = self._buffered, [], 0
            await self._worker.start(self._write_to_file, buffered)
        return len(data)

    def _write_to_file(self, buffered: list[bytes]) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115
        # An archive in the folder names itself.
        with report_disk_errors(Path(tempfile.gettempdir())) if not self._folder else nullcontext():
            for data in buffered:
                write_all(self._file.write, data)

    async def blocks(self) -> AsyncGenerator[bytes, None]:
        """Yield all bytes from the start.

        Raises: `OSError`.
        """
        await self._worker.result()
        if self._file is not None:
            await run_in_thread(self._file.seek, 0)
            while block := await run_in_thread(self._file.read, BLOCK_SIZE):
                yield block
        for data in self._buffered:
            yield data

    async def close(self) -> None:
        """Discard the bytes. An error of a write in progress is ignored."""
        try:
            await self._worker.__aexit__()
        finally:
            self._buffered.clear()
            if self._file is not None:
                self._file.close()


__all__ = ["Spool"]
