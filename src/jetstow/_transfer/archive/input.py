"""Read an archive from a path, a file or an iterable of bytes; decompress gzip."""

from __future__ import annotations

import inspect
import os
import zlib
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import IO, Any, Final

from jetstow._core.aio.worker import BLOCK_SIZE, run_in_thread
from jetstow.errors import BadArchiveError, InvalidDataError

_GZIP_WBITS: Final = 31  # zlib's value for the gzip format
_GZIP_MAGIC: Final = b"\x1f\x8b"
_UNSUPPORTED_MAGIC: Final = {b"\xfd7zXZ": "xz", b"BZh": "bzip2", b"\x28\xb5\x2f\xfd": "zstd"}
_MAX_MAGIC_SIZE: Final = 6


async def read_input(
    file: Any, on_read: Callable[[int], None] = lambda _: None
) -> AsyncGenerator[bytes, None]:
    """Yield the bytes of an archive, decompressed.

    `on_read` is called with the number of bytes read so far, before decompression.

    Raises: `BadArchiveError` (the compression is damaged, truncated or not supported),
    `InvalidDataError` (`file` is not a path, a file or an asynchronous iterable).
    """
    start = b""
    async with aclosing(_read(file)) as raw, aclosing(_count_bytes(raw, on_read)) as blocks:
        async for block in blocks:
            start += block
            if len(start) >= _MAX_MAGIC_SIZE:
                break
        for magic, kind in _UNSUPPORTED_MAGIC.items():
            if start.startswith(magic):
                raise BadArchiveError(
                    f"the archive is compressed with {kind}: decompress it, or use gzip"
                )
        decompress = _gunzip if start.startswith(_GZIP_MAGIC) else _chain
        async with aclosing(decompress(start, blocks)) as decompressed:
            async for block in decompressed:
                yield block


async def _count_bytes(
    blocks: AsyncIterator[bytes], on_read: Callable[[int], None]
) -> AsyncGenerator[bytes, None]:
    count = 0
    async for block in blocks:
        count += len(block)
        on_read(count)
        yield block


async def _chain(start: bytes, blocks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    yield start
    async for block in blocks:
        yield block


async def _gunzip(start: bytes, blocks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Decompress at most `BLOCK_SIZE` at a time, whatever the compression ratio is."""
    stream = zlib.decompressobj(wbits=_GZIP_WBITS)
    compressed = start
    while True:
        try:
            block = await run_in_thread(stream.decompress, compressed, BLOCK_SIZE)
        except zlib.error as error:
            raise BadArchiveError(f"the archive's compression is damaged: {error}") from None
        if block:
            yield block
        compressed = stream.unused_data if stream.eof else stream.unconsumed_tail
        if not compressed and (stream.eof or not block):
            compressed = await anext(blocks, b"")
            if not compressed:
                break
        if stream.eof:  # a gzip file can consist of several streams (RFC 1952, "members")
            stream = zlib.decompressobj(wbits=_GZIP_WBITS)
    if not stream.eof:
        raise BadArchiveError("the archive is truncated: the end of its compressed data is missing")


async def _read(file: Any) -> AsyncGenerator[bytes, None]:
    if isinstance(file, str | os.PathLike):
        with await run_in_thread(_open, Path(file)) as opened:
            while block := await run_in_thread(opened.read, BLOCK_SIZE):
                yield block
    elif isinstance(file, AsyncIterable):
        async for block in file:
            yield block
    elif inspect.iscoroutinefunction(read := getattr(file, "read", None)):
        while block := await read(BLOCK_SIZE):
            yield block
    elif read is not None:
        while block := await run_in_thread(read, BLOCK_SIZE):
            yield block
    else:
        raise InvalidDataError(
            f"cannot read an archive from {type(file).__name__}: pass a path, a file opened in "
            "binary mode, or an asynchronous iterable of bytes"
        )


def _open(path: Path) -> IO[bytes]:
    return path.open("rb", buffering=0)


__all__ = ["read_input"]
