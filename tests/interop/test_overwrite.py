"""Two clients write the same name: the last object remains, and no other messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from nats.aio.client import Client

from tests.interop.convert import to_peer_info, visible_to
from tests.support import raw_stream
from tests.support.peers import Peer, PeerMeta
from tests.support.peers.nats_js import NatsJs
from tests.support.purges import purges_ended
from tests.support.samples import some_bytes

if TYPE_CHECKING:
    import jetstow

OLD, NEW = some_bytes(300_000, 1), some_bytes(20_500, 2)
SMALL = PeerMeta(chunk_size=1000)


async def test_peer_overwrites_jetstow(peer: Peer, store: jetstow.ObjectStore, raw: Client) -> None:
    first = await store.put("it", OLD)
    await peer.put(store.bucket, "it", NEW, SMALL)

    result = await store.get("it")
    assert result.data == NEW
    assert result.info.revision > first.revision
    assert await raw_stream.chunks(raw, store.bucket) == {result.info.nuid: result.info.chunks}
    assert await raw_stream.names(raw, store.bucket) == {"it": 1}


async def test_jetstow_overwrites_peer(
    peer: Peer, theirs: jetstow.ObjectStore, raw: Client
) -> None:
    await peer.put(theirs.bucket, "it", OLD, SMALL)
    info = await theirs.put("it", NEW)
    await purges_ended(theirs)

    assert await peer.get(theirs.bucket, "it") == NEW
    assert await peer.info(theirs.bucket, "it") == to_peer_info(info)
    assert await raw_stream.chunks(raw, theirs.bucket) == {info.nuid: info.chunks}
    assert await raw_stream.names(raw, theirs.bucket) == {"it": 1}


async def test_jetstow_overwrites_peer_at_a_revision(
    peer: Peer, theirs: jetstow.ObjectStore
) -> None:
    from jetstow.errors import RevisionMismatchError

    await peer.put(theirs.bucket, "it", b"first")
    known = (await theirs.get_info("it")).revision
    await peer.put(theirs.bucket, "it", b"second")

    with pytest.raises(RevisionMismatchError):
        await theirs.put("it", b"mine", expected_revision=known)
    assert await peer.get(theirs.bucket, "it") == b"second"
    current = (await theirs.get_info("it")).revision
    await theirs.put("it", b"mine", expected_revision=current)
    assert await peer.get(theirs.bucket, "it") == b"mine"


async def test_each_deletes_the_other_object(
    peer: Peer, theirs: jetstow.ObjectStore, raw: Client
) -> None:
    await peer.put(theirs.bucket, "theirs", OLD, SMALL)
    await theirs.put("ours", NEW)
    await theirs.delete("theirs")
    await peer.delete(theirs.bucket, "ours")

    assert await raw_stream.chunks(raw, theirs.bucket) == {}
    assert await raw_stream.names(raw, theirs.bucket) == {"theirs": 1, "ours": 1}
    assert await theirs.list() == []
    assert await peer.list(theirs.bucket) == []
    for name in ("theirs", "ours"):
        marker = await theirs.get_info(name, show_deleted=True)
        assert to_peer_info(marker) == await peer.info(theirs.bucket, name)


async def test_each_updates_the_other_object(
    peer: Peer, theirs: jetstow.ObjectStore, raw: Client
) -> None:
    import jetstow

    await peer.put(theirs.bucket, "theirs", OLD, SMALL)
    await theirs.put("ours", NEW)

    meta = jetstow.ObjectMeta(name="theirs", description="by us", metadata={"by": "us"})
    info = await theirs.update_meta("theirs", meta)
    assert await peer.info(theirs.bucket, "theirs") == visible_to(peer, to_peer_info(info))
    assert await peer.get(theirs.bucket, "theirs") == OLD

    await peer.describe(theirs.bucket, "ours", "by them")
    result = await theirs.get("ours")
    assert (result.data, result.info.description) == (NEW, "by them")

    # An update by jetstow removes the messages that the peer left.
    await theirs.update_meta("ours", jetstow.ObjectMeta(name="ours", description="by us"))
    assert await raw_stream.names(raw, theirs.bucket) == {"theirs": 1, "ours": 1}


@pytest.mark.peers("can_rename")
async def test_each_renames_the_other_object(
    peer: Peer, theirs: jetstow.ObjectStore, raw: Client
) -> None:
    import jetstow

    await peer.put(theirs.bucket, "a", OLD, SMALL)
    await theirs.put("b", NEW)
    await theirs.update_meta("a", jetstow.ObjectMeta(name="a2"))
    await peer.rename(theirs.bucket, "b", "b2")

    assert await peer.get(theirs.bucket, "a2") == OLD
    assert (await theirs.get("b2")).data == NEW
    assert {info.name for info in await theirs.list()} == {"a2", "b2"}
    assert len(await raw_stream.chunks(raw, theirs.bucket)) == 2


@pytest.mark.parametrize("peer", ["nats.go"], indirect=True)
async def test_go_deletes_the_old_name_of_a_rename(
    peer: Peer, theirs: jetstow.ObjectStore, raw: Client
) -> None:
    """Go's client purges the chunks that a delete marker names, if the name is deleted again."""
    await theirs.put("a", NEW)
    await theirs.rename("a", "b")
    await peer.delete(theirs.bucket, "a")
    assert (await theirs.get("b")).data == NEW


@pytest.mark.parametrize("peer", ["nats.js"], indirect=True)
@pytest.mark.min_server("2.14")
async def test_peer_overwrites_by_fast_ingest(
    peer: NatsJs, js: jetstow.JetStreamContext, bucket: str, raw: Client
) -> None:
    # Fast ingest, undocumented in the client: chunks and metadata in one batch.
    await peer.create(bucket, batched=True)
    store = await js.object_store(bucket)
    await store.put("it", OLD)
    await peer.put(bucket, "it", NEW, SMALL, batched=True)

    result = await store.get("it")
    assert result.data == NEW
    assert await store.get_range("it", 999, 1002) == NEW[999:2001]
    assert await raw_stream.chunks(raw, bucket) == {result.info.nuid: result.info.chunks}
    await js.delete_object_store(bucket)
