"""Where bytes go that a caller does not want in memory: files of all kinds."""

from __future__ import annotations

import errno
import inspect
import io
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from anyio import to_thread

from jetstow._core.aio.worker import Worker, is_on_disk
from jetstow.errors import InvalidDataError
from jetstow.types import Writable

# What a worker thread writes at a time: a visit to it costs more than a small write.
_BLOCK: Final = 1024 * 1024


Write = Callable[[bytes], Any]


async def write_chunks(chunks: AsyncIterator[bytes], into: object) -> None:
    """Write all chunks to a file, in a worker thread if writing may block.

    Raises `InvalidDataError` for what does not take bytes.
    """
    if type(into) is io.BytesIO:  # a subclass may write in its own way
        async for chunk in chunks:
            into.write(chunk)
        return
    write = _writer(into)
    if inspect.iscoroutinefunction(write):
        async for chunk in chunks:
            await _write_async(write, chunk)
    elif is_on_disk(into):
        async with Worker[None]() as writing:
            async for block in _blocks(chunks):
                await writing.start(_write_all, write, block)
            await writing.result()
    else:
        async for block in _blocks(chunks):
            await to_thread.run_sync(_write_all, write, block)


async def _blocks(chunks: AsyncIterator[bytes]) -> AsyncGenerator[list[bytes], None]:
    """As many chunks at a time as are worth a visit to a thread; the last ones, too."""
    held: list[bytes] = []
    size = 0
    async for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size >= _BLOCK:
            yield held
            held, size = [], 0
    yield held


def _writer(into: object) -> Write:
    if isinstance(into, io.TextIOBase):
        into.flush()
        into = getattr(into, "buffer", into)
    if isinstance(into, io.TextIOBase) or not isinstance(into, Writable):
        raise InvalidDataError(
            f"cannot write an object's bytes to {type(into).__name__}: "
            "hand over a file opened in binary mode, or one with a buffer"
        )
    return into.write


def _write_all(write: Write, chunks: list[bytes]) -> None:
    raw = isinstance(getattr(write, "__self__", None), io.RawIOBase)
    with _translate_type_errors():
        for chunk in chunks:
            rest = memoryview(chunk)
            while rest.nbytes:
                count = write(rest)  # type: ignore[arg-type]
                # To raw files alone, nothing means nothing; the buffered ones raise this.
                if raw and not count:
                    raise BlockingIOError(errno.EAGAIN, "the file is full and does not wait")
                rest = rest[_written_size(count, rest) :]


async def _write_async(write: Callable[[Any], Awaitable[Any]], chunk: bytes) -> None:
    rest = memoryview(chunk)
    with _translate_type_errors():
        while rest.nbytes:
            count = await write(bytes(rest) if rest.nbytes < len(chunk) else chunk)
            rest = rest[_written_size(count, rest) :]


@contextmanager
def _translate_type_errors() -> Iterator[None]:
    try:
        yield
    except TypeError as error:
        raise InvalidDataError(f"the file given does not take bytes: {error}") from error


def _written_size(count: object, rest: memoryview) -> int:
    """How much of `rest` a write took. Raw files may take a part; some files do not say."""
    return count if isinstance(count, int) and count > 0 else rest.nbytes
