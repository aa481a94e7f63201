"""Reading the data that a caller puts, and splitting it into chunks of one size.

Bytes in memory are split without a copy. Files and iterators, which may block, are read in a worker
thread, a block at a time. Asynchronous files and iterators are awaited.
"""

from __future__ import annotations

import inspect
import io
import os
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

import msgspec

from jetstow._core.aio.worker import Worker, is_regular_file, run_blocking, run_in_thread
from jetstow.errors import InvalidDataError, ObjectChangedError
from jetstow.types import Readable

if TYPE_CHECKING:
    from typing_extensions import Buffer


Read = Callable[[int], object]

FileVersion = tuple[int, int, int]  # inode, size and time: a write changes at least one of them

# The bytes that one call in a worker thread reads: the call costs more than a small read.
_BLOCK_SIZE: Final = 1024 * 1024
_TEXT_BLOCK_SIZE: Final = 64 * 1024  # characters


class Source(msgspec.Struct, frozen=True):
    """Data to store. `chunks(size)` can be called once; all chunks but the last have `size` bytes.

    `size` is the number of bytes, or None if it is not known. `memory` has them if it is in memory.
    """

    chunks: Callable[[int], AsyncGenerator[Buffer, None]]
    size: int | None
    memory: memoryview | None = None


def open_source(data: object, version: FileVersion | None = None) -> Source:
    """Return a source that reads `data`.

    The chunks of a regular file end with an error if the file changed while it was read. `version`
    is its version when reading began; by default, that of the first chunk.

    Raises: `InvalidDataError` (`data` is not bytes, text, a file, or an iterable); its chunks:
    `InvalidDataError`, `ObjectChangedError`, and what reading `data` raises.
    """
    if isinstance(data, str):
        data = _encode_text(data)
    if (view := _view(data)) is not None:
        return Source(lambda size: _chunk_memory(view, size), view.nbytes, view)
    if isinstance(data, io.TextIOBase):
        return _text_source(data)
    if isinstance(data, Readable):
        if isinstance(buffer := getattr(data, "buffer", None), io.BufferedIOBase):
            return _file_source(buffer, version)  # a text file of aiofiles or anyio
        if _is_async(data.read):
            return Source(lambda size: _chunk_async_file(data.read, size), None)
        return _file_source(data, version)
    if isinstance(data, AsyncIterable):
        return Source(lambda size: _chunk_async_iterable(data, size), None)
    if isinstance(data, Iterable):
        reader = _IteratorReader(iter(data))
        return Source(lambda size: _chunk_file(reader, size), None)
    raise InvalidDataError(
        f"cannot store {type(data).__name__}: pass bytes, str, a file, or an iterable of bytes"
    )


def _view(data: object) -> memoryview | None:
    try:
        view = memoryview(data)  # type: ignore[arg-type]
    except TypeError:
        return None
    if not view.nbytes:
        return memoryview(b"")
    return view.cast("B") if view.c_contiguous else memoryview(view.tobytes())


def bytes_view(piece: object) -> memoryview:
    """Return the bytes of a piece that a file or an iterator returned, as they are now.

    Anything but `bytes` is copied: the source may reuse the memory for its next piece, but this
    piece may have to be sent again after an outage.

    Raises: `InvalidDataError` (the piece is not bytes).
    """
    view = None if isinstance(piece, str) else _view(piece)
    if view is None:
        hint = "; open the file in binary mode, or encode it" if isinstance(piece, str) else ""
        raise InvalidDataError(f"the source returned {type(piece).__name__} instead of bytes{hint}")
    return view if isinstance(view.obj, bytes) else memoryview(bytes(view))


def _text_source(file: io.TextIOBase) -> Source:
    if (buffer := getattr(file, "buffer", None)) is not None:
        return _file_source(buffer)
    reader = _IteratorReader(iter_text(file))
    return Source(lambda size: _chunk_file(reader, size), None)


def _file_source(file: Readable, version: FileVersion | None = None) -> Source:
    if is_regular_file(file):
        return Source(lambda size: _chunk_regular_file(file, size, version), _remaining_size(file))
    return Source(lambda size: _chunk_file(file, size), _remaining_size(file))


def iter_text(file: io.TextIOBase) -> Iterator[bytes]:
    """Yield the text of a file without a binary buffer, such as `StringIO`, as UTF-8.

    Raises: `InvalidDataError` (the text has an unpaired surrogate), and what the file raises.
    """
    while text := file.read(_TEXT_BLOCK_SIZE):
        yield _encode_text(text)


def _encode_text(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InvalidDataError(f"the text cannot be stored as UTF-8: {error}") from None


def _is_async(read: object) -> bool:
    return inspect.iscoroutinefunction(read) or inspect.iscoroutinefunction(
        getattr(read, "__call__", None)  # noqa: B004 - its kind matters, not whether it exists
    )


def _is_plain_file(file: object) -> bool:
    """Return whether `fstat` describes the bytes that a file returns: not those of a `GzipFile`."""
    return isinstance(getattr(file, "raw", file), io.FileIO)


def file_version(file: object) -> FileVersion | None:
    """Return the version of a plain, open file; None for others."""
    if not _is_plain_file(file):
        return None
    status = os.fstat(file.fileno())  # type: ignore[attr-defined]
    return status.st_ino, status.st_size, status.st_mtime_ns


def _remaining_size(file: object) -> int | None:
    """Return how many bytes follow in a file, if that needs no read and no seek."""
    if isinstance(file, io.BytesIO):
        return max(0, file.getbuffer().nbytes - file.tell())
    if not _is_plain_file(file):
        return None
    try:
        size = os.fstat(file.fileno()).st_size  # type: ignore[attr-defined]
        remaining = size - file.tell()  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return None
    # The size of a pipe or a device is 0, whatever it returns.
    return remaining if remaining > 0 else None


async def _chunk_memory(view: memoryview, size: int) -> AsyncGenerator[Buffer, None]:
    for start in range(0, view.nbytes, size):
        yield view[start : start + size]


async def _chunk_file(file: Readable, size: int) -> AsyncGenerator[Buffer, None]:
    block_size = size * max(1, _BLOCK_SIZE // size)
    while block := await run_blocking(file, _read_block, file.read, block_size):
        async for chunk in _chunk_memory(memoryview(block), size):
            yield chunk


async def _chunk_regular_file(
    file: Readable, size: int, version: FileVersion | None
) -> AsyncGenerator[Buffer, None]:
    """Yield the chunks of a file; read the next block while the caller sends this one.

    Raises: `ObjectChangedError` (the file changed; raised after the last chunk, before the caller
    commits the object).
    """
    block_size = size * max(1, _BLOCK_SIZE // size)
    if _is_plain_file(file) and file.writable():  # type: ignore[attr-defined]
        # The first read would write out what the caller has buffered, which changes the file.
        await run_in_thread(file.flush)  # type: ignore[attr-defined]
    before = version or file_version(file)
    async with Worker[bytearray | memoryview]() as worker:
        await worker.start(_read_block, file.read, block_size)
        while block := await worker.result():
            await worker.start(_read_block, file.read, block_size)
            async for chunk in _chunk_memory(memoryview(block), size):
                yield chunk
    if file_version(file) != before:
        raise ObjectChangedError(f"file {_path(file)!r} changed while it was read")


def _path(file: object) -> object:
    """Return the path with which a file was opened, or its descriptor."""
    path = getattr(file, "name", None)
    return os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else path


def _read_block(read: Read, size: int) -> bytearray | memoryview:
    """Read `size` bytes, or up to the end: pipes and sockets return fewer bytes per read."""
    first = read_piece(read, size)
    if len(first) in (0, size):
        return first
    block = bytearray(first)
    while len(block) < size and (piece := read_piece(read, size - len(block))):
        block += piece
    return block


def read_piece(read: Read, size: int) -> memoryview:
    """Return what one read of a file returns: up to `size` bytes, none at the end of the file.

    Raises: `InvalidDataError` (the file is non-blocking and has no data yet, or it does not return
    bytes), and what the file raises.
    """
    piece = read(size)
    if piece is None:
        raise InvalidDataError("the source is a non-blocking file that has no data yet")
    return bytes_view(piece)


async def _chunk_async_file(
    read: Callable[[int], Awaitable[object]], size: int
) -> AsyncGenerator[Buffer, None]:
    async def pieces() -> AsyncGenerator[object, None]:
        while piece := await read(size):
            yield piece

    async for chunk in _chunk_async_iterable(pieces(), size):
        yield chunk


async def _chunk_async_iterable(
    pieces: AsyncIterable[object], size: int
) -> AsyncGenerator[Buffer, None]:
    chunker = Chunker(size)
    async for piece in pieces:
        for chunk in chunker.split(piece):
            yield chunk
    if chunker.remainder:
        yield chunker.remainder


class Chunker:
    """Splits pieces of any size into chunks of one size.

    `remainder` has the bytes after the last full chunk. A chunk shares the memory of its piece if
    the piece is `bytes`.
    """

    def __init__(self, size: int) -> None:
        self.remainder = bytearray()
        self._size = size

    def split(self, piece: object) -> Iterator[Buffer]:
        """Return the chunks that are full with this piece.

        Raises: `InvalidDataError` (the piece is not bytes).
        """
        return self._split(bytes_view(piece))

    def _split(self, view: memoryview) -> Iterator[Buffer]:
        if self.remainder:
            missing = self._size - len(self.remainder)
            self.remainder += view[:missing]
            view = view[missing:]
            if len(self.remainder) < self._size:
                return
            chunk, self.remainder = self.remainder, bytearray()
            yield chunk
        while view.nbytes >= self._size:
            yield view[: self._size]
            view = view[self._size :]
        self.remainder += view


class _IteratorReader:
    """Reads an iterator of pieces of any size like a file."""

    def __init__(self, pieces: Iterator[object]) -> None:
        self._pieces = pieces
        self._remainder = memoryview(b"")

    def read(self, size: int) -> memoryview:
        while not self._remainder.nbytes:
            try:
                self._remainder = bytes_view(next(self._pieces))
            except StopIteration:
                return self._remainder
        piece, self._remainder = self._remainder[:size], self._remainder[size:]
        return piece
