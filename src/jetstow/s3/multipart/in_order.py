"""The final object of one upload while its parts are written to it in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import msgspec

from jetstow import ObjectStore, ObjectWriter
from jetstow.s3.multipart.model import Part, Tail, Upload
from jetstow.s3.multipart.records import Records
from jetstow.s3.multipart.sources import PartSource, SpoolSource
from jetstow.s3.multipart.spool import Spool
from jetstow.s3.multipart.turns import Turns

_log = logging.getLogger("jetstow.s3")


class InOrder:
    """The open object of an upload, and the parts in it, `parts`.

    This process alone writes to its chunks. The parts stay readable when `writer` has ended.
    """

    def __init__(self, upload: Upload, store: ObjectStore, records: Records) -> None:
        self.turns = Turns()
        self.writer: ObjectWriter | None = None
        self.parts: list[Part] = []
        self.is_aborted = False
        # The numbers of parts that this process has put into the spool.
        self.spooled: set[int] = set()
        self._completing = asyncio.Lock()
        self._catching_up: asyncio.Task[None] | None = None
        # The tail of the newest part, and the one that is recorded.
        self._tail: Tail | None = None
        self._recorded_tail: Tail | None = None
        self._recording = asyncio.Lock()
        self._upload = upload
        self._store = store
        self._records = records
        self._nuid = ""
        if upload.nuid:
            # Another process has begun to write, or this one before it was restarted.
            self.turns.end()

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits for the object or writes to it."""
        return not (self.turns.is_taken or self.is_completing)

    @property
    def is_completing(self) -> bool:
        """Whether this process completes the upload."""
        return self._completing.locked()

    def has(self, part: Part) -> bool:
        """Return whether a part with the same number and bytes was written."""
        return part.number <= len(self.parts) and part.has_bytes_of(self.parts[part.number - 1])

    async def write(self, number: int, source: PartSource) -> Part | None:
        """Write a part that has its turn. Return None if this process may not write the object.

        All its bytes are then in NATS: in chunks, and in the record of the tail.

        Raises: what the source and `ObjectWriter.write` raise. Bytes of the part that were
        written end the order: other parts then go to the spool.
        """
        try:
            writer = await self._open()
        except BaseException:
            self.turns.release()
            raise
        if writer is None:
            self.turns.end()
            return None
        start = writer.size
        try:
            async with aclosing(source.pieces()) as pieces:
                async for piece in pieces:
                    await writer.write(piece)
                    self.turns.record_progress()
            stored = await writer.checkpoint()
        except BaseException:
            await self._handle_failure(writer, start)
            raise
        part = msgspec.structs.replace(
            source.part(number),
            nuid=writer.nuid,
            chunk_size=stored.chunk_size,
            start=start,
        )
        self.parts.append(part)
        self._tail = Tail(part.end - len(stored.remainder), stored.remainder)
        self.turns.pass_on()
        await self._record_tail()
        return part

    async def _record_tail(self) -> None:
        """Record the tail of the newest part, unless its bytes fill the last chunk.

        The next part is written at the same time: a tail must not replace that of a newer part.
        """
        async with self._recording:
            tail = self._tail
            if tail is not None and tail.data and tail is not self._recorded_tail:
                await self._records.put_tail(self._upload, tail)
                self._recorded_tail = tail

    def catch_up(self, spool: Spool) -> None:
        """Begin to move parts from the spool to the object, if their turn has come."""
        is_running = self._catching_up is not None and not self._catching_up.done()
        if self.turns.next in self.spooled and not is_running:
            self._catching_up = asyncio.create_task(self._catch_up(spool))

    async def _catch_up(self, spool: Spool) -> None:
        try:
            while self.turns.next in self.spooled and not self.is_completing:
                self.spooled.discard(number := self.turns.next)
                found = await self._records.find_part(self._upload, number)
                if found is None or not found[0].spooled or not self.turns.take_now(number):
                    return
                part, revision = found
                moved = await self.write(number, SpoolSource(part, spool.stream(part.spooled)))
                # If the part was sent again since, Complete finds that the object has another.
                if moved is None or not await self._records.change_part(
                    self._upload, moved, revision
                ):
                    return
                await spool.delete(part.spooled)
        except Exception as error:  # noqa: BLE001 - Complete copies what could not be moved
            _log.warning("parts of upload %s stay in the spool: %s", self._upload.id, error)

    @asynccontextmanager
    async def completing(self) -> AsyncIterator[None]:
        """Wait until no other Complete runs, and until no part is moved from the spool."""
        async with self._completing:
            if self._catching_up is not None:
                await asyncio.wait([self._catching_up])
            yield

    async def detach(self) -> None:
        """End the order, and leave the parts where they are."""
        self.turns.end()
        if self.writer is not None:
            await self.writer.detach()

    async def abort(self) -> None:
        """End the order, and purge the chunks that this process wrote, unless they have a name."""
        self.turns.end()
        self.is_aborted = True
        if self.writer is not None:
            await self.writer.abort()

    async def _open(self) -> ObjectWriter | None:
        """Return the object, opened for the first part. None if this process may not write it.

        Its NUID is recorded before a chunk is written: `collect_garbage` spares recorded NUIDs.
        """
        if self.writer is not None:
            return self.writer
        found = await self._records.find(self._upload.bucket, self._upload.id)
        if found is None or found[0].is_completing or found[0].nuid != self._nuid:
            return None
        upload, revision = found
        writer = await self._store.open(upload.key, "wb", upload.attributes.meta(upload.key))
        try:
            changed = msgspec.structs.replace(upload, nuid=writer.nuid)
            if await self._records.change(changed, revision) is None:
                return None
            self.writer, self._nuid = writer, writer.nuid
            return writer
        finally:
            if self.writer is None:
                await writer.abort()

    async def _handle_failure(self, writer: ObjectWriter, start: int) -> None:
        """Give the turn back if the object has no byte of the part that failed."""
        if not writer.closed and writer.size == start:
            self.turns.release()
        elif self.parts:
            await self.detach()
        else:
            # There is nothing to keep: the first part may be sent again.
            await writer.abort()
            self.writer = None
            self.turns.release()
