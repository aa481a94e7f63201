"""Download an object's chunks in order: windows in flight, each chunk counted and checked.

A window that does not continue where the last one ended is requested again. If a chunk is still
missing, the object was replaced in the meantime, or its chunks are lost; the error reports which.
After a lost connection the download continues with the next chunk.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import Final, NamedTuple

from jetstow._core.aio import telemetry
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.digest import Digest
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.metadata import DEFAULT_CHUNK_SIZE
from jetstow._core.protocol.subjects import chunk_subject
from jetstow._core.read.direct_get import DirectWindows
from jetstow._core.read.name_state import read_state
from jetstow._core.read.prefetch import FIRST_WINDOW_SIZE, MAX_WINDOW_SIZE, Prefetch
from jetstow._core.read.pull_windows import PullWindows
from jetstow._core.read.windows import NoDirectGetError, Window, WindowSource
from jetstow._core.transport.retry import RETRIED_ERRORS, RetryPolicy
from jetstow.errors import (
    ChunksLostError,
    DigestMismatchError,
    ObjectChangedError,
    PermissionDeniedError,
    SizeMismatchError,
    TimeoutError,
)
from jetstow.models import ObjectInfo

# Delays before asking a lagging replica again, in seconds.
_REPLICA_DELAYS: Final = (0.05, 0.2, 0.5, 1.0)


class Position(NamedTuple):
    """The number of a chunk, and a stream sequence at or before its own."""

    chunk: int = 0
    seq: int = 1


class _UnexpectedMessageError(Exception):
    """A window does not continue where the one before it ended."""


class Download:
    """The chunks of one object, from `start` up to chunk `end` (excluded).

    `locate` finds the start again if it turns out to be wrong. The first window has at least
    `min_chunks` chunks, up to the maximum size of a window. `window` is one with all chunks, if
    they were requested before.
    """

    def __init__(
        self,
        stream: Stream,
        context: ErrorContext,
        info: ObjectInfo,
        start: Position = Position(),  # noqa: B008 - immutable
        end: int | None = None,
        locate: Callable[[], Awaitable[Position]] | None = None,
        min_chunks: int = 1,
        window: Window | None = None,
    ) -> None:
        self._stream = stream
        self._context = context
        self._info = info
        self._start = self._next = start
        self._total = info.chunks or 0
        self._end = self._total if end is None else end
        self._locate = locate
        self._chunk_size = _window_chunk_size(stream, info)
        self._window_size = max(
            FIRST_WINDOW_SIZE, min(min_chunks * self._chunk_size, MAX_WINDOW_SIZE)
        )
        self._window = window
        self._surplus = 0
        self._use_consumer = False

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the chunks, each once and in order.

        Raises: `ChunksLostError`, `SizeMismatchError` (there are more chunks than the metadata
        states), `ObjectChangedError`.
        """
        stream, context = self._stream, self._context
        subject = chunk_subject(stream.subject_bucket, self._info.nuid)
        policy: RetryPolicy | None = None
        delays: Iterator[float] | None = None
        while self._next.chunk < self._end:
            before = self._next.chunk
            source = self._window_source(subject)
            try:
                async with aclosing(self._read_windows(source)) as chunks:
                    async for data in chunks:
                        if policy is not None:
                            policy.succeeded()
                        telemetry.count_chunk("read", stream.bucket, len(data))
                        yield data
            except _UnexpectedMessageError:
                await self._check_unchanged()
                if self._next.chunk > before:
                    delays = None  # retry at once: a consumer may have expired
                else:
                    delays = delays or replica_delays(stream)
                    await self._wait_or_raise(delays)
                    await self._locate_start()
            except RETRIED_ERRORS as error:
                if isinstance(error, TimeoutError):
                    # Server 2.11 does not answer if the stream was deleted in the meantime.
                    await self._check_unchanged()
                policy = policy or stream.api.retry_policy(context)
                await policy.wait_or_raise(error)
            except NoDirectGetError:
                stream.disable_direct_get()
            except PermissionDeniedError:
                if self._use_consumer:
                    raise self._incomplete_error() from None
                raise
            finally:
                await source.close()

    def _window_source(self, subject: str) -> WindowSource:
        if self._window is not None:
            return self._window.source
        direct = self._stream.has_batched_get and not self._use_consumer
        return (DirectWindows if direct else PullWindows)(self._stream, self._context, subject)

    async def _read_windows(self, source: WindowSource) -> AsyncGenerator[bytes, None]:
        """Yield chunks from one window after another, until the end or an unexpected message."""
        early, self._window = self._window, None
        prefetch = Prefetch(source, self._chunk_size, self._end, self._window_size, early)
        origin: Position | None = None
        try:
            while (before := self._next).chunk < self._end:
                window = await prefetch.next(before.chunk, before.seq)
                while (message := await window.next_message()) is not None:
                    chunk, min_seq = self._next
                    seq = message.seq
                    if seq < min_seq:
                        continue  # the window was requested ahead, and starts a little too early
                    # The number of messages that follow identifies the chunk.
                    surplus = message.pending - (self._total - chunk - 1)
                    if surplus:
                        self._surplus = max(0, surplus)
                        raise _UnexpectedMessageError
                    self._next = Position(chunk + 1, seq + 1)
                    if origin is None:
                        origin = Position(chunk, seq)
                    # If the chunks so far are contiguous, the next window's start is known.
                    if seq - origin.seq == chunk - origin.chunk and chunk + 1 < self._end:
                        await prefetch.request_ahead(chunk, seq)
                    yield message.data
                    if chunk + 1 == self._end:
                        return
                prefetch.finish_window()
                if self._next == before and prefetch.is_empty:
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

    async def _locate_start(self) -> None:
        """Find the start again: a lagging replica counts from its own end, and may be wrong."""
        if self._locate is not None and self._next == self._start:
            self._next = self._start = await self._locate()

    async def _wait_or_raise(self, delays: Iterator[float]) -> None:
        delay = next(delays, None)
        if delay is not None:
            await asyncio.sleep(delay)
        elif self._stream.has_batched_get and not self._use_consumer:
            # Replicas of different versions count differently. A consumer's count is reliable.
            self._use_consumer = True
        else:
            raise self._incomplete_error()

    def _incomplete_error(self) -> ChunksLostError | SizeMismatchError:
        context = self._context
        if self._surplus and self._next.chunk == 0:
            return context.error(
                SizeMismatchError,
                f"{context} has {self._total + self._surplus} chunks in the stream and "
                f"{self._total} in its metadata",
            )
        return context.error(
            ChunksLostError,
            f"{context} cannot be read: of its {self._total} chunks, number "
            f"{self._next.chunk + 1} or a later one is not in the stream",
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


async def verified_chunks(
    stream: Stream, context: ErrorContext, info: ObjectInfo, window: Window | None = None
) -> AsyncGenerator[bytes, None]:
    """Yield all chunks of an object. The generator ends only if size and digest are correct.

    `window` is one with all chunks, if they were requested before.

    Raises: `SizeMismatchError`, `DigestMismatchError`, and what `Download.chunks` raises.
    """
    digest, size, expected = Digest(), 0, info.size or 0
    async with aclosing(Download(stream, context, info, window=window).chunks()) as chunks:
        async for data in chunks:
            size += len(data)
            if size > expected:
                break
            digest.update(data)
            yield data
    if size != expected:
        raise context.error(
            SizeMismatchError,
            f"{context} has {'more' if size > expected else 'fewer'} bytes in the stream "
            f"than the {expected} in its metadata",
        )
    check_digest(context, info, digest)


def check_digest(context: ErrorContext, info: ObjectInfo, digest: Digest) -> None:
    """Raise `DigestMismatchError` unless the digest of all bytes is that of the metadata."""
    # Some clients write no digest.
    if info.digest and not digest.matches(info.digest):
        raise context.error(
            DigestMismatchError,
            f"{context} is damaged: its digest is {digest}, but its metadata states "
            f"{info.digest[:100]!r}",
        )
