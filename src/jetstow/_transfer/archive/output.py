"""Where an archive goes: a path, or a file of any kind; compressed, or not."""

from __future__ import annotations

import inspect
import os
import secrets
import stat
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final

from jetstow._transfer.archive.threads import PIECE, in_thread, write_all
from jetstow.errors import InvalidDataError, InvalidOptionError

Write = Callable[[bytes], Awaitable[None]]

_GZIP: Final = 31  # zlib's word for it


class Out:
    """An archive on its way out, compressed if it is to be; written a block at a time."""

    def __init__(self, write: Write, *, folder: Path | None = None, gzip: bool = False) -> None:
        self.folder = folder
        self._write = write
        self._pack = zlib.compressobj(wbits=_GZIP) if gzip else None
        self._held = bytearray()

    async def write(self, data: bytes) -> None:
        """Take bytes; they may be written later."""
        if len(data) < PIECE:
            self._held += data
            data = b""
        if data or len(self._held) >= PIECE:
            await self._flush(data)

    async def finish(self) -> None:
        """Write what is left."""
        await self._flush()
        if self._pack is not None:
            await self._write(self._pack.flush())

    async def _flush(self, data: bytes = b"") -> None:
        held, self._held = bytes(self._held), bytearray()
        for piece in filter(None, (held, data)):
            packed = piece
            if self._pack is not None:
                packed = await in_thread(self._pack.compress, piece)
            if packed:
                await self._write(packed)


@asynccontextmanager
async def landing(file: Any) -> AsyncGenerator[Out, None]:
    """A path, or a file, to write an archive to.

    A path's file appears, whole and on the disk, if all goes well; else nothing does.
    Raises `InvalidOptionError` for a name that promises a compression we do not do.
    """
    if not isinstance(file, str | os.PathLike):
        yield (out := Out(_writer(file)))
        await out.finish()
        return
    path = Path(file)
    if path.suffix in {".xz", ".bz2", ".zst", ".lz4", ".zip"}:
        raise InvalidOptionError(
            f"a backup cannot be compressed to {path.suffix}: name it .tar or .tar.gz, or pipe it"
        )
    gzip = path.suffix in {".gz", ".tgz"}
    if _is_special(path):
        with await in_thread(_open, path) as special:
            yield (out := Out(_writer(special), gzip=gzip))
            await out.finish()
        return
    beside, opened = _open_beside(path)
    try:
        with opened:
            yield (out := Out(_writer(opened), folder=path.parent, gzip=gzip))
            await out.finish()
            # It may be all that is left of the bucket.
            await in_thread(os.fsync, opened.fileno())
        await in_thread(beside.replace, path)
    except BaseException:
        await in_thread(_drop, beside)
        raise


def _is_special(path: Path) -> bool:
    """Whether that is a pipe or a device: it is written to, and never replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _open(path: Path) -> IO[bytes]:
    return path.open("wb", buffering=0)


def _open_beside(path: Path) -> tuple[Path, IO[bytes]]:
    """A file beside the one wanted, with its rights."""
    if path.is_dir():
        raise IsADirectoryError(f"{str(path)!r} is a folder: name a file in it")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(path.parent)!r}")
    # A hidden name, as others may be listing the folder meanwhile.
    beside = path.with_name(f".jetstow-{secrets.token_hex(8)}.part")
    opened = beside.open("xb", buffering=0)
    with suppress(FileNotFoundError):
        beside.chmod(stat.S_IMODE(path.stat().st_mode))
    return beside, opened


def _drop(beside: Path) -> None:
    beside.unlink(missing_ok=True)


def _writer(file: Any) -> Write:
    write = getattr(file, "write", None)
    if write is None:
        raise InvalidDataError(f"cannot write an archive to {type(file).__name__}")

    async def to_async(data: bytes) -> None:
        await write(data)

    async def to_file(data: bytes) -> None:
        await in_thread(write_all, write, data)

    return to_async if inspect.iscoroutinefunction(write) else to_file


__all__ = ["Out", "landing"]
