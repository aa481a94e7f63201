"""natsrpy: the Rust client (async-nats) from Python."""

from __future__ import annotations

import io
from collections.abc import AsyncGenerator

import natsrpy
from natsrpy.exceptions import NatsrpySessionError
from natsrpy.js import ObjectInfo, ObjectStoreConfig

from tests.support.peers import NO_META, PeerInfo, PeerMeta, header_lists


class NatsRpy:
    name = "natsrpy"
    has_metadata = True
    has_links = True
    encodes_names_as_utf8 = True
    can_rename = True
    rolls_up_metadata = True

    async def open(self, url: str) -> None:
        self._nc = natsrpy.Nats(addrs=[url])
        await self._nc.startup()
        self._stores = (await self._nc.jetstream()).object_store

    async def close(self) -> None:
        await self._nc.shutdown()

    async def create(self, bucket: str) -> None:
        await self._stores.create(ObjectStoreConfig(bucket=bucket))

    async def put(self, bucket: str, name: str, data: bytes, meta: PeerMeta = NO_META) -> None:
        store = await self._stores.get(bucket)
        # Its own default is 24 KiB.
        options = {"chunk_size": meta.chunk_size} if meta.chunk_size else {}
        await store.put(
            name,
            data,
            description=meta.description,
            headers=dict(meta.headers) if meta.headers else None,
            metadata=meta.metadata,
            **options,
        )

    async def get(self, bucket: str, name: str) -> bytes | None:
        store = await self._stores.get(bucket)
        into = io.BytesIO()
        try:
            await store.get(name, into)
        except NatsrpySessionError as error:
            if "not found" in str(error):
                return None
            raise
        return into.getvalue()

    async def info(self, bucket: str, name: str) -> PeerInfo | None:
        store = await self._stores.get(bucket)
        try:
            return _peer_info(await store.get_info(name))
        except NatsrpySessionError as error:
            if "not found" in str(error):
                return None
            raise

    async def list(self, bucket: str) -> list[PeerInfo]:
        store = await self._stores.get(bucket)
        return [_peer_info(info) async for info in await store.list()]

    async def delete(self, bucket: str, name: str) -> None:
        store = await self._stores.get(bucket)
        await store.delete(name)

    async def link(self, bucket: str, name: str, target: str) -> None:
        store = await self._stores.get(bucket)
        await store.link_object(target, name)

    async def link_bucket(self, bucket: str, name: str, target_bucket: str) -> None:
        store = await self._stores.get(bucket)
        await store.link_bucket(target_bucket, name)

    async def describe(self, bucket: str, name: str, description: str) -> None:
        store = await self._stores.get(bucket)
        info = await store.get_info(name)
        await store.update_metadata(
            name, description=description, headers=info.headers, metadata=info.metadata
        )

    async def rename(self, bucket: str, name: str, new_name: str) -> None:
        store = await self._stores.get(bucket)
        info = await store.get_info(name)
        await store.update_metadata(
            name,
            new_name=new_name,
            description=info.description,
            headers=info.headers,
            metadata=info.metadata,
        )

    async def seal(self, bucket: str) -> None:
        store = await self._stores.get(bucket)
        await store.seal()

    async def watch(self, bucket: str) -> AsyncGenerator[PeerInfo | None]:
        store = await self._stores.get(bucket)
        changes = await store.watch()
        yield None
        async for info in changes:
            yield _peer_info(info)


def _peer_info(info: ObjectInfo) -> PeerInfo:
    link = info.link
    return PeerInfo(
        name=info.name,
        bucket=info.bucket,
        nuid=info.nuid,
        size=info.size,
        chunks=info.chunks,
        digest=info.digest or "",
        deleted=info.deleted,
        description=info.description or "",
        headers=header_lists(info.headers),
        metadata=info.metadata,
        link=(link.bucket, link.name or "") if link else None,
        chunk_size=info.max_chunk_size or 0,
    )
