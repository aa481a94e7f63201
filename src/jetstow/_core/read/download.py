"""An object's chunks, in order, each one there: windows in flight, counted and checked.

A window that does not fit is asked for again. What is still missing then belongs to an
object that was replaced meanwhile, or its chunks are lost; the error says which. After an
outage it goes on with the chunk that is next.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from jetstow._core.aio import telemetry
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol import subjects
from jetstow._core.protocol.context import ErrorContext
from jetstow._core.protocol.digest import Digest
from jetstow._core.protocol.metadata import DEFAULT_CHUNK_SIZE
from jetstow._core.read.catalog import read_state
from jetstow._core.read.direct_get import DirectWindows
from jetstow._core.read.prefetch import FIRST_WINDOW_SIZE, MAX_WINDOW_SIZE, Prefetch
from jetstow._core.read.pull_windows import PullWindows
from jetstow._core.read.windows import NoDirectGetError, Window, WindowSource
from jetstow._core.transport.retry import RETRIED_ERRORS
from jetstow.errors import (
    ChunksLostError,
    DigestMismatchError,
    ObjectChangedError,
    PermissionDeniedError,
    SizeMismatchError,
    TimeoutError,
)
from jetstow.models import ObjectInfo

# A replica that lags catches up within moments, or is asked in vain. In seconds.
_REPLICA_DELAYS: Final = (0.05, 0.2, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Position:
    """A chunk of an object, and a stream sequence before which it does not lie."""

    chunk: int = 0
    seq: int = 1


class _UnexpectedMessageError(Exception):
    """A window did not go on where the one before it ended."""


class Download:
    """The chunks of one object from `start` up to chunk `end` (not included).

    `locate` finds the start once more, should it turn out to be wrong. The first window has
    at least `least` chunks, if they are not too many.
    """

    def __init__(
        self,
        stream: Stream,
        info: ObjectInfo,
        start: Position = Position(),
        end: int | None = None,
        locate: Callable[[], Awaitable[Position]] | None = None,
        least: int = 1,
        begun: Window | None = None,
    ) -> None:
        self._stream = stream
        self._start = start
        self._locate = locate
        self._info = info
        self._context = stream.error_context(info.name)
        self._total = info.chunks or 0
        self._end = self._total if end is None else end
        self._next = start
        # Where nobody has said how large its chunks are, they are as large as they are many.
        said = info.options is not None and info.options.max_chunk_size
        even = -(-(info.size or 0) // max(1, self._total))
        most = expected_chunk_size(stream, info)
        self._chunk_size = most if said else max(1, min(most, even))
        self._window = max(FIRST_WINDOW_SIZE, min(least * self._chunk_size, MAX_WINDOW_SIZE))
        self._begun = begun
        self._surplus = 0
        self._use_consumer = False

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The chunks, each once and in order.

        Raises `ChunksLostError`, `SizeMismatchError` (more chunks than the metadata says)
        or `ObjectChangedError`.
        """
        subject = subjects.chunk_subject(self._stream.bucket, self._info.nuid)
        left, outage = replica_delays(self._stream), self._stream.api.retry_policy(self._context)
        while self._next.chunk < self._end:
            before = self._next.chunk
            direct = self._stream.has_batched_get and not self._use_consumer
            source = (DirectWindows if direct else PullWindows)(
                self._stream, self._context, subject
            )
            try:
                async with aclosing(self._run(source)) as run:
                    async for data in run:
                        outage.succeeded()
                        telemetry.count_chunk("read", self._stream.bucket, len(data))
                        yield data
            except _UnexpectedMessageError:
                await self._check_unchanged()
                if self._next.chunk > before:
                    left = replica_delays(self._stream)  # and at once: a consumer may have expired
                else:
                    await self._wait_or_raise(left)
                    await self._locate_start()
            except RETRIED_ERRORS as error:
                if isinstance(error, TimeoutError):
                    # 2.11 says nothing more where the stream was deleted meanwhile.
                    await self._check_unchanged()
                await outage.wait_or_raise(error)
            except NoDirectGetError:
                self._stream.disable_direct_get()
            except PermissionDeniedError:
                if self._use_consumer:
                    raise self._incomplete_error() from None
                raise
            finally:
                await source.close()

    async def _run(self, source: WindowSource) -> AsyncGenerator[bytes, None]:
        """Window after window, until the end or until one does not fit."""
        begun, self._begun = self._begun, None
        flight = Prefetch(source, self._chunk_size, self._end, self._window, begun)
        origin = None
        try:
            while (before := self._next).chunk < self._end:
                window = await flight.next(before.chunk, before.seq)
                while (piece := await window.next_message()) is not None:
                    if piece.seq < self._next.seq:
                        continue  # asked for ahead, and a little too early
                    self._check(piece.pending)
                    chunk = self._next.chunk
                    self._next = Position(chunk + 1, piece.seq + 1)
                    origin = origin or Position(chunk, piece.seq)
                    # In an object that lies in one piece, the next window's place is known.
                    if piece.seq - origin.seq == chunk - origin.chunk:
                        await flight.request_ahead(chunk, piece.seq)
                    yield piece.data
                    if self._next.chunk == self._end:
                        return
                flight.finish_window()
                if self._next == before and flight.is_empty:
                    raise _UnexpectedMessageError
        finally:
            flight.close()

    def _check(self, pending: int) -> None:
        """How many messages of the subject follow one tells which chunk it is."""
        expected = self._total - self._next.chunk - 1
        if pending != expected:
            self._surplus = max(0, pending - expected)
            raise _UnexpectedMessageError

    async def _check_unchanged(self) -> None:
        live = (await read_state(self._stream, self._info.name)).live
        if live is None or live.nuid != self._info.nuid:
            what = "deleted" if live is None else "replaced"
            raise self._context.error(
                ObjectChangedError, f"{self._context} was {what} while it was being read"
            )

    async def _locate_start(self) -> None:
        """A replica that lags counts from the end that it has, and finds a wrong place."""
        if self._locate is not None and self._next == self._start:
            self._next = self._start = await self._locate()

    async def _wait_or_raise(self, left: Iterator[float]) -> None:
        pause = next(left, None)
        if pause is not None:
            await asyncio.sleep(pause)
        elif self._stream.has_batched_get and not self._use_consumer:
            # Replicas of several versions count in several ways. A consumer's count is sure.
            self._use_consumer = True
        else:
            raise self._incomplete_error()

    def _incomplete_error(self) -> ChunksLostError | SizeMismatchError:
        if self._surplus and self._next.chunk == 0:
            return self._context.error(
                SizeMismatchError,
                f"{self._context} has {self._total + self._surplus} chunks in the stream and "
                f"{self._total} in its metadata",
            )
        return self._context.error(
            ChunksLostError,
            f"{self._context} cannot be read: of its {self._total} chunks, number "
            f"{self._next.chunk + 1} or a later one is not in the stream",
        )


def replica_delays(stream: Stream) -> Iterator[float]:
    """How long to wait, time after time, for a replica that lags."""
    return iter(_REPLICA_DELAYS if stream.replicas > 1 else ())


def expected_chunk_size(stream: Stream, info: ObjectInfo) -> int:
    """The bytes that one chunk may have: as its metadata says, or what they mostly are."""
    said = info.options.max_chunk_size if info.options is not None else None
    return min(said or DEFAULT_CHUNK_SIZE, stream.api.nc.max_payload)


async def verified_chunks(
    stream: Stream, info: ObjectInfo, begun: Window | None = None
) -> AsyncGenerator[bytes, None]:
    """All bytes of an object. Its end is reached only if size, count and digest are right.

    `begun` is a window with all its chunks, if they were asked for already.

    Raises `SizeMismatchError`, `DigestMismatchError`, and what `Download.chunks` raises.
    """
    context, digest, size = stream.error_context(info.name), Digest(), 0
    async with aclosing(Download(stream, info, begun=begun).chunks()) as chunks:
        async for data in chunks:
            size += len(data)
            if size > (info.size or 0):
                break
            digest.update(data)
            yield data
    if size != (info.size or 0):
        raise context.error(
            SizeMismatchError,
            f"{context} has {'more' if size > (info.size or 0) else 'fewer'} bytes in the stream "
            f"than the {info.size} in its metadata",
        )
    check_digest(context, info, digest)


def check_digest(context: ErrorContext, info: ObjectInfo, digest: Digest) -> None:
    """Raise `DigestMismatchError` unless all of an object's bytes have the digest it should."""
    # Some clients write no digest; there is nothing to compare then.
    if info.digest and not digest.matches(info.digest):
        raise context.error(
            DigestMismatchError,
            f"{context} is damaged: its digest is {digest}, but its metadata says "
            f"{info.digest[:100]!r}",
        )
