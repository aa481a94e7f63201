"""Read an object as a whole, or open it for ranges."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.cipher import Layout
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.read import links
from jetstow._core.read.decryption import (
    RangeSource,
    WholeObject,
    decrypted_ranges,
    read_layout,
)
from jetstow._core.read.download import verified_chunks
from jetstow._core.read.preconditions import NO_PRECONDITIONS, Preconditions
from jetstow._core.read.ranges import RangeReader, range_stop
from jetstow._core.read.speculative import request_early
from jetstow.errors import ObjectChangedError
from jetstow.models import ObjectInfo
from jetstow.types import Progress

T = TypeVar("T")


class ObjectRead:
    """One read of a whole object. `info` is set when the first chunk is yielded.

    If the object is replaced before that, the new one is read.
    """

    info: ObjectInfo

    def __init__(
        self,
        stream: Stream,
        context: ErrorContext,
        *,
        show_deleted: bool = False,
        progress: Progress | None = None,
        preconditions: Preconditions = NO_PRECONDITIONS,
    ) -> None:
        self.context = context
        self._stream = stream
        self._show_deleted = show_deleted
        self._progress = progress
        self._preconditions = preconditions

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the object's bytes, decrypted, chunk by chunk; verified when the generator ends.

        Raises: what `links.follow`, `Preconditions.check`, `WholeObject` and `verified_chunks`
        raise.
        """
        while True:
            done = 0
            early = await request_early(self._stream, self.context)
            try:
                stream, context, stored = await links.follow(
                    self._stream, self.context, show_deleted=self._show_deleted
                )
                if self._preconditions is not NO_PRECONDITIONS:
                    self._preconditions.check(context, stored)
                whole = WholeObject(self._stream, context, stored)
                window = None if early is None else early.take_window(stored)
            finally:
                if early is not None:
                    early.close()
            stream.locations.remember(stored)
            chunks = verified_chunks(stream, context, stored, window)
            plain = whole.decrypt(chunks)
            try:
                async with aclosing(chunks), aclosing(plain):
                    async for data in plain:
                        if not done:
                            whole.check_start(data)
                            self.info = whole.info
                        done += len(data)
                        if self._progress is not None:
                            self._progress(done, self.info.size)
                        yield data
                self.info = whole.info
                return
            except ObjectChangedError:
                if done:
                    raise


async def open_ranges(
    stream: Stream, context: ErrorContext, preconditions: Preconditions = NO_PRECONDITIONS
) -> RangeSource:
    """Open the object that the name in `context` leads to, to read it from any byte on.

    Raises: what `ObjectRead.chunks` raises.
    """
    found_stream, found_context, stored = await links.follow(stream, context)
    preconditions.check(found_context, stored)
    reader = RangeReader(found_stream, found_context, stored)
    return await decrypted_ranges(stream, found_context, reader)


async def object_layout(stream: Stream, context: ErrorContext, stored: ObjectInfo) -> Layout | None:
    """Return how an object is encrypted; None if it is not, or the view has no key.

    Raises: `ObjectEncryptedError` (another key), `TamperedError` (it does not belong to its name).
    """
    if stream.key is None or stored.deleted:
        return None
    return await read_layout(stream, stream.key, context, RangeReader(stream, context, stored))


async def range_chunks(
    stream: Stream,
    context: ErrorContext,
    start: int,
    length: int | None,
    preconditions: Preconditions = NO_PRECONDITIONS,
) -> AsyncGenerator[memoryview, None]:
    """Yield `length` bytes from `start`, or all bytes from there, decrypted, in pieces.

    If the object is replaced before the first piece, the new one is read.

    Raises: `InvalidRangeError`, and what `ObjectRead.chunks` raises.
    """
    has_yielded = False
    while True:
        source = await open_ranges(stream, context, preconditions)
        stop = range_stop(context, source.info.size or 0, start, length)
        try:
            async with aclosing(source.read(start, stop)) as pieces:
                async for piece in pieces:
                    has_yielded = True
                    yield piece
            return
        except ObjectChangedError:
            if has_yielded:
                raise


async def retry_if_changed(read: Callable[[], Awaitable[T]]) -> T:
    """Call `read` again while it raises that the object was replaced.

    For reads that return nothing before they are complete.
    """
    while True:
        try:
            return await read()
        except ObjectChangedError:
            continue
