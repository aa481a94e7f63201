"""Objects opened like files: reading anywhere in one, writing one piece by piece."""

from __future__ import annotations

import io
import os
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Self

from jetstow._core.bucket.encryption import RangeSource

if TYPE_CHECKING:
    from typing_extensions import Buffer


class ObjectReader:
    """An object opened for reading: `read`, `seek`, `tell`; an async context manager.

    It stays at the revision that it was opened at. Reading on fetches ahead; a seek drops
    what was fetched. Iterating gives the bytes from the position on, in pieces.
    """

    def __init__(self, reader: RangeSource) -> None:
        self.info = reader.info
        self.name = reader.info.name
        self._reader = reader
        self._size = reader.info.size or 0
        self._position = 0
        self._pieces: AsyncIterator[memoryview] | None = None
        self._rest = memoryview(b"")
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        """The position: the offset in bytes of what is read next."""
        return self._position

    async def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a position and return it. Past the end nothing is read; before 0 is an error."""
        self._check_open()
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}
        if whence not in base:
            raise ValueError(f"whence must be 0, 1 or 2, not {whence!r}")
        position = base[whence] + offset
        if position < 0:
            raise ValueError(f"position {position} lies before the start of {self.name!r}")
        if position != self._position:
            await self._drop()
            self._position = position
        return position

    async def read(self, size: int | None = -1) -> bytes:
        """Up to `size` bytes, fewer only at the end; all that is left for None or less than 0.

        Reading from the first byte to the last verifies the digest. Raises what `get` raises.
        """
        self._check_open()
        left = max(0, self._size - self._position)
        wanted = left if size is None or size < 0 else min(size, left)
        before, found = self._position, io.BytesIO()
        try:
            while wanted and (piece := await self._next_piece(wanted)):
                found.write(piece)
                wanted -= len(piece)
            if self._position == self._size and (self._pieces is not None or not self._size):
                await self._next_piece(1)  # the digest is checked behind the last byte
        except BaseException:
            # Nothing was handed out: whoever tries again begins where this one did.
            await self._drop()
            self._position = before
            raise
        return found.getvalue()

    async def read_at(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset` on, fewer only at the end, and nothing ahead of them.

        The position stays where it is, and several may be read at once. Raises `ValueError`
        before the start, and what `get_range` raises.
        """
        self._check_open()
        if offset < 0 or size < 0:
            raise ValueError(f"object {self.name!r} has no {size} bytes at {offset}")
        stop, found = min(self._size, offset + size), io.BytesIO()
        if offset < stop:
            async with aclosing(self._reader.read(offset, stop)) as pieces:
                async for piece in pieces:
                    found.write(piece)
        return found.getvalue()

    async def readinto(self, buffer: Buffer) -> int:
        """Fill a buffer from the position on; return how many bytes there were."""
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
        """Let go of what was fetched."""
        self._closed = True
        await self._drop()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _next_piece(self, most: int) -> memoryview:
        if not self._rest.nbytes:
            if self._pieces is None:
                self._pieces = self._reader.read(self._position, self._size)
            try:
                self._rest = await anext(self._pieces, memoryview(b""))
            except BaseException:
                self._pieces = None  # it is over, and its end is not that of the object
                raise
        return self._take(min(most, self._rest.nbytes))

    def _take(self, size: int) -> memoryview:
        piece, self._rest = self._rest[:size], self._rest[size:]
        self._position += size
        return piece

    async def _drop(self) -> None:
        run, self._pieces, self._rest = self._pieces, None, memoryview(b"")
        if run is not None:
            await run.aclose()  # type: ignore[attr-defined]

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError(f"object {self.name!r} was opened and is closed again")
