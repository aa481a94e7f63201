"""jetstow writes and another client reads: content, metadata and names."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from tests.interop.convert import to_peer_info, visible_to
from tests.support.peers import Peer
from tests.support.samples import ASCII_NAMES, SIZES, UNICODE_NAMES, some_bytes

if TYPE_CHECKING:
    import jetstow


def full() -> jetstow.ObjectMeta:
    import jetstow

    return jetstow.ObjectMeta(
        description="a description — with a dash",
        headers={"Content-Type": "text/plain", "X-Many": ["one", "two"]},
        metadata={"owner": "ada", "empty": ""},
        options=jetstow.ObjectMetaOptions(max_chunk_size=1000),
    )


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
async def test_content(peer: Peer, store: jetstow.ObjectStore, size: int) -> None:
    data = some_bytes(size)
    info = await store.put("it", data)

    assert await peer.get(store.bucket, "it") == data
    assert await peer.info(store.bucket, "it") == to_peer_info(info)


async def test_content_in_a_bucket_of_the_peer(peer: Peer, theirs: jetstow.ObjectStore) -> None:
    data = some_bytes(3_000_007)
    info = await theirs.put("it", data)

    assert await peer.get(theirs.bucket, "it") == data
    assert await peer.info(theirs.bucket, "it") == to_peer_info(info)


async def test_metadata(peer: Peer, store: jetstow.ObjectStore) -> None:
    data = some_bytes(10_500)
    info = await store.put("it", data, meta=full())

    assert await peer.get(store.bucket, "it") == data
    found = await peer.info(store.bucket, "it")
    assert found is not None
    assert found == visible_to(peer, to_peer_info(info))
    assert found.headers == {"Content-Type": ["text/plain"], "X-Many": ["one", "two"]}
    assert (found.chunks, found.chunk_size) == (11, 1000)


@pytest.mark.parametrize("name", ASCII_NAMES)
async def test_ascii_names(peer: Peer, store: jetstow.ObjectStore, name: str) -> None:
    await store.put(name, b"found")

    assert await peer.get(store.bucket, name) == b"found"
    assert [info.name for info in await peer.list(store.bucket)] == [name]


@pytest.mark.peers("encodes_names_as_utf8")
@pytest.mark.parametrize("name", UNICODE_NAMES)
async def test_unicode_names(peer: Peer, store: jetstow.ObjectStore, name: str) -> None:
    await store.put(name, b"found")

    assert await peer.get(store.bucket, name) == b"found"
    assert [info.name for info in await peer.list(store.bucket)] == [name]


async def test_missing_object(peer: Peer, store: jetstow.ObjectStore) -> None:
    assert await peer.info(store.bucket, "never") is None
    assert await peer.get(store.bucket, "never") is None
    assert await peer.list(store.bucket) == []


async def test_list(peer: Peer, store: jetstow.ObjectStore) -> None:
    infos = [await store.put(f"object {number}", some_bytes(number)) for number in range(5)]
    await store.delete("object 3")

    listed = await peer.list(store.bucket)
    assert sorted(listed, key=lambda info: info.name) == [
        to_peer_info(info) for info in infos if info.name != "object 3"
    ]


async def test_delete(peer: Peer, store: jetstow.ObjectStore) -> None:
    await store.put("it", b"old", meta=full())
    await store.delete("it")

    assert await peer.get(store.bucket, "it") is None
    marker = await peer.info(store.bucket, "it")
    assert marker is not None
    assert (marker.deleted, marker.size, marker.chunks) == (True, 0, 0)
    assert await peer.list(store.bucket) == []


async def test_update_meta(peer: Peer, store: jetstow.ObjectStore) -> None:
    data = some_bytes(10_500)
    await store.put("it", data, meta=full())
    meta = full()
    meta.name, meta.description = "it", "another description"
    info = await store.update_meta("it", meta)

    assert await peer.get(store.bucket, "it") == data
    found = await peer.info(store.bucket, "it")
    assert found == visible_to(peer, to_peer_info(info))
    assert found.description == "another description"


async def test_rename(peer: Peer, store: jetstow.ObjectStore) -> None:
    data = some_bytes(10_500)
    await store.put("old", data, meta=full())
    meta = full()
    meta.name = "new"
    info = await store.update_meta("old", meta)

    assert await peer.get(store.bucket, "new") == data
    assert await peer.info(store.bucket, "new") == visible_to(peer, to_peer_info(info))
    assert await peer.get(store.bucket, "old") is None
    assert [info.name for info in await peer.list(store.bucket)] == ["new"]


async def test_streamed_content(peer: Peer, store: jetstow.ObjectStore) -> None:
    data = some_bytes(700_001)

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(data), 33_333):
            yield data[start : start + 33_333]

    await store.put("pieces", pieces())
    async with store.open("file", "wb") as file:
        for start in range(0, len(data), 200_000):
            await file.write(data[start : start + 200_000])

    assert await peer.get(store.bucket, "pieces") == data
    assert await peer.get(store.bucket, "file") == data


async def test_seal(peer: Peer, store: jetstow.ObjectStore) -> None:
    await store.put("it", b"content")
    await store.seal()

    assert await peer.get(store.bucket, "it") == b"content"
    with pytest.raises(Exception, match=r"seal|10109|deny|rollup") as refusal:
        await peer.put(store.bucket, "it", b"too late")
    assert not isinstance(refusal.value, TimeoutError)
    assert await peer.get(store.bucket, "it") == b"content"


async def test_watch(peer: Peer, store: jetstow.ObjectStore) -> None:
    async with aclosing(peer.watch(store.bucket)) as changes, asyncio.timeout(30):
        assert await anext(changes) is None

        info = await store.put("it", b"22", meta=full())
        assert await anext(changes) == visible_to(peer, to_peer_info(info))

        await store.delete("it")
        gone = await anext(changes)
        assert gone is not None
        assert (gone.name, gone.deleted) == ("it", True)


async def test_bucket_created_by_both(
    peer: Peer, store: jetstow.ObjectStore, js: jetstow.JetStreamContext
) -> None:
    await store.put("it", b"content")
    await peer.create(store.bucket)
    await js.create_object_store(store.bucket)

    assert await peer.get(store.bucket, "it") == b"content"
