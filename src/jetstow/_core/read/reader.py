"""An object opened for reading."""

from __future__ import annotations

import io
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Self

from jetstow._core.read.decryption import RangeSource

if TYPE_CHECKING:
    from typing_extensions import Buffer


class ObjectReader:
    """An object opened for reading: `read`, `seek`, `tell`; an async context manager.

    It reads the revision that it was opened at; `info` is its metadata. Sequential reads are
    prefetched; a seek discards what was prefetched. Iterating yields the bytes from the position
    on, in pieces.
    """

    def __init__(self, source: RangeSource) -> None:
        self.info = source.info
        self.name = source.info.name
        self._source = source
        self._size = source.info.size or 0
        self._position = 0
        self._pieces: AsyncIterator[memoryview] | None = None
        self._rest = memoryview(b"")
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def readable(self) -> bool:
        """Return True."""
        return True

    def writable(self) -> bool:
        """Return False."""
        return False

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position: the offset in bytes of the next read."""
        return self._position

    async def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Set the position and return it. A read past the end returns no bytes.

        Raises: `ValueError` (a position before the start).
        """
        self._check_open()
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}
        if whence not in base:
            raise ValueError(f"whence must be 0, 1 or 2, not {whence!r}")
        position = base[whence] + offset
        if position < 0:
            raise ValueError(f"position {position} is before the start of object {self.name!r}")
        if position != self._position:
            await self._discard()
            self._position = position
        return position

    async def read(self, size: int | None = -1) -> bytes:
        """Return up to `size` bytes, fewer only at the end; the rest for None or a negative size.

        Reading from the first byte to the last verifies the digest. After an error the position is
        unchanged.

        Raises: what `get` raises.
        """
        self._check_open()
        rest = max(0, self._size - self._position)
        wanted = rest if size is None or size < 0 else min(size, rest)
        start, result = self._position, io.BytesIO()
        try:
            while wanted and (piece := await self._next_piece(wanted)):
                result.write(piece)
                wanted -= len(piece)
            if self._position == self._size and (self._pieces is not None or not self._size):
                await self._next_piece(1)  # the digest is checked after the last byte
        except BaseException:
            await self._discard()
            self._position = start
            raise
        return result.getvalue()

    async def read_at(self, offset: int, size: int) -> bytes:
        """Return up to `size` bytes from `offset`, fewer only at the end. Nothing is prefetched.

        The position does not change, and several calls may run at the same time.

        Raises: `ValueError` (a negative offset or size), and what `get_range` raises.
        """
        self._check_open()
        if offset < 0 or size < 0:
            raise ValueError(
                f"cannot read {size} bytes at {offset} of object {self.name!r}: neither may be "
                "negative"
            )
        stop, result = min(self._size, offset + size), io.BytesIO()
        if offset < stop:
            async with aclosing(self._source.read(offset, stop)) as pieces:
                async for piece in pieces:
                    result.write(piece)
        return result.getvalue()

    async def stream(
        self, start: int = 0, length: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Yield `length` bytes from offset `start`, or all bytes from there, piece by piece.

        Nothing behind the range is read. The position does not change, and several iterations may
        run at the same time. Iterating over all bytes verifies the digest.

        Raises: `ValueError` (a negative offset or length), and what `get_range` raises.
        """
        self._check_open()
        if start < 0 or (length is not None and length < 0):
            raise ValueError(
                f"cannot read {length} bytes at {start} of object {self.name!r}: neither may be "
                "negative"
            )
        stop = self._size if length is None else min(self._size, start + length)
        if start < stop or not self._size:
            async with aclosing(self._source.read(start, stop)) as pieces:
                async for piece in pieces:
                    yield _as_bytes(piece)

    async def readinto(self, buffer: Buffer) -> int:
        """Fill a buffer from the position on. Return the number of bytes read.

        Raises: what `read` raises.
        """
        view = memoryview(buffer).cast("B")
        data = await self.read(view.nbytes)
        view[: len(data)] = data
        return len(data)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        self._check_open()
        piece = await self._next_piece(max(1, self._size - self._position))
        if not piece:
            raise StopAsyncIteration
        return piece.tobytes()

    async def close(self) -> None:
        """Discard what was prefetched. Later reads raise `ValueError`."""
        self._closed = True
        await self._discard()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _next_piece(self, limit: int) -> memoryview:
        if not self._rest.nbytes:
            if self._pieces is None:
                self._pieces = self._source.read(self._position, self._size)
            try:
                self._rest = await anext(self._pieces, memoryview(b""))
            except BaseException:
                self._pieces = None  # it ended with an error, not at the end of the object
                raise
        size = min(limit, self._rest.nbytes)
        piece, self._rest = self._rest[:size], self._rest[size:]
        self._position += size
        return piece

    async def _discard(self) -> None:
        pieces, self._pieces, self._rest = self._pieces, None, memoryview(b"")
        if pieces is not None:
            await pieces.aclose()  # type: ignore[attr-defined]

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError(f"object {self.name!r} is closed: open it again to read it")


def _as_bytes(piece: memoryview) -> bytes:
    """Return the bytes of a view, without a copy if it is a view of a whole bytes object."""
    whole = piece.obj
    return whole if isinstance(whole, bytes) and len(whole) == piece.nbytes else piece.tobytes()
