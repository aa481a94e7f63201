"""Links in both directions: to objects, to buckets, and invalid ones."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from nats.aio.client import Client

from tests.interop.convert import to_peer_info
from tests.support import raw_stream
from tests.support.peers import Peer
from tests.support.samples import some_bytes

if TYPE_CHECKING:
    import jetstow

DATA = some_bytes(200_000)


@pytest.fixture
async def other(js: jetstow.JetStreamContext, bucket: str) -> AsyncIterator[jetstow.ObjectStore]:
    """A second bucket with the object `there`."""
    from jetstow.errors import BucketNotFoundError

    store = await js.create_object_store(f"{bucket}-other")
    await store.put("there", DATA)
    yield store
    with suppress(BucketNotFoundError):
        await js.delete_object_store(store.bucket)


async def test_own_link_to_an_object(peer: Peer, store: jetstow.ObjectStore) -> None:
    target = await store.put("it", DATA)
    link = await store.add_link("link", target)

    assert await peer.get(store.bucket, "link") == DATA
    found = await peer.info(store.bucket, "link")
    assert found is not None
    assert found == to_peer_info(link)
    assert found.link == (store.bucket, "it")
    assert {info.name for info in await peer.list(store.bucket)} == {"it", "link"}


async def test_own_link_into_another_bucket(
    peer: Peer, store: jetstow.ObjectStore, other: jetstow.ObjectStore
) -> None:
    await store.add_link("link", await other.get_info("there"))

    assert await peer.get(store.bucket, "link") == DATA
    await other.put("there", b"replaced")
    assert await peer.get(store.bucket, "link") == b"replaced"


async def test_own_link_to_a_bucket(
    peer: Peer, store: jetstow.ObjectStore, other: jetstow.ObjectStore
) -> None:
    link = await store.add_bucket_link("link", other)

    found = await peer.info(store.bucket, "link")
    assert found == to_peer_info(link)
    assert found.link == (other.bucket, "")
    with pytest.raises(Exception, match=r"(?i)link.*bucket"):
        await peer.get(store.bucket, "link")


async def test_own_link_deleted(peer: Peer, store: jetstow.ObjectStore) -> None:
    await store.add_link("link", await store.put("it", DATA))
    await store.delete("link")

    assert await peer.get(store.bucket, "link") is None
    assert await peer.get(store.bucket, "it") == DATA
    assert [info.name for info in await peer.list(store.bucket)] == ["it"]


@pytest.mark.peers("has_links")
async def test_peer_link_to_an_object(peer: Peer, theirs: jetstow.ObjectStore, raw: Client) -> None:
    await peer.put(theirs.bucket, "it", DATA)
    await peer.link(theirs.bucket, "link", "it")

    result = await theirs.get("link")
    assert (result.data, result.info.name) == (DATA, "it")
    assert await theirs.get_range("link", 131_000, 200) == DATA[131_000:131_200]
    assert b"".join([part async for part in theirs.stream("link")]) == DATA
    assert to_peer_info(await theirs.get_info("link")) == await peer.info(theirs.bucket, "link")
    assert {info.name for info in await theirs.list()} == {"it", "link"}

    await theirs.delete("link")
    assert await peer.get(theirs.bucket, "link") is None
    assert await peer.get(theirs.bucket, "it") == DATA
    assert await raw_stream.names(raw, theirs.bucket) == {"it": 1, "link": 1}


@pytest.mark.peers("has_links")
async def test_peer_link_to_a_bucket(
    peer: Peer, theirs: jetstow.ObjectStore, other: jetstow.ObjectStore
) -> None:
    from jetstow.errors import LinkIsABucketError

    await peer.link_bucket(theirs.bucket, "link", other.bucket)

    info = await theirs.get_info("link")
    assert to_peer_info(info) == await peer.info(theirs.bucket, "link")
    assert info.link is not None
    assert (info.link.bucket, info.link.name or "") == (other.bucket, "")
    with pytest.raises(LinkIsABucketError):
        await theirs.get("link")


@pytest.mark.peers("has_links")
async def test_peer_link_replaced_by_an_object(
    peer: Peer, theirs: jetstow.ObjectStore, raw: Client
) -> None:
    await peer.put(theirs.bucket, "it", DATA)
    await peer.link(theirs.bucket, "link", "it")
    await theirs.put("link", b"bytes of its own")

    assert await peer.get(theirs.bucket, "link") == b"bytes of its own"
    assert await peer.get(theirs.bucket, "it") == DATA
    assert await raw_stream.names(raw, theirs.bucket) == {"it": 1, "link": 1}
    assert len(await raw_stream.chunks(raw, theirs.bucket)) == 2


@pytest.mark.peers("has_links")
async def test_link_to_a_peer_link(peer: Peer, theirs: jetstow.ObjectStore) -> None:
    from jetstow.errors import LinkError

    await peer.put(theirs.bucket, "it", DATA)
    await peer.link(theirs.bucket, "link", "it")

    with pytest.raises(LinkError):
        await theirs.add_link("again", await theirs.get_info("link"))


@pytest.mark.peers("has_links")
async def test_peer_link_to_a_deleted_object(peer: Peer, theirs: jetstow.ObjectStore) -> None:
    from jetstow.errors import ObjectNotFoundError

    await peer.put(theirs.bucket, "it", DATA)
    await peer.link(theirs.bucket, "link", "it")
    await peer.delete(theirs.bucket, "it")

    with pytest.raises(ObjectNotFoundError):
        await theirs.get("link")
    assert await peer.get(theirs.bucket, "link") is None
