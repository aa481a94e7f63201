"""Another client writes and jetstow reads: content, metadata and names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from nats.aio.client import Client

from tests.interop.convert import to_peer_info
from tests.support import raw_stream
from tests.support.peers import Peer, PeerMeta
from tests.support.samples import ASCII_NAMES, SIZES, UNICODE_NAMES, digest_of, some_bytes

if TYPE_CHECKING:
    import jetstow

FULL = PeerMeta(
    description="a description — with a dash",
    headers={"Content-Type": ["text/plain"], "X-Many": ["one", "two"]},
    metadata={"owner": "ada", "empty": ""},
    chunk_size=1000,
)


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
async def test_content(peer: Peer, theirs: jetstow.ObjectStore, size: int) -> None:
    data = some_bytes(size)
    await peer.put(theirs.bucket, "it", data)

    result = await theirs.get("it")
    assert result.data == data
    assert result.info.size == size
    assert result.info.digest == digest_of(data)
    assert to_peer_info(result.info) == await peer.info(theirs.bucket, "it")
    assert b"".join([part async for part in theirs.stream("it")]) == data


@pytest.mark.parametrize("chunk_size", [None, 1000], ids=["default chunks", "small chunks"])
async def test_ranges(peer: Peer, theirs: jetstow.ObjectStore, chunk_size: int | None) -> None:
    # natsrpy splits reads of 8 KiB into chunks, so its small chunks are uneven.
    data = some_bytes(300_000)
    await peer.put(theirs.bucket, "it", data, PeerMeta(chunk_size=chunk_size))

    edges = (0, 1, 999, 1000, 1001, 8191, 8192, 131_071, 131_072, 150_000, 299_999)
    for start in edges:
        for length in (0, 1, 1000, 2001, 140_000, None):
            stop = len(data) if length is None else start + length
            assert await theirs.get_range("it", start, length) == data[start:stop], (start, length)


async def test_ranges_of_an_object_between_others(peer: Peer, theirs: jetstow.ObjectStore) -> None:
    await peer.put(theirs.bucket, "before", some_bytes(50_000, 1), PeerMeta(chunk_size=1000))
    data = some_bytes(20_500)
    await peer.put(theirs.bucket, "it", data, PeerMeta(chunk_size=500))
    await peer.put(theirs.bucket, "after", some_bytes(50_000, 2), PeerMeta(chunk_size=1000))

    for start in range(0, len(data), 1700):
        assert await theirs.get_range("it", start, 750) == data[start : start + 750]


async def test_metadata(peer: Peer, theirs: jetstow.ObjectStore) -> None:
    data = some_bytes(10_500)
    await peer.put(theirs.bucket, "it", data, FULL)

    info = (await theirs.get("it")).info
    assert info.description == FULL.description
    assert info.headers == FULL.headers
    assert info.options is not None
    assert info.options.max_chunk_size == 1000
    if peer.has_metadata:
        assert info.metadata == FULL.metadata
    assert to_peer_info(info) == await peer.info(theirs.bucket, "it")


@pytest.mark.parametrize("name", ASCII_NAMES)
async def test_ascii_names(peer: Peer, theirs: jetstow.ObjectStore, name: str) -> None:
    await peer.put(theirs.bucket, name, b"found")

    assert (await theirs.get(name)).data == b"found"
    assert [info.name for info in await theirs.list()] == [name]


@pytest.mark.peers("encodes_names_as_utf8")
@pytest.mark.parametrize("name", UNICODE_NAMES)
async def test_unicode_names(peer: Peer, theirs: jetstow.ObjectStore, name: str) -> None:
    await peer.put(theirs.bucket, name, b"found")

    assert (await theirs.get(name)).data == b"found"
    assert [info.name for info in await theirs.list()] == [name]


async def test_list_with_times(peer: Peer, theirs: jetstow.ObjectStore, raw: Client) -> None:
    for number in range(5):
        await peer.put(theirs.bucket, f"object {number}", some_bytes(number))
    await peer.delete(theirs.bucket, "object 3")

    infos = await theirs.list()
    expected = sorted(await peer.list(theirs.bucket), key=lambda info: info.name)
    assert sorted(map(to_peer_info, infos), key=lambda info: info.name) == expected
    assert {info.name for info in infos} == {f"object {number}" for number in (0, 1, 2, 4)}
    for info in infos:
        subject = raw_stream.meta_subject(theirs.bucket, info.name)
        message = await raw_stream.last_message(raw, theirs.bucket, subject)
        # The fields in the body may be outdated, or from the writer's clock.
        assert (info.revision, info.mtime) == (message["seq"], message["time"])


async def test_delete(peer: Peer, theirs: jetstow.ObjectStore) -> None:
    from jetstow.errors import ObjectDeletedError

    await peer.put(theirs.bucket, "it", b"old")
    await peer.delete(theirs.bucket, "it")

    with pytest.raises(ObjectDeletedError):
        await theirs.get("it")
    with pytest.raises(ObjectDeletedError):
        await theirs.get_info("it")
    marker = await theirs.get_info("it", show_deleted=True)
    assert marker.deleted
    assert (marker.size, marker.chunks) == (0, 0)
    assert await theirs.list() == []
    assert [info.name for info in await theirs.list(ignore_deletes=False)] == ["it"]


async def test_put_after_delete(peer: Peer, theirs: jetstow.ObjectStore) -> None:
    await peer.put(theirs.bucket, "it", b"first")
    await peer.delete(theirs.bucket, "it")
    await theirs.put("it", b"second")
    await theirs.delete("it")
    await peer.put(theirs.bucket, "it", b"third")

    assert (await theirs.get("it")).data == b"third"
    assert await peer.get(theirs.bucket, "it") == b"third"


async def test_update_meta(peer: Peer, theirs: jetstow.ObjectStore) -> None:
    data = some_bytes(10_500)
    await peer.put(theirs.bucket, "it", data, FULL)
    await peer.describe(theirs.bucket, "it", "another description")

    result = await theirs.get("it")
    assert result.data == data
    assert result.info.description == "another description"
    assert result.info.headers == FULL.headers
    if peer.has_metadata:
        assert result.info.metadata == FULL.metadata
    assert [info.description for info in await theirs.list()] == ["another description"]


@pytest.mark.peers("can_rename")
async def test_rename(peer: Peer, theirs: jetstow.ObjectStore) -> None:
    from jetstow.errors import ObjectNotFoundError

    data = some_bytes(10_500)
    await peer.put(theirs.bucket, "old", data, FULL)
    await peer.rename(theirs.bucket, "old", "new")

    assert (await theirs.get("new")).data == data
    with pytest.raises(ObjectNotFoundError):
        await theirs.get_info("old")
    assert [info.name for info in await theirs.list()] == ["new"]


async def test_seal(peer: Peer, theirs: jetstow.ObjectStore) -> None:
    from jetstow.errors import BucketSealedError

    await peer.put(theirs.bucket, "it", b"content")
    await peer.seal(theirs.bucket)

    assert (await theirs.status()).sealed
    with pytest.raises(BucketSealedError):
        await theirs.put("it", b"too late")
    with pytest.raises(BucketSealedError):
        await theirs.delete("it")
    assert (await theirs.get("it")).data == b"content"


async def test_watch(peer: Peer, theirs: jetstow.ObjectStore) -> None:
    await peer.put(theirs.bucket, "before", b"1")
    watcher = await theirs.watch()
    before = await watcher.updates()
    assert before is not None
    assert (before.name, await watcher.updates()) == ("before", None)

    await peer.put(theirs.bucket, "it", b"22")
    written = await watcher.updates()
    assert written is not None
    assert to_peer_info(written) == await peer.info(theirs.bucket, "it")

    await peer.describe(theirs.bucket, "it", "new")
    described = await watcher.updates()
    assert described is not None
    assert (described.name, described.description) == ("it", "new")

    await peer.delete(theirs.bucket, "it")
    gone = await watcher.updates()
    assert gone is not None
    assert (gone.name, gone.deleted) == ("it", True)
    await watcher.stop()


async def test_bucket_created_by_both(
    peer: Peer, theirs: jetstow.ObjectStore, js: jetstow.JetStreamContext
) -> None:
    await peer.put(theirs.bucket, "it", b"content")
    await js.create_object_store(theirs.bucket)
    await peer.create(theirs.bucket)

    assert (await theirs.get("it")).data == b"content"
