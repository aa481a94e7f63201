"""An object opened for writing."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from jetstow._core.aio.source import Chunker
from jetstow._core.write.put import Writing
from jetstow.models import ObjectInfo

if TYPE_CHECKING:
    from typing_extensions import Buffer


class ObjectWriter:
    """An object being written: `write`, `close`; an async context manager.

    The object exists once `close` has returned, and `info` tells of it. An exception inside
    `async with`, or `abort`, leaves no object and no chunk.
    """

    def __init__(self, writing: Writing) -> None:
        self.name = writing.name
        self.info: ObjectInfo | None = None
        self._writing = writing
        self._upload = writing.upload
        self._cutter = Chunker(writing.chunk_size)
        self._position = 0
        self._closed = False
        self._failed = False

    @property
    def closed(self) -> bool:
        """Whether the object was finished or given up."""
        return self._closed

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        """How many bytes were written."""
        return self._position

    async def write(self, data: Buffer) -> int:
        """Add bytes; return how many. Raises `InvalidDataError` for text.

        Where it fails or is cancelled half-way, the object is given up.
        """
        self._check_open()
        with self._writing.context.attach():
            chunks = self._cutter.split(data)
        try:
            for chunk in chunks:
                await self._writing.write(chunk)
        except BaseException:
            self._failed = True
            await self.abort()
            raise
        size = memoryview(data).nbytes
        self._position += size
        return size

    async def close(self) -> None:
        """Finish the object and give it its name. Raises what `put` raises.

        Again, it does nothing; after a `write` that failed it is a `ValueError`.
        """
        if self._failed:
            raise ValueError(f"object {self.name!r} was given up when a write failed")
        if self._closed:
            return
        self._closed = True
        try:
            if self._cutter.rest:
                await self._writing.write(self._cutter.rest)
            self.info = await self._writing.finish()
        finally:
            await self._upload.end()

    async def abort(self) -> None:
        """Give up: nothing stays of what was written."""
        if not self._closed:
            self._closed = True
            await self._upload.end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            await self.close()
        else:
            await self.abort()

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError(f"object {self.name!r} is finished: nothing can be added to it")
