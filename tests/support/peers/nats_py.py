"""nats-py's object store: it follows links but creates none, drops `metadata`, cannot rename."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import nats
from nats.js import api
from nats.js.errors import NotFoundError

from tests.support.peers import NO_META, PeerInfo, PeerMeta, header_lists


class NatsPy:
    name = "nats-py"
    has_metadata = False
    has_links = False
    encodes_names_as_utf8 = True
    can_rename = False

    async def open(self, url: str) -> None:
        self._nc = await nats.connect(url)
        self._js = self._nc.jetstream()

    async def close(self) -> None:
        await self._nc.close()

    async def create(self, bucket: str) -> None:
        await self._js.create_object_store(bucket)

    async def put(self, bucket: str, name: str, data: bytes, meta: PeerMeta = NO_META) -> None:
        store = await self._js.object_store(bucket)
        size = meta.chunk_size
        theirs = api.ObjectMeta(
            description=meta.description,
            headers=meta.headers,
            options=api.ObjectMetaOptions(max_chunk_size=size) if size else None,
        )
        await store.put(name, data, meta=theirs)

    async def get(self, bucket: str, name: str) -> bytes | None:
        store = await self._js.object_store(bucket)
        try:
            return (await store.get(name)).data or b""
        except NotFoundError:
            return None

    async def info(self, bucket: str, name: str) -> PeerInfo | None:
        store = await self._js.object_store(bucket)
        try:
            return _peer_info(await store.get_info(name, show_deleted=True))
        except NotFoundError:
            return None

    async def list(self, bucket: str) -> list[PeerInfo]:
        # By default it lists deleted objects too. It raises if the bucket is empty.
        store = await self._js.object_store(bucket)
        try:
            return [_peer_info(info) for info in await store.list(ignore_deletes=True)]
        except NotFoundError:
            return []

    async def delete(self, bucket: str, name: str) -> None:
        store = await self._js.object_store(bucket)
        await store.delete(name)

    async def link(self, bucket: str, name: str, target: str) -> None:
        raise NotImplementedError

    async def link_bucket(self, bucket: str, name: str, target_bucket: str) -> None:
        raise NotImplementedError

    async def describe(self, bucket: str, name: str, description: str) -> None:
        store = await self._js.object_store(bucket)
        meta = (await store.get_info(name)).meta
        meta.description = description
        await store.update_meta(name, meta)

    async def rename(self, bucket: str, name: str, new_name: str) -> None:
        raise NotImplementedError

    async def seal(self, bucket: str) -> None:
        store = await self._js.object_store(bucket)
        await store.seal()

    async def watch(self, bucket: str) -> AsyncGenerator[PeerInfo | None]:
        store = await self._js.object_store(bucket)
        watcher = await store.watch(updates_only=True)
        await self._nc.flush()
        try:
            yield None
            while (info := await watcher.updates(timeout=30)) is not None:
                yield _peer_info(info)
        finally:
            await watcher.stop()


def _peer_info(info: api.ObjectInfo) -> PeerInfo:
    options = info.options or api.ObjectMetaOptions()
    link = options.link
    return PeerInfo(
        name=info.name,
        bucket=info.bucket,
        nuid=info.nuid,
        size=info.size or 0,
        chunks=info.chunks or 0,
        digest=info.digest or "",
        deleted=bool(info.deleted),
        description=info.description or "",
        headers=header_lists(info.headers),
        link=(link.bucket, link.name or "") if link else None,
        chunk_size=options.max_chunk_size or 0,
    )
