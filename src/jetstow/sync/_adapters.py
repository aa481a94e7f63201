"""Adapt what a caller passes to be read or written, so that the event loop can use it.

Bytes, text and regular files of the standard library run no code of the caller: the asynchronous
interface uses them directly. Everything else is read and written in the calling thread.
"""

from __future__ import annotations

import inspect
import io
import os
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Iterator
from functools import partial
from typing import Any, Final

from jetstow._core.aio.sink import write_all
from jetstow._core.aio.source import bytes_view, iter_text, read_piece
from jetstow._core.aio.worker import is_regular_file
from jetstow.errors import InvalidDataError
from jetstow.models import ObjectInfo, ObjectList
from jetstow.sync._call import Call
from jetstow.types import Match

# How many bytes the calling thread passes to the loop at a time: a round trip between the threads
# costs more than a small read.
_BATCH_SIZE: Final = 1024 * 1024

_STANDARD_FILES: Final = (io.FileIO, io.BufferedReader, io.BufferedWriter, io.BufferedRandom)


def async_source(call: Call, data: object) -> Any:
    """Return data to put as the asynchronous `put` takes it.

    Raises: `InvalidDataError` (the data is asynchronous).
    """
    refuse_async(data)
    if isinstance(data, io.TextIOBase):
        data = getattr(data, "buffer", data)
    if isinstance(data, str) or _is_buffer(data) or is_standard_file(data):
        return data
    if isinstance(data, io.TextIOBase):
        return _read_ahead(call, _Batches(iter_text(data)).next)
    if hasattr(data, "read"):
        read = data.read
        return _read_ahead(call, _Batches(iter(lambda: read_piece(read, _BATCH_SIZE), b"")).next)
    if isinstance(data, Iterable):
        return _read_ahead(call, _Batches(iter(data)).next)
    return data  # `put` raises the error


def async_readable(call: Call, file: object) -> Any:
    """Return a file to read as an asynchronous one; a path as it is.

    Raises: `InvalidDataError` (the file is asynchronous).
    """
    refuse_async(file)
    if isinstance(file, str | os.PathLike) or not hasattr(file, "read") or is_standard_file(file):
        return file
    return _Reader(call, file.read)


def async_writable(call: Call, file: object) -> Any:
    """Return a file to write as an asynchronous one; a path, or None, as it is.

    Raises: `InvalidDataError` (the file is asynchronous).
    """
    refuse_async(file)
    if isinstance(file, io.TextIOBase) and hasattr(file, "buffer"):
        file.flush()
        file = file.buffer
    if isinstance(file, str | os.PathLike | io.TextIOBase) or not hasattr(file, "write"):
        return file
    return file if is_standard_file(file) else _Writer(call, file)


def asked(call: Call, function: Callable[..., Any] | None) -> Any:
    """Return a function whose result is to be awaited: the calling thread runs `function`."""
    return None if function is None else partial(call.ask, function)


def collected(values: Iterable[Any] | None) -> Any:
    """Iterate in the calling thread. None and a str stay as they are: the verb refuses a str."""
    return values if values is None or isinstance(values, str) else tuple(values)


def pattern_of(match: Match | None) -> str | None:
    """Return a pattern; None for a function, which the calling thread applies to the results."""
    return None if callable(match) else match


def matching(match: Match | None, infos: list[ObjectInfo]) -> list[ObjectInfo]:
    """Return the infos that `match` selects, if it is a function."""
    return ObjectList(info for info in infos if match(info)) if callable(match) else infos


def refuse_async(value: object) -> None:
    """Raise `InvalidDataError` for an asynchronous file or iterable: the caller's loop owns it."""
    methods = (getattr(value, name, None) for name in ("read", "write"))
    if isinstance(value, AsyncIterable) or any(map(inspect.iscoroutinefunction, methods)):
        raise InvalidDataError(
            f"{type(value).__name__} is asynchronous: pass a blocking file or iterable, or use "
            "jetstow instead of jetstow.sync"
        )


def is_standard_file(file: object) -> bool:
    """Return whether reading and writing a file is quick and runs no code of the caller.

    That excludes subclasses, pipes and terminals.
    """
    if type(file) in {io.BytesIO, io.StringIO}:
        return True
    raw = getattr(file, "raw", file)
    return type(file) in _STANDARD_FILES and type(raw) is io.FileIO and is_regular_file(raw)


def _is_buffer(data: object) -> bool:
    try:
        memoryview(data)  # type: ignore[arg-type]
    except TypeError:
        return False
    return True


class _Batches:
    """Group the pieces of a source into batches of at least `_BATCH_SIZE` bytes."""

    def __init__(self, pieces: Iterator[object]) -> None:
        self._pieces = pieces
        self._at_end = False

    def next(self) -> list[memoryview]:
        """Return the next pieces; an empty list at the end.

        Raises: `InvalidDataError` (a piece is not bytes).
        """
        batch: list[memoryview] = []
        size = 0
        while size < _BATCH_SIZE and not self._at_end:
            try:
                batch.append(bytes_view(next(self._pieces)))
            except StopIteration:
                self._at_end = True
            else:
                size += batch[-1].nbytes
        return batch


async def _read_ahead(
    call: Call, next_batch: Callable[[], list[memoryview]]
) -> AsyncGenerator[memoryview, None]:
    """Return the pieces of a source. The next batch is read while this one is sent."""
    pending = call.ask(next_batch)
    try:
        while batch := await pending:
            pending = call.ask(next_batch)
            for piece in batch:
                yield piece
    finally:
        pending.cancel()


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
        await self._call.ask(write_all, self._file.write, data)
        return len(data)
