"""Two concurrent operations on one name: one whole object remains, and no unnamed chunk."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import ConnectionLostError, ObjectNotFoundError
from tests.support import raw_stream
from tests.support.proxy import Proxy
from tests.support.purges import purges_ended
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

MANY_CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=1000))


async def check_whole(
    store: jetstow.ObjectStore, raw: Client, name: str, candidates: list[bytes]
) -> None:
    result = await store.get(name)
    assert result.data in candidates
    assert await raw_stream.chunks(raw, store.bucket) == {result.info.nuid: result.info.chunks}


async def test_two_writers(server: NatsServer, store: jetstow.ObjectStore, raw: Client) -> None:
    async with await jetstow.connect(server.url) as other_nc:
        other = await other_nc.jetstream().object_store(store.bucket)
        for turn in range(50):
            mine, theirs = some_bytes(7_500, 2 * turn), some_bytes(6_500, 2 * turn + 1)
            await asyncio.gather(
                store.put("a", mine, MANY_CHUNKS), other.put("a", theirs, MANY_CHUNKS)
            )
            await purges_ended(store, other)
            await check_whole(store, raw, "a", [mine, theirs])


async def test_put_and_delete(store: jetstow.ObjectStore, raw: Client) -> None:
    for turn in range(25):
        await store.put("a", b"old", MANY_CHUNKS)
        new = some_bytes(5_000, turn)
        await asyncio.gather(store.put("a", new, MANY_CHUNKS), _delete(store, "a"))
        await purges_ended(store)
        if (await store.get_info("a", show_deleted=True)).deleted:
            assert await raw_stream.chunks(raw, store.bucket) == {}
        else:
            await check_whole(store, raw, "a", [new])


async def _delete(store: jetstow.ObjectStore, name: str) -> None:
    with suppress(ObjectNotFoundError):
        await store.delete(name)


async def test_put_and_rename(store: jetstow.ObjectStore, raw: Client) -> None:
    """Neither the renamed object nor the new one may lose its chunks to the other."""
    for turn in range(25):
        old, new = some_bytes(4_000, turn), some_bytes(5_000, 1000 + turn)
        info = await store.put("a", old, MANY_CHUNKS)
        await asyncio.gather(
            store.put("a", new, MANY_CHUNKS),
            store.update_meta("a", replace(info.meta, name="b")),
        )
        await purges_ended(store)
        live = {info.name: info for info in await store.list()}
        assert "b" in live, "the rename was acknowledged"
        for name in live:
            assert (await store.get(name)).data in (old, new)
        named = {info.nuid: info.chunks for info in live.values()}
        assert await raw_stream.chunks(raw, store.bucket) == named
        for name in live:
            await store.delete(name)


async def test_get_during_replacement(
    store: jetstow.ObjectStore,
) -> None:
    versions = [some_bytes(20_000, turn) for turn in range(20)]
    await store.put("a", versions[0], MANY_CHUNKS)
    written = asyncio.Event()

    async def read() -> int:
        count = 0
        while not written.is_set():
            assert (await store.get("a")).data in versions
            count += 1
        return count

    async def write() -> None:
        for data in versions:
            await store.put("a", data, MANY_CHUNKS)
        written.set()

    counts = await asyncio.gather(read(), read(), write())
    assert counts[0]
    assert counts[1]


async def test_sixteen_concurrent_transfers(store: jetstow.ObjectStore) -> None:
    """Together they request more than the server buffers for one connection."""
    objects = {f"object-{n}": some_bytes(8 * 1024 * 1024, n) for n in range(16)}
    await asyncio.gather(*(store.put(name, data) for name, data in objects.items()))
    results = await asyncio.gather(*(store.get(name) for name in objects))
    assert [result.data for result in results] == list(objects.values())


async def test_put_whose_acknowledgement_is_lost_under_contention(fragile: NatsServer) -> None:
    """Another client writes the name before the put learns whether its metadata was stored."""
    async with (
        Proxy(fragile.port, delay=0.1) as proxy,
        jetstow.connect(proxy.url, reconnect_time_wait=0.05, max_reconnect_attempts=-1) as nc,
        jetstow.connect(fragile.url) as other_nc,
    ):
        store = await nc.jetstream().create_object_store("b")
        other = await other_nc.jetstream().object_store("b")
        published = await other_nc.subscribe(raw_stream.meta_subject("b", "a"))
        await other_nc.flush()
        put = asyncio.create_task(store.put("a", b"mine"))
        await published.next_msg(timeout=10)
        proxy.refuse()
        proxy.cut()  # the acknowledgement is still on its way
        await other.put("a", b"theirs")
        proxy.accept()
        with pytest.raises(ConnectionLostError, match="object 'a' in bucket 'b'") as caught:
            await put
        assert "stored for a time" in "".join(caught.value.__notes__)
        await purges_ended(store, other)
        await check_whole(other, other_nc, "a", [b"theirs"])
