"""Read an object as a whole, or open it for ranges."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from itertools import accumulate
from typing import NamedTuple, TypeVar

from jetstow._core.aio.batches import flattened
from jetstow._core.aio.sink import Sink
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
from jetstow._core.read.links import Resolved
from jetstow._core.read.preconditions import NO_PRECONDITIONS, Preconditions
from jetstow._core.read.ranges import RangeReader, range_stop
from jetstow._core.read.small_object import find_object
from jetstow._core.read.verification import verified_batches, verified_chunks
from jetstow.errors import InvalidOptionError, ObjectChangedError
from jetstow.models import ObjectInfo
from jetstow.types import Progress

T = TypeVar("T")


class _Found(NamedTuple):
    """An object, and its chunks if it is small."""

    whole: WholeObject
    resolved: Resolved
    pieces: list[bytes] | None


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
        self._done = 0
        self._found: _Found | None = None

    async def small(self) -> bytes | None:
        """Return the bytes of a small object, verified; None if it is not small.

        Raises: what `chunks` raises.
        """
        whole, _, pieces = self._found = await self._find()
        if pieces is None or whole.needs_decryption:
            return None
        self._found = None
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        whole.check_start(data)
        self.info = whole.info
        if self._progress is not None:
            for done in accumulate(map(len, pieces)):
                self._progress(done, self.info.size)
        return data

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """Return the object's bytes, decrypted, chunk by chunk; verified when the generator ends.

        Raises: what `batches` raises.
        """
        return flattened(self.batches())

    async def write_to(self, sink: Sink) -> ObjectInfo:
        """Write the object's bytes to a sink. Return its info when they are verified.

        Raises: `InvalidOptionError` (the object does not fit; nothing was read), what the sink
        raises, and what `batches` raises.
        """
        async with aclosing(self.batches(sink)) as batches:
            async for batch in batches:
                for data in batch:
                    if not sink.take(data):
                        await sink.write(data)
        return self.info

    async def batches(self, sink: Sink | None = None) -> AsyncGenerator[list[bytes], None]:
        """Yield the object's bytes, decrypted, in lists of chunks as they arrive.

        A sink takes the chunks that arrive while this generator waits. It must be given all others
        before the next iteration.

        Raises: what `find_object`, `WholeObject` and `verified_batches` raise.
        """
        while True:
            self._done = 0
            whole, batches = await self._open(sink)
            try:
                async with aclosing(batches):
                    async for batch in batches:
                        for data in batch:
                            self._process(data, whole, sink)
                        yield batch
                self.info = whole.info
                return
            except ObjectChangedError:
                if self._done:
                    raise

    async def _open(
        self, sink: Sink | None
    ) -> tuple[WholeObject, AsyncGenerator[list[bytes], None]]:
        """Find the object, and return it with its bytes, which are not yet decrypted."""

        def take(data: bytes) -> bool:
            # The first chunk and the user's function may raise: see `_process`.
            if not self._done or self._progress is not None or not (sink and sink.take(data)):
                return False
            self._done += len(data)
            return True

        (whole, found, pieces), self._found = self._found or await self._find(), None
        if sink is not None and whole.has_size:
            _start(sink, found.context, whole.info)
        if not whole.needs_decryption:
            if pieces is not None:
                return whole, _one_batch(pieces)
            return whole, verified_batches(*found, take if sink else None)
        chunks = verified_chunks(*found) if pieces is None else flattened(_one_batch(pieces))
        return whole, _one_by_one(chunks, whole.decrypt(chunks))

    async def _find(self) -> _Found:
        found, pieces = await find_object(
            self._stream,
            self.context,
            show_deleted=self._show_deleted,
            preconditions=self._preconditions,
        )
        return _Found(WholeObject(self._stream, found.context, found.info), found, pieces)

    def _process(self, data: bytes, whole: WholeObject, sink: Sink | None) -> None:
        if not self._done:
            whole.check_start(data)
            self.info = whole.info
            if sink is not None and not whole.has_size:
                _start(sink, self.context, whole.info)
        self._done += len(data)
        if self._progress is not None:
            self._progress(self._done, self.info.size)


def _start(sink: Sink, context: ErrorContext, info: ObjectInfo) -> None:
    size = info.size or 0
    if sink.size is not None and size > sink.size:
        raise context.error(
            InvalidOptionError,
            f"{context} has {size} bytes, and the buffer {sink.size}: pass a larger one",
        )
    sink.start(size)


async def _one_by_one(
    source: AsyncGenerator[bytes, None], chunks: AsyncGenerator[bytes, None]
) -> AsyncGenerator[list[bytes], None]:
    """Yield chunks as lists of one, and close their source, too."""
    async with aclosing(source), aclosing(chunks):
        async for data in chunks:
            yield [data]


async def _one_batch(pieces: list[bytes]) -> AsyncGenerator[list[bytes], None]:
    yield pieces


async def open_ranges(
    stream: Stream,
    context: ErrorContext,
    preconditions: Preconditions = NO_PRECONDITIONS,
    *,
    prefetch: bool = False,
) -> RangeSource:
    """Open the object that the name in `context` leads to, to read it from any byte on.

    With `prefetch`, all bytes of a small object are read now.

    Raises: what `ObjectRead.chunks` raises.
    """
    pieces = None
    if prefetch:
        found, pieces = await find_object(stream, context, preconditions=preconditions)
    else:
        found = await links.follow(stream, context)
        preconditions.check(found.context, found.info)
    return await decrypted_ranges(stream, found.context, RangeReader(*found, pieces))


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
