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

from jetstow._core.batch import Batch, is_about_a_batch
from jetstow._core.jetstream import status
from jetstow._core.mailbox import Message
from jetstow._core.nuids import new_nuid
from jetstow._core.publisher import Publisher
from jetstow._core.stream import Stream
from jetstow._core.target import Target
from jetstow.errors import JetstowError

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


class Ingest(Publisher):
    """Publishes to one subject in batches; the first chunks, and a slow source's, one by one."""

    def __init__(
        self,
        stream: Stream,
        target: Target,
        subject: str,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(stream, target, subject, headers)
        self._batch: Batch | None = None
        self._alone = _ALONE
        self._lot = _LOT
        self._is_writing = False
        self._written_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None

    async def write(self, chunk: memoryview) -> None:
        # The one who waits for room here is no slow source: the timer leaves it alone. An
        # exception ends the upload, and with it the need for the timer.
        self._is_writing = True
        await self._write(chunk)
        self._is_writing = False
        self._written_at = asyncio.get_running_loop().time()

    async def _write(self, chunk: memoryview) -> None:
        if self._batch is not None and (self._batch.is_ending or self._is_idle()):
            await self._end()
            self._alone = _ALONE
        if self._batch is None and self._alone:
            self._alone -= 1
            await super().write(chunk)
            return
        await self.until(self._has_batch_room)
        if not self.stream.js.replies.outbound.take_now(chunk.nbytes):
            await self._make_room(chunk.nbytes)
        number = self.ledger.add(chunk)
        if self._batch is None:
            await self._begin(number)
        else:
            await self.or_go_on(self._append(self._batch, number))

    def _has_batch_room(self) -> bool:
        return self._batch is None or self._batch.has_room

    async def _make_room(self, size: int) -> None:
        """Wait for the connection's other uploads.

        Who waits holds nothing himself. Chunks that fill no lot are acknowledged by the end
        of the batch only: uploads that all had some would wait for one another for ever.
        """
        if self._batch is not None:
            await self._end()
            self._lot //= 2
        await self.stream.js.replies.outbound.take(size)

    async def _begin(self, number: int) -> None:
        size = self.ledger.chunk(number).nbytes
        flow = max(1, min(self._lot // max(1, size), _MOST_CHUNKS))
        batch = self._batch = Batch(self.target, new_nuid(), number, flow)
        await self.or_go_on(self._append(batch, number))
        # The server says how fast it may be, or that it wants no batch, and only then do
        # others follow.
        await self.until(lambda: self._batch is not batch or batch.has_begun or batch.is_over)
        if self._batch is batch and batch.is_refused:
            self._batch = None
            self._alone = sys.maxsize
            if not batch.stored:
                await self.or_go_on(self.send_chunk(number))
        elif self._batch is batch:
            self._watch_over()

    async def _append(self, batch: Batch, number: int) -> None:
        chunk, headers = self.ledger.chunk(number), self.identity(number)
        await self.box.send(self.subject, chunk, headers=headers, suffix=batch.add())

    async def finish(self) -> None:
        if self._batch is not None:
            await self._end()
        await super().finish()

    async def settle(self) -> None:
        if (batch := self._batch) is not None:
            # The answer to the end comes after everything that was sent before it has been
            # worked off, stored or not.
            if not batch.is_over:
                await self._send_end(batch)
            while not batch.is_over:
                await self.box.wait()
            self._batch = None
            return
        await super().settle()

    async def send_again(self) -> None:
        # What the batch has stored of it, the server knows again and acknowledges.
        self._batch = None
        self._alone = _ALONE
        await super().send_again()

    async def check(self) -> None:
        await super().check()
        if self._batch is None:
            return
        if self._batch.failure is not None:
            raise self._batch.failure
        if self._batch.is_lost:
            await self.stream.info()  # a bucket that is gone says so here
            raise self.doubt("the server gave the chunks of {} up half-way")

    async def _end(self) -> None:
        """End the batch, and see that every chunk of it is stored."""
        batch = self._batch
        assert batch is not None
        await self.or_go_on(self._send_end(batch))
        await self.until(lambda: self._batch is not batch or batch.is_over)
        if self._batch is batch:
            self._batch = None

    async def _send_end(self, batch: Batch) -> None:
        if not batch.is_ending:
            await self.box.send(self.subject, suffix=batch.end())

    # -- what arrives ----------------------------------------------------------------------

    def hear(self, message: Message) -> None:
        if not is_about_a_batch(message.subject):
            super().hear(message)
            return
        batch = self._batch
        if batch is None or not batch.is_mine(message.subject):
            return
        if status(message) is not None:
            self.nobody_there = True
            batch.is_over = batch.is_over or batch.is_ending
            return
        batch.hear(message.subject, message.data)
        self._outage.is_over()
        if batch.is_refused and batch.stored:
            self.give(self.ledger.store(batch.first, 0, batch.last_seq))
        elif batch.stored:
            self._store(batch)

    def _store(self, batch: Batch) -> None:
        count, seq = batch.first + batch.stored, batch.last_seq
        # Chunks that went before the batch are answered before it, or got lost.
        missing = self.ledger.stored < batch.first
        if missing or (seq and not self.ledger.can_end(count, seq)):
            batch.is_lost = True
        else:
            self.give(self.ledger.store_all(count, seq))

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

    def close(self) -> None:
        super().close()
        if self._timer is not None:
            self._timer.cancel()
        if self._ending is not None:
            self._ending.cancel()
        self._batch = None
