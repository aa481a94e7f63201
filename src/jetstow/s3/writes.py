"""Store the bytes of a body or of a copy: nothing is committed before it is verified."""

from __future__ import annotations

import datetime
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final

from jetstow._core.protocol.digest import Digest
from jetstow.models import ObjectInfo, ObjectMeta
from jetstow.s3.body.payload import Payload
from jetstow.s3.buckets import Bucket
from jetstow.s3.conditions import NO_CONDITIONS, WriteConditions, expected_revision
from jetstow.s3.objects import Attributes, sum_entries

# Bodies up to this size, the default of a chunk, are verified in memory and stored by one put.
_SMALL: Final = 128 * 1024


async def store_payload(
    bucket: Bucket,
    key: str,
    payload: Payload,
    attributes: Attributes,
    conditions: WriteConditions = NO_CONDITIONS,
    *,
    dated: bool = False,
) -> ObjectInfo:
    """Store a payload under a key, with its ETag and checksum.

    With `dated`, the result has the time of the write, which takes another request.

    Raises: `S3Error` (the body is not what the request declares, or the conditions do not hold),
    and what `put` raises.
    """

    def finished(digest: str) -> ObjectMeta:
        if bucket.customer_key is None:
            attributes.reserved |= sum_entries(payload.etag, payload.checksum, digest)
        return attributes.meta(key)

    async with expected_revision(bucket.store, key, conditions) as revision:
        if payload.size is not None and payload.size <= _SMALL:
            data = await payload.read_document(_SMALL)
            meta = finished(str(Digest(data)))
            return await bucket.data_store.put(
                key, data, meta, expected_revision=revision, dated=dated
            )
        return await store_pieces(
            bucket, key, payload.pieces(), attributes.meta(key), finished, revision, dated=dated
        )


async def store_pieces(
    bucket: Bucket,
    key: str,
    pieces: AsyncGenerator[bytes, None],
    meta: ObjectMeta,
    finished: Callable[[str], ObjectMeta],
    revision: int | None,
    *,
    dated: bool = True,
    ttl: datetime.timedelta | None = None,
) -> ObjectInfo:
    """Store pieces of bytes under a key at an expected revision. They expire after `ttl`.

    `finished` returns the metadata when all bytes were read; its argument is their digest. With
    `dated`, the result has the time of the write.

    Raises: what `put`, `pieces` and `finished` raise.
    """
    store = bucket.data_store
    async with store.open(
        key, "wb", meta, expected_revision=revision, dated=dated, ttl=ttl
    ) as writer:
        async with aclosing(pieces):
            async for piece in pieces:
                await writer.write(piece)
        writer.meta = finished(writer.digest)
    assert writer.info is not None, "the writer was closed without an error"
    return writer.info
