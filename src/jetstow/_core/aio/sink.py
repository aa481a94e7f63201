"""What receives an object's bytes: the interface, and files of any kind."""

from __future__ import annotations

import errno
import inspect
import io
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

from jetstow._core.aio.worker import Worker, is_regular_file, run_stoppable
from jetstow.errors import InvalidDataError
from jetstow.types import Writable

if TYPE_CHECKING:
    from typing_extensions import Buffer

# The bytes that one call in a worker thread writes: the call costs more than a small write.
_BLOCK_SIZE: Final = 1024 * 1024


Write = Callable[[Any], Any]


class Sink(Protocol):
    """Receives the bytes of an object in order."""

    @property
    def size(self) -> int | None:
        """The most bytes that fit; None without a limit."""
        ...

    def start(self, size: int) -> None:
        """Prepare for an object of that many bytes, from its first byte on.

        It is called again if the object was replaced before its first byte arrived.
        """
        ...

    def take(self, data: Buffer) -> bool:
        """Receive bytes without waiting. Return False if that is not possible.

        `data` may be a view that is valid during the call only.
        """
        ...

    async def write(self, data: Buffer) -> None:
        """Receive bytes that were not taken."""
        ...


async def write_chunks(chunks: AsyncIterator[bytes], file: object) -> None:
    """Write all chunks to a file, in a worker thread if a write may block.

    Raises: `InvalidDataError` (the file takes no bytes), and what the file raises.
    """
    if type(file) is io.BytesIO:  # a subclass may override `write`
        async for chunk in chunks:
            file.write(chunk)
        return
    write = _write_method(file)
    if inspect.iscoroutinefunction(write):
        async for chunk in chunks:
            await _write_all_async(write, chunk)
    elif is_regular_file(file):
        async with Worker[None]() as worker:
            async for block in _blocks(chunks):
                await worker.start(_write_block, _never, write, block)
            await worker.result()
    else:
        async for block in _blocks(chunks):
            await run_stoppable(file, _write_block, write, block)


async def _blocks(chunks: AsyncIterator[bytes]) -> AsyncGenerator[list[bytes], None]:
    """Group chunks into blocks that are worth a call in a thread; the last one may be smaller."""
    block: list[bytes] = []
    size = 0
    async for chunk in chunks:
        block.append(chunk)
        size += len(chunk)
        if size >= _BLOCK_SIZE:
            yield block
            block, size = [], 0
    yield block


def _write_method(file: object) -> Write:
    if isinstance(file, io.TextIOBase):
        file.flush()
        file = getattr(file, "buffer", file)
    if isinstance(file, io.TextIOBase) or not isinstance(file, Writable):
        raise InvalidDataError(
            f"cannot write an object's bytes to {type(file).__name__}: "
            "pass a file opened in binary mode, or one with a buffer"
        )
    return file.write


def _never() -> bool:
    return False


def _write_block(is_stopped: Callable[[], bool], write: Write, chunks: list[bytes]) -> None:
    for chunk in chunks:
        if is_stopped():
            return
        write_all(write, chunk)


def write_all(write: Write, data: bytes) -> None:
    """Call `write` until it has taken all bytes: raw files may take only a part.

    Raises: `InvalidDataError` (the file takes no bytes), `BlockingIOError` (a non-blocking file is
    full), and what the file raises.
    """
    is_raw = isinstance(getattr(write, "__self__", None), io.RawIOBase)
    remaining = memoryview(data)
    while remaining.nbytes:
        try:
            count = write(remaining)
        except TypeError as error:
            raise _not_bytes_error(error) from error
        # Only raw files return None if they wrote nothing. Buffered ones raise BlockingIOError.
        if is_raw and not count:
            raise BlockingIOError(errno.EAGAIN, "the file is non-blocking and full")
        remaining = remaining[_written_size(count, remaining) :]


async def _write_all_async(write: Callable[[Any], Awaitable[Any]], data: bytes) -> None:
    remaining = memoryview(data)
    while remaining.nbytes:
        try:
            count = await write(data if remaining.nbytes == len(data) else bytes(remaining))
        except TypeError as error:
            raise _not_bytes_error(error) from error
        remaining = remaining[_written_size(count, remaining) :]


def _not_bytes_error(error: TypeError) -> InvalidDataError:
    return InvalidDataError(f"the file does not take bytes: {error}")


def _written_size(count: object, data: memoryview) -> int:
    """Return how many bytes a write took. Some files return nothing: they took all."""
    return count if isinstance(count, int) and count > 0 else data.nbytes
