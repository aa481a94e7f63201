"""The connection of one event loop, with its buckets and their cached listings."""

from __future__ import annotations

import asyncio

import jetstow
from jetstow.errors import InvalidBucketNameError
from jetstow.fs.dircache import ListingCache
from jetstow.fs.options import Options


class Connection:
    """A connection that is opened when it is first used. It belongs to one event loop."""

    def __init__(self, options: Options, key: bytes | None, *, allow_plain: bool) -> None:
        self._options = options
        self._key = key
        self._allow_plain = allow_plain
        self._lock = asyncio.Lock()
        self._client: jetstow.Client | None = None
        self._js: jetstow.JetStreamContext | None = None
        self._stores: dict[str, jetstow.ObjectStore] = {}
        self._listings: dict[str, ListingCache] = {}

    async def jetstream(self) -> jetstow.JetStreamContext:
        """Return the JetStream context. Connect first if the connection is not open.

        Raises: the errors of `jetstow.connect`.
        """
        async with self._lock:
            if self._client is None or self._client.is_closed:
                self._stores.clear()
                connect, jetstream = self._options.load()
                self._client = await jetstow.connect(**connect)
                self._js = self._client.jetstream(**jetstream)
            assert self._js is not None, "it is set with the client"
            return self._js

    async def store(self, bucket: str) -> jetstow.ObjectStore:
        """Return a bucket's object store.

        Raises: `BucketNotFoundError`, `FileNotFoundError` (`bucket` is not a valid name).
        """
        js = await self.jetstream()
        if bucket not in self._stores:
            try:
                store = await js.object_store(bucket)
            except InvalidBucketNameError as error:
                raise FileNotFoundError(str(error)) from None
            if self._key is not None:
                store = store.encrypted(self._key, allow_plain=self._allow_plain)
            self._stores[bucket] = store
        return self._stores[bucket]

    async def listing(self, bucket: str) -> ListingCache:
        """Return a bucket's listing, complete and kept current by a watch.

        Raises: the errors of `store` and `ObjectStore.watch`.
        """
        listing = await self._open_listing(bucket)
        await listing.check_if_due()
        if listing.is_stale:
            listing = await self._open_listing(bucket)
        return listing

    async def _open_listing(self, bucket: str) -> ListingCache:
        store = await self.store(bucket)
        listing = self._listings.get(bucket)
        if listing is not None and (listing.is_stale or listing.has_ended):
            await self.drop_caches(bucket)
            store = await self.store(bucket)
            # A concurrent call may have created another one while this one waited.
            listing = self._listings.get(bucket)
        if listing is None:
            listing = self._listings[bucket] = ListingCache(store)
        await listing.wait_until_filled()
        return listing

    def cached_listing(self, bucket: str) -> ListingCache | None:
        """Return a bucket's listing if there is one."""
        return self._listings.get(bucket)

    async def drop_caches(self, bucket: str | None = None) -> None:
        """Drop the store and the listing of a bucket, or of all buckets."""
        for name in [bucket] if bucket is not None else list(self._listings):
            self._stores.pop(name, None)
            if (listing := self._listings.pop(name, None)) is not None:
                await listing.stop()

    def mark_stale(self, bucket: str | None) -> None:
        """Have the listing of a bucket, or of all, read again at its next use. Thread-safe."""
        for name in [bucket] if bucket is not None else list(self._listings):
            if (listing := self._listings.get(name)) is not None:
                listing.is_stale = True

    async def close(self) -> None:
        """Stop the watches and close the connection."""
        await self.drop_caches()
        client, self._client = self._client, None
        if client is not None:
            await client.close()
