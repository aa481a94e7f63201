"""An object opened for writing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import chain
from types import TracebackType
from typing import TYPE_CHECKING, Self

from jetstow._core.aio.source import Chunker
from jetstow._core.write.put import Put
from jetstow.errors import InvalidOptionError
from jetstow.models import ObjectInfo, ObjectMeta
from jetstow.types import StoredChunks

if TYPE_CHECKING:
    from typing_extensions import Buffer


class ObjectWriter:
    """An object opened for writing: `write`, `close`; an async context manager.

    The object exists once `close` has returned; then `info` is set. `abort`, or an exception inside
    `async with`, stores no object and leaves no chunk.

    `meta` may be changed or replaced until then: it is what the object will have. Its name and
    chunk size do not change. `nuid` identifies the chunks.

    After a `checkpoint`, the chunks outlive a failure and the process.
    """

    name: str
    nuid: str
    meta: ObjectMeta
    info: ObjectInfo | None

    def __init__(self, put: Put) -> None:
        self.name = put.name
        self.nuid = put.nuid
        self.meta = put.editable_meta
        self.info = None
        self._put = put
        self._chunker = Chunker(put.chunk_size)
        self._position = 0
        self._closed = False
        self._failed = False
        # Held by a write or checkpoint that waits for the server, whose scope `_end` expires.
        self._lock = asyncio.Lock()
        self._scope = asyncio.timeout(None)

    @property
    def size(self) -> int:
        """How many bytes were written."""
        return self._position

    @property
    def digest(self) -> str:
        """The SHA-256 digest of the bytes written so far, in the form of `ObjectInfo.digest`.

        Through a view with a key, it is that of the plaintext: it differs from `info.digest`.
        """
        digest = self._put.digest.copy()
        digest.update(self._chunker.remainder)
        return str(digest)

    @property
    def closed(self) -> bool:
        """Whether the object was finished or aborted."""
        return self._closed

    def readable(self) -> bool:
        """Return False."""
        return False

    def writable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return False."""
        return False

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self._position

    async def write(self, data: Buffer) -> int:
        """Append bytes. Return how many.

        If a write fails or is cancelled, the object is aborted.

        Raises: `InvalidDataError` (text instead of bytes), `ValueError` (the object is closed, also
        while this waits; another task is writing), and what `put` raises.
        """
        self._check_open()
        with self._put.context:
            chunks = self._chunker.split(data)
        first = next(chunks, None)
        if first is not None:  # most small writes complete no chunk
            async with self._interruptible():
                for chunk in chain((first,), chunks):
                    await self._put.write(chunk)
        size = memoryview(data).nbytes
        self._position += size
        return size

    def expect_revision(self, revision: int | None) -> None:
        """Let `close` succeed only if the object is then at a revision; 0: only if there is none.

        It replaces the `expected_revision` that the object was opened with. None expects nothing.
        """
        self._check_open()
        self._put.expect(revision)

    async def checkpoint(self) -> StoredChunks:
        """Wait until the server has stored every full chunk, and return where they are.

        From then on the chunks stay in the bucket if the object is not stored: after a failed
        `write` or `close`, after `detach`, and after the end of the process. `stream_checkpoint`
        returns their bytes. Until then, `collect_garbage` has to `keep` the NUID. Only `abort`
        purges the chunks.

        Raises: `InvalidOptionError` (the object is encrypted), and what `put` raises.
        """
        self._check_open()
        if self._put.encryptor is not None:
            message = f"{self._put.context} is encrypted: it cannot have a checkpoint"
            raise self._put.context.error(InvalidOptionError, message)
        remainder = bytes(self._chunker.remainder)
        async with self._interruptible():
            await self._put.wait_stored()
        self._put.keeps_chunks = True
        chunks = (self._position - len(remainder)) // self._put.chunk_size
        return StoredChunks(self.name, self.nuid, self._put.chunk_size, chunks, remainder)

    async def detach(self) -> None:
        """Stop writing: no object is stored. Chunks stay if there was a checkpoint.

        A write of another task ends with `ValueError`.
        """
        await self._end()

    async def _end(self, error: BaseException | None = None) -> None:
        if not self._closed:
            self._put.check_loop()
            self._closed = True
            try:
                await self._interrupt()
            finally:
                await self._put.end(error)

    @asynccontextmanager
    async def _interruptible(self) -> AsyncIterator[None]:
        """Let `abort` and `detach` of another task end what is done inside. A failure ends the put.

        Raises: `ValueError` (the object was closed in the meantime).
        """
        try:
            async with self._lock, asyncio.timeout(None) as self._scope:
                yield
        except BaseException as error:
            if not (isinstance(error, TimeoutError) and self._scope.expired()):
                self._failed = True
                await self._end(error)
                raise
        if self._closed:
            raise self._closed_error() from None

    async def _interrupt(self) -> None:
        """End the write that another task waits for, if there is one."""
        if self._lock.locked():
            self._scope.reschedule(0)
            async with self._lock:  # the write has ended
                pass

    async def close(self) -> None:
        """Store the rest and publish the object. A second call does nothing.

        Raises: `ValueError` (a write failed before, or another task is writing),
        `InvalidOptionError` (`meta` is not valid), and what `put` raises. No object is stored then.
        """
        if self._failed:
            raise ValueError(f"object {self.name!r} was aborted because a write failed")
        if self._closed:
            return
        self._check_open()
        self._closed = True
        try:
            self._put.set_meta(self.meta)
            if self._chunker.remainder:
                remainder, self._chunker.remainder = self._chunker.remainder, bytearray()
                await self._put.write(remainder)
            self.info = await self._put.finish()
        except BaseException as error:
            await self._put.end(error)
            raise
        await self._put.end()

    async def abort(self) -> None:
        """Discard what was written: no object is stored, and its chunks are purged.

        A write of another task ends with `ValueError`.
        """
        self._put.keeps_chunks = False
        await self.detach()

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
            raise self._closed_error()
        self._put.check_loop()
        if self._lock.locked():
            message = f"another task is writing to object {self.name!r}: wait for it first"
            raise ValueError(message)

    def _closed_error(self) -> ValueError:
        return ValueError(f"object {self.name!r} is closed: it cannot be written to")
