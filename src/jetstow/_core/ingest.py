"""Chunks by fast ingest (ADR-50), where server and bucket have it: few acknowledgements.

The server acknowledges every so many chunks, and says how many; that spares it and us most of
what a chunk costs. What that changes for nobody: every chunk is acknowledged as stored, in
order and counted, before the object gets its name (docs/decisions/0011).
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import Final

from nats.nuid import NUID

from jetstow._core.batch import Batch, is_about_a_batch
from jetstow._core.jetstream import status
from jetstow._core.mailbox import Message
from jetstow._core.publisher import Publisher
from jetstow._core.replies import Replies
from jetstow._core.stream import Stream
from jetstow._core.target import Target
from jetstow.errors import JetstowError, ServerError

# Bytes that one acknowledgement may stand for; two such lots may be on their way.
_LOT: Final = 8 * 1024 * 1024

# And chunks, however small they are.
_MOST_CHUNKS: Final = 256

# So many chunks are published one by one before a batch begins: beginning one costs a round
# trip, which a small object never gets back.
_ALONE: Final = 8

# A batch for which nothing comes so long is ended. The server forgets it after 10 seconds,
# and until it has acknowledged the chunks, they take room from other uploads.
_IDLE: Final = 2.0

_nuids = NUID()


class Ingest(Publisher):
    """Publishes to one subject in batches; the first chunks, and a slow source's, one by one."""

    def __init__(self, replies: Replies, token: str, target: Target, patience: float) -> None:
        super().__init__(replies, token, target, patience)
        self._batch: Batch | None = None
        self._alone = _ALONE
        self._lot = _LOT
        self._is_writing = False
        self._written_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None

    async def write(self, stream: Stream, subject: str, chunk: memoryview) -> None:
        # The one who waits for room here is no slow source: the timer leaves it alone. An
        # exception ends the upload, and with it the need for the timer.
        self._is_writing = True
        await self._write(stream, subject, chunk)
        self._is_writing = False
        self._written_at = asyncio.get_running_loop().time()

    async def _write(self, stream: Stream, subject: str, chunk: memoryview) -> None:
        size = chunk.nbytes
        if self._batch is not None and (self._batch.is_ending or self._is_idle()):
            await self._end(stream)
            self._alone = _ALONE
        if self._batch is None and self._alone:
            self._alone -= 1
            await super().write(stream, subject, chunk)
            return
        batch = self._batch
        while batch is not None and not batch.has_room:
            await self.check(stream)
            await self.wait()
        await self.check(stream)
        if not self.replies.outbound.take_now(size):
            await self._make_room(stream, size)
        if self._batch is None:
            await self._begin(stream, subject, chunk)
        else:
            await self._append(self._batch, chunk)

    async def _make_room(self, stream: Stream, size: int) -> None:
        """Wait for the connection's other uploads.

        Who waits holds nothing himself. Chunks that fill no lot are acknowledged by the end
        of the batch only: uploads that all had some would wait for one another for ever.
        """
        if self._batch is not None:
            await self._end(stream)
            self._lot //= 2
        await self.replies.outbound.take(size)

    async def _begin(self, stream: Stream, subject: str, chunk: memoryview) -> None:
        flow = max(1, min(self._lot // max(1, chunk.nbytes), _MOST_CHUNKS))
        batch = Batch(self.target, _nuids.next().decode("ascii"), subject, flow)
        self._batch = batch
        await self._append(batch, chunk)
        # The server says how fast it may be, or that it wants no batch, and only then do
        # others follow.
        while not (batch.has_begun or batch.is_over):
            await self.check(stream)
            await self.wait()
        await self.check(stream)
        if not batch.is_refused:
            self._watch_over()
            return
        self._forget_batch(batch)
        self._alone = sys.maxsize
        if batch.stored:
            self._keep_order(batch)
        else:
            self.sent -= 1
            await super().write(stream, subject, chunk)

    async def _append(self, batch: Batch, chunk: memoryview) -> None:
        suffix = batch.add(chunk.nbytes)
        self.sent += 1
        await self.send(batch.subject, chunk, suffix=suffix)

    async def finish(self, stream: Stream) -> None:
        if self._batch is not None:
            await self._end(stream)
        await super().finish(stream)

    async def settle(self) -> None:
        if (batch := self._batch) is not None:
            # The answer to the end comes after everything that was sent before it has been
            # worked off, stored or not.
            if not batch.is_over:
                await self._send_end(batch)
            while not batch.is_over:
                await self.wait()
            self._forget_batch(batch)
        await super().settle()

    async def check(self, stream: Stream) -> None:
        await super().check(stream)
        if self._batch is not None and self._batch.is_lost and not self._batch.is_ending:
            await stream.info()  # a bucket that is gone says so here
            raise self.target.error(
                ServerError, f"the server gave the chunks of {self.target} up half-way"
            )

    async def _end(self, stream: Stream) -> None:
        """End the batch, and see that every chunk of it is stored."""
        batch = self._batch
        assert batch is not None
        await self._send_end(batch)
        while not batch.is_over:
            await self.check(stream)
            await self.wait()
        await self.check(stream)
        if batch.is_lost:
            await self._count(stream, batch)
        else:
            self._keep_order(batch)
        await self.check(stream)
        self._forget_batch(batch)

    async def _send_end(self, batch: Batch) -> None:
        if not batch.is_ending:
            await self.send(batch.subject, suffix=batch.end())

    async def _count(self, stream: Stream, batch: Batch) -> None:
        """The server forgot a batch for which nothing came; see what it has stored.

        Nobody else writes this subject, and a batch that misses a chunk stores none after it.
        """
        await super().finish(stream)
        info = await stream.info(subjects_filter=batch.subject)
        stored = (info["state"].get("subjects") or {}).get(batch.subject, 0)
        if stored != self.sent:
            raise self.target.error(
                ServerError,
                f"the server stored {stored} of {self.sent} chunks of {self.target}",
            )

    def _keep_order(self, batch: Batch) -> None:
        if batch.last_seq < self._last_seq + batch.stored:
            self._refusal = self._refusal or self._out_of_order()
        self._last_seq = batch.last_seq

    # -- what arrives ----------------------------------------------------------------------

    def deliver(self, message: Message) -> None:
        if not is_about_a_batch(message.subject):
            super().deliver(message)
            return
        batch = self._batch
        if batch is None or not batch.is_mine(message.subject):
            return
        if status(message) is not None:
            self._nobody_there = True
            batch.is_over = batch.is_over or batch.is_ending
        else:
            batch.hear(message.subject, message.data)
            self._refusal = self._refusal or batch.failure
        self.replies.outbound.give(batch.release())
        self.wake()

    # -- a batch for which nothing comes -----------------------------------------------------

    def _is_idle(self) -> bool:
        return asyncio.get_running_loop().time() - self._written_at >= _IDLE

    def _watch_over(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_IDLE, self._look_for_chunks)

    def _look_for_chunks(self) -> None:
        self._timer = None
        batch = self._batch
        if batch is None or batch.is_ending:
            return
        if self._is_writing or not self._is_idle():
            self._watch_over()
        else:
            self._ending = asyncio.get_running_loop().create_task(self._end_quietly(batch))

    async def _end_quietly(self, batch: Batch) -> None:
        with suppress(JetstowError):  # the next call meets it
            await self._send_end(batch)

    def _forget_batch(self, batch: Batch) -> None:
        self.replies.outbound.give(batch.release(everything=True))
        self._batch = None

    def close(self) -> None:
        super().close()
        if self._timer is not None:
            self._timer.cancel()
        if self._ending is not None:
            self._ending.cancel()
        if self._batch is not None:
            self._forget_batch(self._batch)
