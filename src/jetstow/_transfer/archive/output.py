"""Write an archive to a path or a file; compress it with gzip if its name ends so."""

from __future__ import annotations

import inspect
import os
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any, Final

from jetstow._core.aio.atomic_file import atomic_file
from jetstow._core.aio.sink import write_all
from jetstow._core.aio.worker import BLOCK_SIZE, run_in_thread
from jetstow.errors import InvalidDataError, InvalidOptionError

Write = Callable[[bytes], Awaitable[None]]

_GZIP_WBITS: Final = 31  # zlib's value for the gzip format
_GZIP_SUFFIXES: Final = {".gz", ".tgz"}
_UNSUPPORTED_SUFFIXES: Final = {".xz", ".bz2", ".zst", ".lz4", ".zip"}


class ArchiveOutput:
    """Buffers an archive's bytes, compresses them if required, and writes them in blocks.

    `folder` is the folder for temporary files; None is the system's.
    """

    def __init__(self, write: Write, *, folder: Path | None = None, gzip: bool = False) -> None:
        self.folder = folder
        self._write = write
        self._compressor = zlib.compressobj(wbits=_GZIP_WBITS) if gzip else None
        self._buffer = bytearray()

    async def write(self, data: bytes) -> None:
        """Write bytes, or buffer them if they are few."""
        if len(data) < BLOCK_SIZE:
            self._buffer += data
            data = b""
        if data or len(self._buffer) >= BLOCK_SIZE:
            await self._flush(data)

    async def finish(self) -> None:
        """Write the buffered bytes and the end of the compressed data."""
        await self._flush()
        if self._compressor is not None:
            await self._write(self._compressor.flush())

    async def _flush(self, data: bytes = b"") -> None:
        buffered, self._buffer = bytes(self._buffer), bytearray()
        for block in filter(None, (buffered, data)):
            output = block
            if self._compressor is not None:
                output = await run_in_thread(self._compressor.compress, block)
            if output:
                await self._write(output)


@asynccontextmanager
async def open_output(file: Any) -> AsyncGenerator[ArchiveOutput, None]:
    """Open a path or a file to write an archive to.

    A regular file appears at the path when the archive is complete and on the disk; after an
    error, nothing changes. A pipe or a device is written to directly.

    Raises: `InvalidOptionError` (the file name ends in a compression that is not supported),
    `InvalidDataError` (`file` is not a path or a file), `OSError`.
    """
    if not isinstance(file, str | os.PathLike):
        yield (output := ArchiveOutput(_writer(file)))
        await output.finish()
        return
    path = Path(file)
    if path.suffix in _UNSUPPORTED_SUFFIXES:
        raise InvalidOptionError(
            f"a backup cannot be compressed as {path.suffix}: use .tar or .tar.gz, or a pipe"
        )
    gzip = path.suffix in _GZIP_SUFFIXES
    if _is_special(path):
        with await run_in_thread(_open, path) as special:
            yield (output := ArchiveOutput(_writer(special), gzip=gzip))
            await output.finish()
        return
    with atomic_file(path) as regular:
        yield (output := ArchiveOutput(_writer(regular), folder=path.parent, gzip=gzip))
        await output.finish()
        # The user may delete the bucket after the backup, so the archive must survive a crash.
        await run_in_thread(os.fsync, regular.fileno())


def _is_special(path: Path) -> bool:
    """Return whether a path is a pipe or a device, which must not be replaced by a file."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _open(path: Path) -> IO[bytes]:
    return path.open("wb", buffering=0)


def _writer(file: Any) -> Write:
    write = getattr(file, "write", None)
    if write is None:
        raise InvalidDataError(
            f"cannot write an archive to {type(file).__name__}: pass a path or a file"
        )

    async def write_async(data: bytes) -> None:
        await write(data)

    async def write_in_thread(data: bytes) -> None:
        await run_in_thread(write_all, write, data)

    return write_async if inspect.iscoroutinefunction(write) else write_in_thread


__all__ = ["ArchiveOutput", "open_output"]
