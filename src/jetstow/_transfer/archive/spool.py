"""An object on its way into the archive, held until all of it is known to be right."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import IO

from jetstow._transfer.archive.threads import PIECE, in_thread, write_all
from jetstow._transfer.plan import written


class Spool:
    """An object's bytes until they are verified: in memory while they are few, else in a file."""

    def __init__(self, folder: Path | None) -> None:
        self.size = 0
        self._folder = folder
        self._held: list[bytes] = []
        self._held_size = 0
        self._file: IO[bytes] | None = None
        self._spilling: asyncio.Task[None] | None = None
        self._sha = hashlib.sha256()

    @property
    def digest(self) -> str:
        """The digest of the bytes."""
        return written(self._sha.digest())

    async def write(self, data: bytes) -> int:
        """Take the next bytes. They are written to the file while more of them arrive."""
        self._held.append(data)
        self._held_size += len(data)
        self._sha.update(data)
        self.size += len(data)
        if self._held_size >= PIECE:
            await self._settle()
            held, self._held, self._held_size = self._held, [], 0
            self._spilling = asyncio.create_task(in_thread(self._spill, held))
        return len(data)

    def _spill(self, held: list[bytes]) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115
        for piece in held:
            write_all(self._file.write, piece)

    async def _settle(self) -> None:
        task, self._spilling = self._spilling, None
        if task is not None:
            await task

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """All bytes, from the first."""
        await self._settle()
        if self._file is not None:
            await in_thread(self._file.seek, 0)
            while piece := await in_thread(self._file.read, PIECE):
                yield piece
        for piece in self._held:
            yield piece

    async def close(self) -> None:
        """Let go of the bytes."""
        try:
            await self._settle()
        except OSError:
            pass  # nobody wants them any more
        finally:
            self._held.clear()
            if self._file is not None:
                self._file.close()


__all__ = ["Spool"]
