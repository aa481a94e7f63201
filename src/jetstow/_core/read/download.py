"""Download an object's chunks in order: windows in flight, each chunk counted and checked.

A window that does not continue where the last one ended is requested again, as the replica that
replied may lag. If a chunk is still missing, the stream's leader is asked: it has all chunks, or
the object was replaced in the meantime, or chunks are lost; the error reports which. After a lost
connection the download continues with the next chunk.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import Final

from jetstow._core.aio.batches import flattened
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.metadata import DEFAULT_CHUNK_SIZE
from jetstow._core.protocol.subjects import chunk_subject
from jetstow._core.read.arrivals import Arrivals, Position, TakeData
from jetstow._core.read.direct_get import DirectWindows
from jetstow._core.read.name_state import read_state
from jetstow._core.read.prefetch import FIRST_WINDOW_SIZE, MAX_WINDOW_SIZE, Prefetch
from jetstow._core.read.pull_windows import PullWindows
from jetstow._core.read.windows import NoDirectGetError, WindowSource
from jetstow._core.transport.retry import RETRIED_ERRORS, RetryPolicy
from jetstow.errors import (
    ChunksLostError,
    ObjectChangedError,
    PermissionDeniedError,
    SizeMismatchError,
    TimeoutError,
)
from jetstow.models import ObjectInfo

# Delays before asking a lagging replica again, in seconds.
_REPLICA_DELAYS: Final = (0.05, 0.2, 0.5, 1.0)


class _UnexpectedMessageError(Exception):
    """A window does not continue where the one before it ended."""


class Download:
    """The chunks of one object, from `start` up to chunk `end` (excluded).

    `locate` finds the start again if it turns out to be wrong; `restart` is called instead if the
    download has to begin with the object's first chunk. The first window has at least `min_chunks`
    chunks, up to the maximum size of a window.
    """

    def __init__(
        self,
        stream: Stream,
        context: ErrorContext,
        info: ObjectInfo,
        start: Position = Position(),  # noqa: B008 - immutable
        end: int | None = None,
        locate: Callable[[], Awaitable[Position]] | None = None,
        restart: Callable[[], None] | None = None,
        min_chunks: int = 1,
    ) -> None:
        self._stream = stream
        self._context = context
        self._info = info
        self._start = start
        self._total = info.chunks or 0
        self._end = self._total if end is None else end
        self._arrivals = Arrivals(stream.bucket, self._total, start, self._end)
        self._locate = locate
        self._restart = restart
        self._subject = chunk_subject(stream.subject_bucket, info.nuid)
        self._chunk_size = _window_chunk_size(stream, info)
        self._window_size = max(
            FIRST_WINDOW_SIZE, min(min_chunks * self._chunk_size, MAX_WINDOW_SIZE)
        )
        self._use_consumer = self._use_leader = False

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """Return the chunks, each once and in order.

        Raises: what `batches` raises.
        """
        return flattened(self.batches())

    async def batches(self, take: TakeData | None = None) -> AsyncGenerator[list[bytes], None]:
        """Yield the chunks in lists as they arrive, each chunk once and in order.

        `take` is offered each chunk that arrives while this generator waits. Those that it takes
        are not yielded, so that a list may be empty.

        Raises: `ChunksLostError`, `SizeMismatchError` (there are more chunks than the metadata
        states), `ObjectChangedError`.
        """
        async with aclosing(self._read_from_replicas(take)) as batches:
            async for batch in batches:
                yield batch
        if self._use_leader:
            async with aclosing(self._read_from_leader()) as chunks:
                async for chunk in chunks:
                    yield [chunk]

    async def _read_from_replicas(self, take: TakeData | None) -> AsyncGenerator[list[bytes], None]:
        """Yield the chunks until the last one, or until the leader has to be asked."""
        stream, context = self._stream, self._context
        policy: RetryPolicy | None = None
        delays: Iterator[float] | None = None
        while self._arrivals.next.chunk < self._end and not self._use_leader:
            before = self._arrivals.next.chunk
            source = self._window_source()
            try:
                async with aclosing(self._read_windows(source, take)) as batches:
                    async for batch in batches:
                        if policy is not None and self._arrivals.next.chunk > before:
                            policy.succeeded()
                        yield batch
            except _UnexpectedMessageError:
                await self._check_unchanged()
                if self._arrivals.next.chunk > before:
                    delays = None  # retry at once: a consumer may have expired
                else:
                    delays = delays or replica_delays(stream)
                    await self._wait_or_ask_another(delays)
            except RETRIED_ERRORS as error:
                if isinstance(error, TimeoutError):
                    # Server 2.11 does not answer if the stream was deleted in the meantime.
                    await self._check_unchanged()
                policy = policy or stream.api.retry_policy(context)
                await policy.wait_or_raise(error)
            except NoDirectGetError as error:
                stream.disable_direct_get(for_good=error.for_good)
            except PermissionDeniedError:
                if not self._use_consumer:
                    raise
                self._use_leader = True
            finally:
                await source.close()

    def _window_source(self) -> WindowSource:
        direct = self._stream.has_batched_get and not self._use_consumer
        return (DirectWindows if direct else PullWindows)(
            self._stream, self._context, self._subject
        )

    async def _read_windows(
        self, source: WindowSource, take: TakeData | None
    ) -> AsyncGenerator[list[bytes], None]:
        """Yield chunks from one window after another, until the end or an unexpected message."""
        prefetch = Prefetch(source, self._chunk_size, self._end, self._window_size)
        arrivals = self._arrivals
        arrivals.start_window_sequence(take)
        try:
            while (before := self._arrivals.next).chunk < self._end:
                window = await prefetch.next(before.chunk, before.seq)
                at_end = False
                while not at_end:
                    messages, at_end = await window.next_messages(arrivals.take)
                    batch, is_expected = arrivals.accept(messages)
                    arrivals.count()
                    if is_expected and (last := arrivals.last_contiguous()) is not None:
                        await prefetch.request_ahead(*last)
                    yield batch
                    if not is_expected:
                        raise _UnexpectedMessageError
                    if self._arrivals.next.chunk >= self._end:
                        return
                prefetch.finish_window()
                if self._arrivals.next == before and prefetch.is_empty:
                    raise _UnexpectedMessageError
        finally:
            prefetch.close()

    async def _check_unchanged(self) -> None:
        live = (await read_state(self._stream, self._context)).live
        if live is None or live.nuid != self._info.nuid:
            what = "deleted" if live is None else "replaced"
            raise self._context.error(
                ObjectChangedError, f"{self._context} was {what} while it was being read"
            )

    async def _wait_or_ask_another(self, delays: Iterator[float]) -> None:
        if (delay := next(delays, None)) is not None:
            await asyncio.sleep(delay)
        elif self._stream.has_batched_get and not self._use_consumer:
            # Replicas of different versions count differently. A consumer's count is reliable.
            self._use_consumer = True
        else:
            self._use_leader = True
            return
        if self._locate is not None and self._arrivals.next == self._start:
            # A lagging replica counts from its own end, so the start may be wrong.
            self._arrivals.next = self._start = await self._locate()

    async def _read_from_leader(self) -> AsyncGenerator[bytes, None]:
        """Yield the chunks that are left, one by one, from the leader, which has all that exist.

        It is slow, but a replica that fails to catch up may reply for minutes without them.
        """
        stream, context, arrivals = self._stream, self._context, self._arrivals
        if arrivals.next == self._start and self._restart is not None:
            self._restart()
            arrivals.next = self._start = Position()
        stored = await stream.count_messages(context, self._subject)
        if stored != self._total:
            raise self._incomplete_error(stored)
        while arrivals.next.chunk < self._end:
            message = await stream.next_message(context, self._subject, arrivals.next.seq)
            # While the chunks of a replaced object are purged, the message may be a later one.
            await self._check_unchanged()
            if message is None:
                raise self._incomplete_error(arrivals.next.chunk)
            arrivals.accept_next(message.seq, message.data)
            arrivals.count()
            yield message.data

    def _incomplete_error(self, stored: int) -> ChunksLostError | SizeMismatchError:
        context, total = self._context, self._total
        if stored > total:
            return context.error(
                SizeMismatchError,
                f"{context} has {stored} chunks in the stream and {total} in its metadata",
            )
        return context.error(
            ChunksLostError, f"{context} has lost {total - stored} of its {total} chunks"
        )


def replica_delays(stream: Stream) -> Iterator[float]:
    """Return the delays between attempts to read from a lagging replica."""
    return iter(_REPLICA_DELAYS if stream.replicas > 1 else ())


def expected_chunk_size(stream: Stream, info: ObjectInfo) -> int:
    """Return the maximum bytes of one chunk: as the metadata states, or the default of ADR-20."""
    stated = info.options.max_chunk_size if info.options is not None else None
    return min(stated or DEFAULT_CHUNK_SIZE, stream.api.nc.max_payload)


def _window_chunk_size(stream: Stream, info: ObjectInfo) -> int:
    """Return the chunk size that windows are sized by."""
    expected = expected_chunk_size(stream, info)
    if info.options is not None and info.options.max_chunk_size:
        return expected
    # If the metadata does not state it, assume chunks of equal size.
    equal = -(-(info.size or 0) // max(1, info.chunks or 0))
    return max(1, min(expected, equal))
