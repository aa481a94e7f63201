"""Another client writes, jetstow reads: byte for byte, and every fact."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from nats.aio.client import Client

from tests.interop.same import seen
from tests.support import raw_stream
from tests.support.peers import Meta, Peer
from tests.support.samples import ASCII_NAMES, SIZES, UNICODE_NAMES, digest_of, some_bytes

if TYPE_CHECKING:
    import jetstow

FULL = Meta(
    description="a description — with a dash",
    headers={"Content-Type": ["text/plain"], "X-Many": ["one", "two"]},
    metadata={"owner": "ada", "empty": ""},
    chunk_size=1000,
)


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
async def test_bytes(peer: Peer, theirs: jetstow.ObjectStore, size: int) -> None:
    data = some_bytes(size)
    await peer.put(theirs.bucket, "it", data)

    result = await theirs.get("it")
    assert result.data == data
    assert result.info.size == size
    assert result.info.digest == digest_of(data)
    assert seen(result.info) == await peer.info(theirs.bucket, "it")
    assert b"".join([part async for part in theirs.stream("it")]) == data


@pytest.mark.parametrize("chunk_size", [None, 1000], ids=["default chunks", "small chunks"])
async def test_ranges(peer: Peer, theirs: jetstow.ObjectStore, chunk_size: int | None) -> None:
    # natsrpy's small chunks are not all of one size: it cuts what it reads 8 KiB at a time.
    data = some_bytes(300_000)
    await peer.put(theirs.bucket, "it", data, Meta(chunk_size=chunk_size))

    edges = (0, 1, 999, 1000, 1001, 8191, 8192, 131_071, 131_072, 150_000, 299_999)
    for start in edges:
        for length in (0, 1, 1000, 2001, 140_000, None):
            stop = len(data) if length is None else start + length
            assert await theirs.get_range("it", start, length) == data[start:stop], (start, length)


async def test_ranges_of_an_object_written_among_others(
    peer: Peer, theirs: jetstow.ObjectStore
) -> None:
    await peer.put(theirs.bucket, "before", some_bytes(50_000, 1), Meta(chunk_size=1000))
    data = some_bytes(20_500)
    await peer.put(theirs.bucket, "it", data, Meta(chunk_size=500))
    await peer.put(theirs.bucket, "after", some_bytes(50_000, 2), Meta(chunk_size=1000))

    for start in range(0, len(data), 1700):
        assert await theirs.get_range("it", start, 750) == data[start : start + 750]


async def test_all_that_goes_with_the_bytes(peer: Peer, theirs: jetstow.ObjectStore) -> None:
    data = some_bytes(10_500)
    await peer.put(theirs.bucket, "it", data, FULL)

    info = (await theirs.get("it")).info
    assert info.description == FULL.description
    assert info.headers == FULL.headers
    assert info.options is not None
    assert info.options.max_chunk_size == 1000
    if peer.has_metadata:
        assert info.metadata == FULL.metadata
    assert seen(info) == await peer.info(theirs.bucket, "it")


@pytest.mark.parametrize("name", ASCII_NAMES)
async def test_names(peer: Peer, theirs: jetstow.ObjectStore, name: str) -> None:
    await peer.put(theirs.bucket, name, b"found")

    assert (await theirs.get(name)).data == b"found"
    assert [info.name for info in await theirs.list()] == [name]


@pytest.mark.peers("encodes_names_as_utf8")
@pytest.mark.parametrize("name", UNICODE_NAMES)
async def test_names_in_unicode(peer: Peer, theirs: jetstow.ObjectStore, name: str) -> None:
    await peer.put(theirs.bucket, name, b"found")

    assert (await theirs.get(name)).data == b"found"
    assert [info.name for info in await theirs.list()] == [name]


async def test_list_and_times(peer: Peer, theirs: jetstow.ObjectStore, raw: Client) -> None:
    for number in range(5):
        await peer.put(theirs.bucket, f"object {number}", some_bytes(number))
    await peer.delete(theirs.bucket, "object 3")

    infos = await theirs.list()
    expected = sorted(await peer.list(theirs.bucket), key=lambda info: info.name)
    assert sorted(map(seen, infos), key=lambda info: info.name) == expected
    assert {info.name for info in infos} == {f"object {number}" for number in (0, 1, 2, 4)}
    for info in infos:
        subject = raw_stream.meta_subject(theirs.bucket, info.name)
        message = await raw_stream.message_on(raw, theirs.bucket, subject)
        # What the body says of them may be old, or the writer's own clock.
        assert (info.revision, info.mtime) == (message["seq"], message["time"])


async def test_deleted(peer: Peer, theirs: jetstow.ObjectStore) -> None:
    from jetstow.errors import ObjectDeletedError

    await peer.put(theirs.bucket, "it", b"soon gone")
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


async def test_written_again_after_a_deletion(peer: Peer, theirs: jetstow.ObjectStore) -> None:
    await peer.put(theirs.bucket, "it", b"first")
    await peer.delete(theirs.bucket, "it")
    await theirs.put("it", b"second")
    await theirs.delete("it")
    await peer.put(theirs.bucket, "it", b"third")

    assert (await theirs.get("it")).data == b"third"
    assert await peer.get(theirs.bucket, "it") == b"third"


async def test_described_anew(peer: Peer, theirs: jetstow.ObjectStore) -> None:
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


@pytest.mark.peers("renames")
async def test_renamed(peer: Peer, theirs: jetstow.ObjectStore) -> None:
    from jetstow.errors import ObjectNotFoundError

    data = some_bytes(10_500)
    await peer.put(theirs.bucket, "old", data, FULL)
    await peer.rename(theirs.bucket, "old", "new")

    assert (await theirs.get("new")).data == data
    with pytest.raises(ObjectNotFoundError):
        await theirs.get_info("old")
    assert [info.name for info in await theirs.list()] == ["new"]


async def test_sealed(peer: Peer, theirs: jetstow.ObjectStore) -> None:
    from jetstow.errors import BucketSealedError

    await peer.put(theirs.bucket, "it", b"for ever")
    await peer.seal(theirs.bucket)

    assert (await theirs.status()).sealed
    with pytest.raises(BucketSealedError):
        await theirs.put("it", b"too late")
    with pytest.raises(BucketSealedError):
        await theirs.delete("it")
    assert (await theirs.get("it")).data == b"for ever"


async def test_watched(peer: Peer, theirs: jetstow.ObjectStore) -> None:
    await peer.put(theirs.bucket, "before", b"1")
    watcher = await theirs.watch()
    before = await watcher.updates()
    assert before is not None
    assert (before.name, await watcher.updates()) == ("before", None)

    await peer.put(theirs.bucket, "it", b"22")
    written = await watcher.updates()
    assert written is not None
    assert seen(written) == await peer.info(theirs.bucket, "it")

    await peer.describe(theirs.bucket, "it", "told")
    described = await watcher.updates()
    assert described is not None
    assert (described.name, described.description) == ("it", "told")

    await peer.delete(theirs.bucket, "it")
    gone = await watcher.updates()
    assert gone is not None
    assert (gone.name, gone.deleted) == ("it", True)
    await watcher.stop()
