"""Where an archive comes from: a path, a file of any kind, or pieces; compressed, or not."""

from __future__ import annotations

import inspect
import os
import zlib
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import IO, Any, Final

from jetstow._transfer.archive.threads import PIECE, in_thread
from jetstow.errors import BadArchiveError, InvalidDataError

_GZIP: Final = 31  # zlib's word for it
_OTHERS: Final = {b"\xfd7zXZ": "xz", b"BZh": "bzip2", b"\x28\xb5\x2f\xfd": "zstd"}
_LONGEST_MAGIC: Final = 6


async def arriving(
    file: Any, seen: Callable[[int], None] = lambda _: None
) -> AsyncGenerator[bytes, None]:
    """An archive's bytes, unpacked; `seen` hears how many were read so far."""
    begin = b""
    async with aclosing(_read(file)) as read, aclosing(_counted(read, seen)) as pieces:
        async for piece in pieces:
            begin += piece
            if len(begin) >= _LONGEST_MAGIC:
                break
        for magic, kind in _OTHERS.items():
            if begin.startswith(magic):
                raise BadArchiveError(f"the archive is compressed with {kind}: unpack it first")
        unpack = _gunzip if begin.startswith(b"\x1f\x8b") else _as_it_is
        async with aclosing(unpack(begin, pieces)) as unpacked:
            async for piece in unpacked:
                yield piece


async def _counted(
    pieces: AsyncIterator[bytes], seen: Callable[[int], None]
) -> AsyncGenerator[bytes, None]:
    count = 0
    async for piece in pieces:
        count += len(piece)
        seen(count)
        yield piece


async def _as_it_is(begin: bytes, pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    yield begin
    async for piece in pieces:
        yield piece


async def _gunzip(begin: bytes, pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Never more than a piece at a time, whatever the compressed bytes would become."""
    unpack = zlib.decompressobj(wbits=_GZIP)
    rest = begin
    while True:
        try:
            found = await in_thread(unpack.decompress, rest, PIECE)
        except zlib.error as error:
            raise BadArchiveError(f"the archive's compression is damaged: {error}") from None
        if found:
            yield found
        rest = unpack.unused_data if unpack.eof else unpack.unconsumed_tail
        if not rest and (unpack.eof or not found):
            rest = await anext(pieces, b"")
            if not rest:
                break
        if unpack.eof:  # some tools write several, one after another
            unpack = zlib.decompressobj(wbits=_GZIP)
    if not unpack.eof:
        raise BadArchiveError("the archive is truncated: its compressed end is missing")


async def _read(file: Any) -> AsyncGenerator[bytes, None]:
    if isinstance(file, str | os.PathLike):
        with await in_thread(_open, Path(file)) as opened:
            while piece := await in_thread(opened.read, PIECE):
                yield piece
    elif isinstance(file, AsyncIterable):
        async for piece in file:
            yield piece
    elif inspect.iscoroutinefunction(read := getattr(file, "read", None)):
        while data := await read(PIECE):
            yield data
    elif read is not None:
        while piece := await in_thread(read, PIECE):
            yield piece
    else:
        raise InvalidDataError(f"cannot read an archive from {type(file).__name__}")


def _open(path: Path) -> IO[bytes]:
    return path.open("rb", buffering=0)


__all__ = ["arriving"]
