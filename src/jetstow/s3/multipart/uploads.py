"""The multipart uploads that one NATS connection can see."""

from __future__ import annotations

import secrets
import time
from contextlib import aclosing
from typing import Final

from jetstow import StoredChunks
from jetstow.s3.buckets import Bucket, Buckets
from jetstow.s3.errors import S3Error
from jetstow.s3.multipart.in_order import InOrder
from jetstow.s3.multipart.model import Part, Upload
from jetstow.s3.multipart.records import Records
from jetstow.s3.multipart.sources import PartSource
from jetstow.s3.multipart.spool import Spool
from jetstow.s3.multipart.upload_keys import UploadKeys, check_key

# Open objects cost a subscription and the bytes behind the last full chunk each.
_MAX_OPEN: Final = 256

# The default size of chunks, which is smaller if the server allows only smaller messages.
_CHUNK_SIZE: Final = 128 * 1024


class Uploads:
    """Stores parts and removes uploads. `records` and `spool` have what is stored."""

    def __init__(self, buckets: Buckets) -> None:
        self.records = Records(buckets.js)
        self.spool = Spool(buckets.js)
        self._buckets = buckets
        # The objects that this process writes, by upload; the least recently used first.
        self._in_order: dict[str, InOrder] = {}
        self.keys = UploadKeys()

    async def find(self, bucket: Bucket, key: str, upload_id: str) -> tuple[Upload, int]:
        """Return an upload and the revision of its record. Raises: `S3Error` (NoSuchUpload)."""
        found = await self.records.find(bucket.store.bucket, upload_id)
        if found is None:
            await self._forget(upload_id)  # another process has aborted or completed it
        elif found[0].key == key and found[0].created == created_time(bucket):
            return found
        raise no_such_upload(upload_id)

    async def in_order(self, bucket: Bucket, upload: Upload) -> InOrder:
        """Return the object that this process writes the parts of an upload to."""
        in_order = self._in_order.pop(upload.id, None)
        if in_order is None:
            in_order = InOrder(upload, bucket.store, self.records)
        self._in_order[upload.id] = in_order
        while len(self._in_order) > _MAX_OPEN and (oldest := self._find_idle()) is not None:
            await self._in_order.pop(oldest).detach()
        return in_order

    async def store_part(
        self, bucket: Bucket, upload: Upload, number: int, source: PartSource
    ) -> Part:
        """Store and record a part: in the object if its turn comes, else in the spool.

        With a key of the customer, all parts are in the spool, encrypted: an object that is not
        complete cannot be read again with a key.

        Raises: `S3Error` (NoSuchUpload: the upload was aborted or completed in the meantime;
        InvalidRequest: not the key of the upload), and what the source raises.
        """
        check_key(upload, bucket.customer_key)
        in_order = await self.in_order(bucket, upload)
        part = None
        if not upload.key_check and await in_order.turns.take(number):
            try:
                part = await in_order.write(number, source)
            except ValueError:  # the object was closed
                if in_order.is_aborted:
                    raise no_such_upload(upload.id) from None
                raise
        if part is None:
            part = await self._write_to_spool(bucket, upload, number, source)
        found = await self.records.find_part(upload, number)
        replaced = None if found is None else found[0]
        if part.spooled and replaced is not None and replaced.nuid and in_order.has(part):
            # Sent again, as the client did not receive the response.
            await self.spool.delete(part.spooled)
            part = replaced
        await self.records.put_part(upload, part)
        current = await self.records.find(upload.bucket, upload.id)
        if current is None:
            await self.remove(upload, [part])
            raise no_such_upload(upload.id)
        # Complete may have selected the part that is replaced. It deletes all of the upload.
        is_selected = in_order.is_completing or current[0].is_completing
        if replaced and replaced.spooled not in ("", part.spooled) and not is_selected:
            await self.spool.delete(replaced.spooled)
        if part.spooled:
            in_order.spooled.add(number)
        if not upload.key_check:
            in_order.catch_up(self.spool)
        return part

    async def remove(self, upload: Upload, parts: list[Part], revision: int | None = None) -> bool:
        """Remove an upload and its parts. Return False if its record is not at the revision."""
        if not await self.records.remove(upload, revision):
            return False
        await self._forget(upload.id)
        self.keys.remove(upload.id)
        if any(part.spooled for part in parts):
            await self.spool.delete_upload(upload)
        return True

    async def abort(self, bucket: Bucket, key: str, upload_id: str) -> None:
        """Remove an upload. Raises: `S3Error` (NoSuchUpload)."""
        while True:
            upload, revision = await self.find(bucket, key, upload_id)
            parts = list((await self.records.parts(upload)).values())
            if await self.remove(upload, parts, revision):
                break
        if not upload.is_completing:
            # No gateway can give the chunks a name any more: it would have to mark the record.
            await self.purge_chunks(bucket, upload)

    async def purge_chunks(self, bucket: Bucket, upload: Upload) -> None:
        """Purge the chunks that the parts in order were written to, which have no name."""
        await self._forget(upload.id)
        if upload.nuid:
            stored = StoredChunks(upload.key, upload.nuid, _CHUNK_SIZE, 0)
            await bucket.store.discard_checkpoint(stored)

    async def _forget(self, upload_id: str) -> None:
        """Purge the chunks of an upload that is over, if this process writes them.

        After Complete the object is closed, and its chunks stay.
        """
        in_order = self._in_order.pop(upload_id, None)
        if in_order is not None:
            await in_order.abort()

    async def _write_to_spool(
        self, bucket: Bucket, upload: Upload, number: int, source: PartSource
    ) -> Part:
        key = bucket.customer_key
        replicas = self._buckets.least_replicas(bucket)
        writer = await self.spool.open(upload, number, replicas, key)
        async with writer, aclosing(source.pieces()) as pieces:
            async for piece in pieces:
                await writer.write(piece)
        part = source.part(number).in_spool(writer.name)
        return part if key is None else part.hidden_by(key)

    def _find_idle(self) -> str | None:
        return next((key for key, each in self._in_order.items() if each.is_idle), None)


def new_upload_id() -> str:
    """Return an id. Later ones are greater, so that ids of one key are in the order of time."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(20)}"


def created_time(bucket: Bucket) -> float:
    """Return when a bucket was created: uploads to an earlier one of its name are not its own."""
    created = bucket.status.created
    return 0.0 if created is None else created.timestamp()


def no_such_upload(upload_id: str) -> S3Error:
    """Return the error of an upload that does not exist, or does no longer."""
    return S3Error("NoSuchUpload", UploadId=upload_id)
