"""One loop's connection, its buckets, and what is known of their names."""

from __future__ import annotations

import asyncio
from typing import Any

import jetstow
from jetstow.errors import InvalidBucketNameError
from jetstow.fs.dircache import Names


class Connection:
    """Made when it is first needed; all of it happens in one loop."""

    def __init__(self, options: dict[str, Any], key: bytes | None) -> None:
        self._options = options
        self._key = key
        self._lock = asyncio.Lock()
        self._client: jetstow.Client | None = None
        self._stores: dict[str, jetstow.ObjectStore] = {}
        self._names: dict[str, Names] = {}

    async def js(self) -> jetstow.JetStreamContext:
        """JetStream. Raises what `jetstow.connect` raises."""
        async with self._lock:
            if self._client is None or self._client.is_closed:
                self._stores.clear()
                self._client = await jetstow.connect(**self._options)
            return self._client.jetstream()

    async def store(self, bucket: str) -> jetstow.ObjectStore:
        """A bucket. Raises `BucketNotFoundError`, and `FileNotFoundError` for what is no name."""
        js = await self.js()
        if bucket not in self._stores:
            try:
                store = await js.object_store(bucket)
            except InvalidBucketNameError as error:
                raise FileNotFoundError(str(error)) from None
            self._stores[bucket] = store if self._key is None else store.encrypted(self._key)
        return self._stores[bucket]

    async def names(self, bucket: str) -> Names:
        """The names in a bucket, which a watch keeps as they are."""
        store = await self.store(bucket)
        names = self._names.get(bucket)
        if names is not None and (names.is_stale or names.has_ended):
            await self.forget(bucket)
            store = await self.store(bucket)
            names = self._names.get(bucket)  # somebody else may have begun meanwhile
        if names is None:
            names = self._names[bucket] = Names(store)
        await names.complete()
        return names

    def known(self, bucket: str) -> Names | None:
        """The names in a bucket, if somebody has asked for them."""
        return self._names.get(bucket)

    async def forget(self, bucket: str | None = None) -> None:
        """Know nothing of a bucket any more, or of any."""
        for each in [bucket] if bucket is not None else list(self._names):
            self._stores.pop(each, None)
            if (names := self._names.pop(each, None)) is not None:
                await names.stop()

    def make_stale(self, bucket: str | None) -> None:
        """From any thread: the names of a bucket, or of all, are to be read anew."""
        for each in [bucket] if bucket is not None else list(self._names):
            if (names := self._names.get(each)) is not None:
                names.is_stale = True

    async def close(self) -> None:
        """End all of it."""
        await self.forget()
        client, self._client = self._client, None
        if client is not None:
            await client.close()
