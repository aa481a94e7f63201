"""Sinks in memory: a buffer of the caller, or memory of its own that becomes bytes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from jetstow._core.aio.page_faults import Populator
from jetstow.errors import InvalidDataError

if TYPE_CHECKING:
    from typing_extensions import Buffer

# Less memory is not worth its allocation ahead: an object of one default chunk is written at once.
_MIN_ALLOCATED: Final = 256 * 1024


@contextmanager
def writable_view(buffer: object) -> Iterator[memoryview]:
    """Provide the bytes of a writable, C-contiguous buffer, whatever its items are.

    Raises: `InvalidDataError` (it is not such a buffer).
    """
    try:
        view = memoryview(buffer)  # type: ignore[arg-type]  # that is checked here
    except (TypeError, ValueError, BufferError):
        raise _buffer_error(f"is {type(buffer).__name__}") from None
    with view:
        if view.readonly:
            raise _buffer_error(f"is read-only ({type(buffer).__name__})")
        if not view.c_contiguous:
            raise _buffer_error("is not contiguous in memory")
        if not view.nbytes:
            yield memoryview(bytearray())  # a shape with a zero cannot be cast
            return
        with view.cast("B") as octets:
            yield octets


def _buffer_error(reason: str) -> InvalidDataError:
    return InvalidDataError(
        f"into {reason}: pass a writable buffer, such as a bytearray, an array, or a NumPy array"
    )


class BufferSink:
    """Writes to the start of a writable buffer; `size` is that of the buffer in bytes."""

    def __init__(self, view: memoryview) -> None:
        self.size = view.nbytes
        self._view = view
        self._end = 0

    def start(self, size: int) -> None:  # noqa: ARG002 - the buffer has a size
        """Start at the first byte."""
        self._end = 0

    def take(self, data: Buffer) -> bool:
        """Write bytes at once. Return False if they do not fit."""
        view = memoryview(data)
        end = self._end + view.nbytes
        if end > self.size:
            return False
        self._view[self._end : end] = view
        self._end = end
        return True

    async def write(self, data: Buffer) -> None:
        """Write bytes that were not taken.

        Raises: `InvalidDataError` (they do not fit).
        """
        if not self.take(data):
            raise InvalidDataError(f"a buffer of {self.size} bytes is too small for the object")


class MemorySink:
    """Collects bytes in memory that is allocated once, and copies each of them once."""

    size = None

    def __init__(self) -> None:
        self._file = io.BytesIO()
        self._buffer: BufferSink | None = None
        self._populator: Populator | None = None
        self._view: memoryview | None = None

    def start(self, size: int) -> None:
        """Start with `size` bytes of memory."""
        self._release()
        self._file = io.BytesIO()
        if size < _MIN_ALLOCATED:
            return
        # Damaged metadata can state any size: the memory grows with the bytes that arrive then.
        with suppress(MemoryError, OverflowError):
            self._allocate(size)

    def _allocate(self, size: int) -> None:
        self._file = io.BytesIO(bytes(size))
        self._view = self._file.getbuffer()
        self._buffer, self._populator = BufferSink(self._view), Populator(self._view)

    def take(self, data: Buffer) -> bool:
        """Write bytes at once. Return False if they do not fit."""
        if self._buffer is None or self._populator is None:
            self._file.write(data)
            return True
        self._populator.advance(len(memoryview(data)))
        return self._buffer.take(data)

    async def write(self, data: Buffer) -> None:
        """Write bytes that were not taken.

        Raises: `InvalidDataError` (they do not fit).
        """
        if not self.take(data):
            raise InvalidDataError("the object has more bytes than its metadata states")

    def finish(self) -> bytes:
        """Return the bytes: in CPython, without a copy. The sink cannot be used again."""
        self._release()
        return self._file.getvalue()

    def _release(self) -> None:
        self._buffer = self._populator = None
        if self._view is not None:
            self._view.release()
            self._view = None
