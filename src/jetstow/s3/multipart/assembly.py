"""The final object of an upload: what its parts in order have become, or a copy of its parts."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from jetstow import ObjectWriter
from jetstow.errors import ChunksLostError, IntegrityError, ObjectChangedError, ObjectNotFoundError
from jetstow.models import ObjectInfo, ObjectMeta
from jetstow.s3.body.checksums import encode_base64
from jetstow.s3.buckets import Bucket
from jetstow.s3.errors import S3Error
from jetstow.s3.multipart.in_order import InOrder
from jetstow.s3.multipart.model import Part, Upload
from jetstow.s3.multipart.records import Records
from jetstow.s3.multipart.spool import Spool

# The bytes of a part are gone, or are not those that were stored.
_LOST = (ChunksLostError, IntegrityError, ObjectChangedError, ObjectNotFoundError)


class Assembly:
    """Builds the object of an upload from its parts, in the order of their numbers."""

    def __init__(
        self, bucket: Bucket, upload: Upload, parts: Sequence[Part], records: Records, spool: Spool
    ) -> None:
        self._bucket = bucket
        self._upload = upload
        self._parts = parts
        self._records = records
        self._spool = spool

    async def store(
        self,
        writer: ObjectWriter,
        start: int,
        finished: Callable[[str], ObjectMeta],
        revision: int | None,
    ) -> ObjectInfo:
        """Append the parts from index `start` on to a writer, and complete the object.

        `finished` returns its metadata; the argument is its digest.

        Raises: `PartLostError`, what `close` raises.
        """
        try:
            async with aclosing(self._read(start)) as pieces:
                async for piece in pieces:
                    await writer.write(piece)
            writer.meta = finished(writer.digest)
            writer.expect_revision(revision)
            await writer.close()
        except BaseException:
            await writer.detach()
            raise
        assert writer.info is not None, "the writer was closed without an error"
        return writer.info

    def begun_by(self, in_order: InOrder) -> ObjectWriter | None:
        """Return the object that this process has written the first parts to, if it can go on."""
        writer, written = in_order.writer, in_order.parts
        if writer is None or writer.closed or in_order.turns.is_taken or not written:
            return None
        is_start = len(written) <= len(self._parts) and all(
            part.number == number and in_order.has(part)
            for number, part in enumerate(self._parts[: len(written)], 1)
        )
        return writer if is_start and writer.size == written[-1].end else None

    async def _read(self, start: int) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of the parts from index `start` on, each part verified.

        Raises: `PartLostError`.
        """
        parts = self._parts[start:]
        written = [part for part in parts if not part.spooled]
        chunks = _Cursor(await self._chunks_up_to(written[-1])) if written else None
        try:
            for part in parts:
                running = self._upload.final_algorithm.new()
                pieces = (
                    self._spool.stream(part.spooled, self._bucket.customer_key)
                    if chunks is None or part.spooled
                    else chunks.read(part.start, part.end)
                )
                try:
                    async with aclosing(pieces):
                        async for piece in pieces:
                            running.update(piece)
                            yield piece
                except _LOST:
                    raise PartLostError(part) from None
                # Encrypted parts have no sum, and are authentic.
                expected = part.sums.get(self._upload.final_algorithm.name)
                if expected is not None and encode_base64(running.digest()) != expected:
                    raise PartLostError(part)
        finally:
            if chunks is not None:
                await chunks.close()

    async def _chunks_up_to(self, part: Part) -> AsyncGenerator[bytes, None]:
        tail = await self._records.find_tail(self._upload)
        return self._bucket.store.stream_checkpoint(part.checkpoint(self._upload.key, tail))


class _Cursor:
    """Reads ascending ranges of a stream of pieces in one pass."""

    def __init__(self, pieces: AsyncGenerator[bytes, None]) -> None:
        self._pieces = pieces
        self._piece = b""
        self._end = 0  # the offset behind the piece

    async def read(self, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """Yield the bytes from an offset to another. Raises: `ChunksLostError`."""
        while start < stop:
            while self._end <= start:
                self._piece = await anext(self._pieces, b"")
                if not self._piece:
                    raise ChunksLostError("the chunks end before the part")
                self._end += len(self._piece)
            first = start - (self._end - len(self._piece))
            piece = self._piece[first : first + stop - start]
            start += len(piece)
            yield piece

    async def close(self) -> None:
        """Stop reading."""
        await self._pieces.aclose()


class PartLostError(S3Error):
    """The bytes of a part are gone, or damaged."""

    def __init__(self, part: Part) -> None:
        message = "The bytes of a part are no longer there. Upload it again."
        super().__init__("InvalidPart", message, PartNumber=part.number, ETag=f'"{part.etag}"')
        self.part = part
