"""What a caller hands over to be read or written, as the loop may use it.

Bytes, text and the standard library's own files on a disk are no code of the caller's: they go
to the asynchronous face as they are. All else is read and written in the caller's thread.
"""

from __future__ import annotations

import errno
import inspect
import io
import os
import stat
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from jetstow.errors import InvalidDataError
from jetstow.sync.call import Call

if TYPE_CHECKING:
    from typing_extensions import Buffer


class Readable(Protocol):
    """A file: `read(n)` returns bytes."""

    def read(self, size: int, /) -> Any: ...


class Writable(Protocol):
    """A file: `write(data)` takes bytes."""

    def write(self, data: Any, /) -> Any: ...


Data: TypeAlias = "Buffer | str | Readable | Iterable[Buffer]"

# What the caller's thread hands over at a time: an answer costs more than a small read.
_BLOCK: Final = 1024 * 1024

_TEXT_PIECE: Final = 64 * 1024  # characters

_END: Final = object()

_PLAIN: Final = (io.FileIO, io.BufferedReader, io.BufferedWriter, io.BufferedRandom)


def source(call: Call, data: object) -> Any:
    """Data to put. Raises `InvalidDataError` for what is asynchronous."""
    refuse_async(data)
    if isinstance(data, io.TextIOBase):
        data = getattr(data, "buffer", data)
    if isinstance(data, str) or _is_buffer(data) or is_plain(data):
        return data
    if isinstance(data, io.TextIOBase):
        return _ahead(call, _Pieces(_text_reader(data)).gather)
    if hasattr(data, "read"):
        return _ahead(call, _Pieces(_reader(data.read)).gather)
    if isinstance(data, Iterable):
        pieces = iter(data)
        return _ahead(call, _Pieces(lambda: next(pieces, _END)).gather)
    return data  # the asynchronous face says what is wrong with it


def readable(call: Call, file: object) -> Any:
    """A file, or a path, that is read a block at a time."""
    refuse_async(file)
    if isinstance(file, str | os.PathLike) or not hasattr(file, "read") or is_plain(file):
        return file
    return _Reader(call, file.read)


def writable(call: Call, file: object) -> Any:
    """A file, or a path, to write to."""
    refuse_async(file)
    if isinstance(file, io.TextIOBase) and hasattr(file, "buffer"):
        file.flush()
        file = file.buffer
    if isinstance(file, str | os.PathLike | io.TextIOBase) or not hasattr(file, "write"):
        return file
    return file if is_plain(file) else _Writer(call, file)


def refuse_async(thing: object) -> None:
    """Raise `InvalidDataError` for what belongs to a loop of the caller's."""
    verbs = (getattr(thing, verb, None) for verb in ("read", "write"))
    if isinstance(thing, AsyncIterable) or any(map(inspect.iscoroutinefunction, verbs)):
        raise InvalidDataError(
            f"{type(thing).__name__} is asynchronous: hand over a file or an iterable that is "
            "not, or use jetstow instead of jetstow.sync"
        )


def is_plain(file: object) -> bool:
    """Whether using a file calls nobody's code and ends soon: no subclass, no pipe, no terminal."""
    if type(file) in {io.BytesIO, io.StringIO}:
        return True
    raw = getattr(file, "raw", file)
    if type(file) not in _PLAIN or type(raw) is not io.FileIO:
        return False
    try:
        return stat.S_ISREG(os.fstat(raw.fileno()).st_mode)
    except (OSError, ValueError):
        return False


def _is_buffer(data: object) -> bool:
    try:
        memoryview(data)  # type: ignore[arg-type]
    except TypeError:
        return False
    return True


def _reader(read: Callable[[int], Any]) -> Callable[[], object]:
    def next_piece() -> object:
        piece = read(_BLOCK)
        if piece is None:
            raise InvalidDataError("the source is a non-blocking file with nothing to read yet")
        return piece or _END

    return next_piece


def _text_reader(file: io.TextIOBase) -> Callable[[], object]:
    def next_piece() -> object:
        try:
            return file.read(_TEXT_PIECE).encode() or _END
        except UnicodeEncodeError as error:
            raise InvalidDataError(f"the text cannot be stored as UTF-8: {error}") from None

    return next_piece


class _Pieces:
    """The pieces of a source, as many at a time as are worth an answer."""

    def __init__(self, next_piece: Callable[[], object]) -> None:
        self._next = next_piece
        self._at_end = False

    def gather(self) -> list[object]:
        """The next ones; none at the end."""
        found: list[object] = []
        size = 0
        while size < _BLOCK and not self._at_end:
            piece = self._next()
            if piece is _END:
                self._at_end = True
            elif not _is_buffer(piece):
                self._at_end = True
                found.append(piece)  # the asynchronous face says what is wrong with it
            else:
                # The source may use the same memory for its next piece.
                view = memoryview(piece)  # type: ignore[arg-type]
                found.append(piece if isinstance(piece, bytes) else view.tobytes())
                size += view.nbytes
        return found


async def _ahead(call: Call, gather: Callable[[], list[object]]) -> AsyncGenerator[object, None]:
    """Pieces of which the next ones are fetched while these are sent."""
    coming = call.ask(gather)
    try:
        while pieces := await coming:
            coming = call.ask(gather)
            for piece in pieces:
                yield piece
    finally:
        coming.cancel()


class _Reader:
    def __init__(self, call: Call, read: Callable[[int], Any]) -> None:
        self._call = call
        self._read = read

    async def read(self, size: int) -> Any:
        return await self._call.ask(self._read, size)


class _Writer:
    def __init__(self, call: Call, file: Any) -> None:
        self._call = call
        self._file = file

    async def write(self, data: bytes) -> int:
        return await self._call.ask(self._write_all, data)

    def _write_all(self, data: bytes) -> int:
        rest = memoryview(data)
        while rest.nbytes:
            count = self._file.write(rest)
            # To raw files alone, nothing means nothing; the buffered ones raise this.
            if not count and isinstance(self._file, io.RawIOBase):
                raise BlockingIOError(errno.EAGAIN, "the file is full and does not wait")
            rest = rest[count if isinstance(count, int) and count > 0 else rest.nbytes :]
        return len(data)
