"""Anything that a caller hands over, as chunks of one size.

Bytes in memory are cut without a copy. Whatever may block (a file, an iterator) is read in
a worker thread, a block at a time; whatever is asynchronous is awaited.
"""

from __future__ import annotations

import inspect
import io
import os
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from anyio import to_thread

from jetstow._core.aio.worker import Worker, is_on_disk
from jetstow.errors import InvalidDataError
from jetstow.types import Readable

if TYPE_CHECKING:
    from typing_extensions import Buffer


# What a worker thread reads at a time: a visit to it costs more than a small read.
_BLOCK: Final = 1024 * 1024

_TEXT_PIECE: Final = 64 * 1024  # characters


@dataclass(frozen=True, slots=True)
class Source:
    """Bytes to store: `chunks(size)` gives them, each `size` long but the last; once.

    `size` is how many bytes there will be, or None if nobody knows.
    """

    chunks: Callable[[int], AsyncGenerator[Buffer, None]]
    size: int | None


def open_source(data: object) -> Source:
    """Take `data` for reading. Raises `InvalidDataError` for what is not made of bytes."""
    if isinstance(data, str):
        data = _utf8(data)
    if (view := _view(data)) is not None:
        return Source(lambda size: _chunk_memory(view, size), view.nbytes)
    if isinstance(data, io.TextIOBase):
        return _text_source(data)
    if isinstance(data, Readable):
        if _is_async(data.read):
            return Source(lambda size: _chunk_async_file(data.read, size), None)
        cut = _chunk_disk_file if is_on_disk(data) else _chunk_file
        return Source(lambda size: cut(data.read, size), _remaining(data))
    if isinstance(data, AsyncIterable):
        return Source(lambda size: _chunk_async_iterable(data, size), None)
    if isinstance(data, Iterable):
        pull = _IteratorReader(iter(data))
        return Source(lambda size: _chunk_file(pull.read, size), None)
    raise InvalidDataError(
        f"cannot store {type(data).__name__}: hand over bytes, str, a file, or an iterable of bytes"
    )


def _view(data: object) -> memoryview | None:
    try:
        view = memoryview(data)  # type: ignore[arg-type]
    except TypeError:
        return None
    if not view.nbytes:
        return memoryview(b"")
    return view.cast("B") if view.c_contiguous else memoryview(view.tobytes())


def _bytes(data: object) -> memoryview:
    """A piece of somebody's stream as bytes. Text there is a file opened the wrong way.

    Whoever gives pieces may use the same memory for the next one, while this one is still
    needed: it is sent again after an outage.
    """
    view = None if isinstance(data, str) else _view(data)
    if view is None:
        hint = "; open the file in binary mode, or encode it" if isinstance(data, str) else ""
        raise InvalidDataError(f"the source gave {type(data).__name__} instead of bytes{hint}")
    return view if view.readonly else memoryview(bytes(view))


def _text_source(file: io.TextIOBase) -> Source:
    buffer = getattr(file, "buffer", None)
    if buffer is not None:
        return Source(lambda size: _chunk_file(buffer.read, size), _remaining(buffer))
    # StringIO and its like hold text alone: it is stored as UTF-8, as a str is.
    pull = _IteratorReader(iter(lambda: _utf8(file.read(_TEXT_PIECE)), b""))
    return Source(lambda size: _chunk_file(pull.read, size), None)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InvalidDataError(f"the text cannot be stored as UTF-8: {error}") from None


def _is_async(read: object) -> bool:
    return inspect.iscoroutinefunction(read) or inspect.iscoroutinefunction(
        getattr(read, "__call__", None)  # noqa: B004 - asked for its kind, not whether it is there
    )


def _remaining(file: object) -> int | None:
    """How many bytes a file has left, where asking costs nothing and moves nothing."""
    if isinstance(file, io.BytesIO):
        return max(0, file.getbuffer().nbytes - file.tell())
    # Only a plain file gives as many bytes as its file system says: a zipped one has more.
    if not isinstance(getattr(file, "raw", file), io.FileIO):
        return None
    try:
        size = os.fstat(file.fileno()).st_size  # type: ignore[attr-defined]
        left = size - file.tell()  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return None
    # A pipe or a device has size 0 and bytes all the same.
    return left if left > 0 else None


async def _chunk_memory(view: memoryview, size: int) -> AsyncGenerator[Buffer, None]:
    for start in range(0, view.nbytes, size):
        yield view[start : start + size]


async def _chunk_file(read: Callable[[int], object], size: int) -> AsyncGenerator[Buffer, None]:
    # A cancelled upload does not wait for a pipe that may never say anything again.
    block = size * max(1, _BLOCK // size)
    while len(data := await to_thread.run_sync(_read_full, read, block, abandon_on_cancel=True)):
        async for chunk in _chunk_memory(memoryview(data), size):
            yield chunk


async def _chunk_disk_file(
    read: Callable[[int], object], size: int
) -> AsyncGenerator[Buffer, None]:
    """A file whose next block is read while the one before is sent."""
    block = size * max(1, _BLOCK // size)
    async with Worker[bytearray | memoryview]() as reading:
        await reading.start(_read_full, read, block)
        while data := await reading.result():
            await reading.start(_read_full, read, block)
            async for chunk in _chunk_memory(memoryview(data), size):
                yield chunk


def _read_full(read: Callable[[int], object], size: int) -> bytearray | memoryview:
    """Read until `size` bytes are there or the file ends: pipes and sockets give less."""
    first = _read_piece(read, size)
    if len(first) in (0, size):
        return first
    whole = bytearray(first)
    while len(whole) < size and (piece := _read_piece(read, size - len(whole))):
        whole += piece
    return whole


def _read_piece(read: Callable[[int], object], size: int) -> memoryview:
    piece = read(size)
    if piece is None:
        raise InvalidDataError("the source is a non-blocking file with nothing to read yet")
    return _bytes(piece)


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
    cutter = Chunker(size)
    async for piece in pieces:
        for chunk in cutter.split(piece):
            yield chunk
    if cutter.rest:
        yield cutter.rest


class Chunker:
    """Pieces of any size in, chunks of one size out; `rest` is what is no full chunk yet.

    A chunk shares the memory of its piece, unless that can change.
    """

    def __init__(self, size: int) -> None:
        self.rest = bytearray()
        self._size = size

    def split(self, piece: object) -> Iterator[Buffer]:
        """The chunks that are full with this piece. Raises `InvalidDataError` for no bytes."""
        return self._cut(_bytes(piece))

    def _cut(self, view: memoryview) -> Iterator[Buffer]:
        if self.rest:
            room = self._size - len(self.rest)
            self.rest += view[:room]
            view = view[room:]
            if len(self.rest) < self._size:
                return
            full, self.rest = self.rest, bytearray()
            yield full
        while view.nbytes >= self._size:
            yield view[: self._size]
            view = view[self._size :]
        self.rest += view


class _IteratorReader:
    """An iterator of pieces of any size, read like a file: never more than asked for."""

    def __init__(self, pieces: Iterator[object]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def read(self, size: int) -> memoryview:
        while not self._rest.nbytes:
            try:
                self._rest = _bytes(next(self._pieces))
            except StopIteration:
                return self._rest
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece
