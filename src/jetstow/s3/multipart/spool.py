"""The spool: parts that cannot be written to the final object in order, as objects of a bucket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from jetstow import JetStreamContext, ObjectStore, ObjectWriter
from jetstow._core.protocol.nuid import new_nuid
from jetstow.errors import BucketNotFoundError
from jetstow.s3.buckets import HIDDEN_PREFIX
from jetstow.s3.customer_key import CustomerKey, encrypted_store
from jetstow.s3.multipart.model import Upload
from jetstow.s3.multipart.records import UPLOAD_TTL

SPOOL: Final = f"{HIDDEN_PREFIX}SPOOL"


class Spool:
    """The parts in a bucket whose objects expire. Each attempt to send a part is one object."""

    def __init__(self, js: JetStreamContext) -> None:
        self._js = js
        self._store: ObjectStore | None = None
        self._replicas = 1
        self._opening = asyncio.Lock()

    async def open(
        self, upload: Upload, number: int, replicas: int, key: CustomerKey | None = None
    ) -> ObjectWriter:
        """Return a writer for a part, encrypted with a key."""
        store = encrypted_store(await self._open(replicas), key)
        return await store.open(f"{upload.id}/{number}/{new_nuid()}", "wb")

    async def stream(
        self, name: str, key: CustomerKey | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of a part, which was encrypted with the key."""
        store = encrypted_store(await self._open(), key)
        async for piece in store.stream(name):
            yield piece

    async def delete(self, name: str) -> None:
        """Delete a part."""
        store = await self._open()
        await store.delete(name, missing_ok=True)

    async def delete_upload(self, upload: Upload) -> None:
        """Delete all parts of an upload, those that were replaced or interrupted included."""
        store = await self._open()
        await store.delete_many(prefix=f"{upload.id}/")

    async def _open(self, replicas: int = 1) -> ObjectStore:
        """Return the bucket. Create it, or add replicas to it, as needed."""
        async with self._opening:
            if self._store is None:
                self._store = await self._create(replicas)
            if replicas > self._replicas:
                if replicas > ((await self._store.status()).replicas or 1):
                    await self._js.update_object_store(SPOOL, replicas=replicas)
                self._replicas = replicas
            return self._store

    async def _create(self, replicas: int) -> ObjectStore:
        try:
            return await self._js.object_store(SPOOL)
        except BucketNotFoundError:
            return await self._js.create_object_store(
                SPOOL,
                description="Parts of multipart uploads of the S3 gateway",
                ttl=UPLOAD_TTL,
                replicas=replicas,
            )
