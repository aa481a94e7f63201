"""Deviations of other clients from ADR-20, and how jetstow handles them.

A test that fails after an update of a client probably shows that the client was fixed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from nats.aio.client import Client
from nats.js import api
from nats.js.errors import BadObjectMetaError, NotFoundError, ObjectAlreadyExists

from tests.support import raw_stream
from tests.support.peers import PeerError, PeerMeta
from tests.support.peers.nats_go import NatsGo
from tests.support.peers.nats_js import NatsJs
from tests.support.peers.natsrpy import NatsRpy
from tests.support.samples import some_bytes

if TYPE_CHECKING:
    import jetstow

with_nats_go = pytest.mark.parametrize("peer", ["nats.go"], indirect=True)
with_nats_js = pytest.mark.parametrize("peer", ["nats.js"], indirect=True)
with_natsrpy = pytest.mark.parametrize("peer", ["natsrpy"], indirect=True)


# -- nats-py -------------------------------------------------------------------------------


async def test_nats_py_lists_deleted_objects_and_raises_if_empty(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    theirs = await raw.jetstream().object_store(store.bucket)
    with pytest.raises(NotFoundError):
        await theirs.list()
    assert await store.list() == []

    await store.put("it", b"1")
    await store.delete("it")
    assert [info.deleted for info in await theirs.list()] == [True]
    assert await store.list() == []


async def test_nats_py_cannot_rename(store: jetstow.ObjectStore, raw: Client) -> None:
    await store.put("old", b"1")
    theirs = await raw.jetstream().object_store(store.bucket)
    with pytest.raises(ObjectAlreadyExists):
        await theirs.update_meta("old", api.ObjectMeta(name="new"))


async def test_nats_py_cannot_read_metadata_without_a_nuid(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    # Links of nats.js have no NUID. Links of jetstow need one.
    await store.put("it", b"1")
    link = {"bucket": store.bucket, "name": "it"}
    body = {"name": "link", "bucket": store.bucket, "options": {"link": link}}
    await raw_stream.write_metadata(raw, store.bucket, "link", body)

    theirs = await raw.jetstream().object_store(store.bucket)
    with pytest.raises(BadObjectMetaError):
        await theirs.get("link")
    assert (await store.get("link")).data == b"1"


async def test_nats_py_drops_the_metadata_field(store: jetstow.ObjectStore, raw: Client) -> None:
    import jetstow

    await store.put("it", b"1", meta=jetstow.ObjectMeta(metadata={"owner": "ada"}))
    theirs = await raw.jetstream().object_store(store.bucket)
    await theirs.update_meta("it", (await theirs.get_info("it")).meta)
    assert "metadata" not in await raw_stream.metadata(raw, store.bucket, "it")
    assert not (await store.get_info("it")).metadata


# -- natsrpy -------------------------------------------------------------------------------


@with_natsrpy
async def test_natsrpy_writes_uneven_chunks(
    peer: NatsRpy, theirs: jetstow.ObjectStore, raw: Client
) -> None:
    # It splits reads of 8 KiB into chunks: every ninth chunk has 192 bytes instead of 1,000.
    data = some_bytes(20_000)
    await peer.put(theirs.bucket, "it", data, PeerMeta(chunk_size=1000))

    info = await theirs.get_info("it")
    assert (info.chunks, await raw_stream.chunks(raw, theirs.bucket)) == (22, {info.nuid: 22})
    assert await theirs.get_range("it", 8_100, 300) == data[8_100:8_400]
    assert await theirs.get_range("it", 19_999) == data[19_999:]
    async with theirs.open("it") as file:
        await file.seek(16_380)
        assert await file.read(10) == data[16_380:16_390]


@with_natsrpy
async def test_natsrpy_keeps_the_digest_of_a_deleted_object(
    peer: NatsRpy, theirs: jetstow.ObjectStore
) -> None:
    await peer.put(theirs.bucket, "it", b"1")
    before = await theirs.get_info("it")
    await peer.delete(theirs.bucket, "it")
    marker = await theirs.get_info("it", show_deleted=True)
    assert (marker.size, marker.digest) == (0, before.digest)


@with_natsrpy
async def test_natsrpy_cannot_list_delete_markers_of_nats_py(
    peer: NatsRpy, store: jetstow.ObjectStore, raw: Client
) -> None:
    # nats-py writes `"mtime": ""`, which the Rust client cannot parse. jetstow writes a time
    # or omits the field.
    await store.put("ours", b"1")
    await store.delete("ours")
    assert await peer.list(store.bucket) == []

    await store.put("theirs", b"1")
    await (await raw.jetstream().object_store(store.bucket)).delete("theirs")
    with pytest.raises(Exception, match="year"):
        await peer.list(store.bucket)
    assert [info.name for info in await store.list(ignore_deletes=False)] == ["ours", "theirs"]


# -- nats.js -------------------------------------------------------------------------------


@with_nats_js
async def test_nats_js_encodes_names_as_latin_1(
    peer: NatsJs, theirs: jetstow.ObjectStore, raw: Client
) -> None:
    await theirs.put("Grüße", b"ours")
    assert await peer.info(theirs.bucket, "Grüße") is None
    with pytest.raises(PeerError, match=r"Latin1|Invalid character"):
        await peer.put(theirs.bucket, "файл", b"1")

    # Its object is on a subject that no UTF-8 name has, so jetstow neither finds nor replaces it.
    await peer.put(theirs.bucket, "Grüße", b"theirs")
    assert await raw_stream.names(raw, theirs.bucket) == {"Grüße": 1, "Gr\\xfc\\xdfe": 1}
    assert (await theirs.get("Grüße")).data == b"ours"
    assert [info.name for info in await theirs.list()] == ["Grüße"]
    assert await peer.get(theirs.bucket, "Grüße") == b"theirs"


@with_nats_js
async def test_nats_js_leaves_old_metadata_messages(
    peer: NatsJs, theirs: jetstow.ObjectStore, raw: Client
) -> None:
    # `update` and `link` publish without a rollup: a name then has several messages, and
    # only the last one counts.
    await theirs.put("it", b"1")
    for number in range(3):
        await peer.describe(theirs.bucket, "it", f"description {number}")
    assert await raw_stream.names(raw, theirs.bucket) == {"it": 4}

    assert [info.description for info in await theirs.list()] == ["description 2"]
    assert (await theirs.get_info("it")).description == "description 2"
    watcher = await theirs.watch()
    first = await watcher.updates()
    assert first is not None
    assert (first.description, await watcher.updates()) == ("description 2", None)
    await watcher.stop()

    await theirs.put("it", b"2")
    assert await raw_stream.names(raw, theirs.bucket) == {"it": 1}


@with_nats_js
async def test_nats_js_update_drops_the_chunk_size(
    peer: NatsJs, theirs: jetstow.ObjectStore, raw: Client
) -> None:
    data = some_bytes(10_500)
    await peer.put(theirs.bucket, "it", data, PeerMeta(chunk_size=1000))
    await peer.describe(theirs.bucket, "it", "new")

    assert "options" not in await raw_stream.metadata(raw, theirs.bucket, "it")
    assert await theirs.get_range("it", 4_990, 20) == data[4_990:5_010]
    assert await theirs.get_range("it", 10_499) == data[10_499:]


@with_nats_js
async def test_nats_js_writes_an_outdated_revision(
    peer: NatsJs, theirs: jetstow.ObjectStore, raw: Client
) -> None:
    await peer.put(theirs.bucket, "it", b"1")
    await peer.describe(theirs.bucket, "it", "new")

    stated = (await raw_stream.metadata(raw, theirs.bucket, "it"))["revision"]
    info = await theirs.get_info("it")
    assert info.revision > stated
    await theirs.put("it", b"2", expected_revision=info.revision)


@with_nats_js
async def test_nats_js_links_have_few_fields(
    peer: NatsJs, theirs: jetstow.ObjectStore, raw: Client
) -> None:
    await peer.put(theirs.bucket, "it", b"1")
    await peer.link(theirs.bucket, "link", "it")

    link = {"bucket": theirs.bucket, "name": "it"}
    body = await raw_stream.metadata(raw, theirs.bucket, "link")
    assert body == {"name": "link", "bucket": theirs.bucket, "options": {"link": link}}
    info = await theirs.get_info("link")
    assert (info.size, info.chunks, info.deleted) == (0, 0, False)


@with_nats_js
async def test_nats_js_link_states_the_bucket_of_its_target(
    peer: NatsJs,
    theirs: jetstow.ObjectStore,
    js: jetstow.JetStreamContext,
    bucket: str,
) -> None:
    other = await js.create_object_store(f"{bucket}-other")
    await other.put("there", b"1")
    await peer.link(bucket, "link", "there", target_bucket=other.bucket)

    assert (await theirs.get("link")).data == b"1"
    assert (await theirs.get_info("link")).bucket == bucket
    assert [info.bucket for info in await theirs.list()] == [bucket]
    await js.delete_object_store(other.bucket)


# -- nats.go -------------------------------------------------------------------------------


@with_nats_go
async def test_nats_go_drops_the_metadata_field(
    peer: NatsGo, theirs: jetstow.ObjectStore, raw: Client
) -> None:
    import jetstow

    meta = jetstow.ObjectMeta(headers={"X-Many": ["one", "two"]}, metadata={"owner": "ada"})
    await theirs.put("it", b"1", meta=meta)
    await peer.describe(theirs.bucket, "it", "new")
    assert "metadata" not in await raw_stream.metadata(raw, theirs.bucket, "it")
    info = await theirs.get_info("it")
    assert (info.metadata or {}, info.headers) == ({}, {"X-Many": ["one", "two"]})


@with_nats_go
async def test_nats_go_cannot_read_metadata_without_a_nuid(
    peer: NatsGo, store: jetstow.ObjectStore, raw: Client
) -> None:
    # Links of nats.js have no NUID. Links of jetstow need one.
    await store.put("it", b"1")
    link = {"bucket": store.bucket, "name": "it"}
    body = {"name": "link", "bucket": store.bucket, "options": {"link": link}}
    await raw_stream.write_metadata(raw, store.bucket, "link", body)

    with pytest.raises(PeerError, match="meta information invalid"):
        await peer.get(store.bucket, "link")
    assert (await store.get("link")).data == b"1"


@with_nats_go
async def test_nats_go_writes_the_zero_time(
    peer: NatsGo, theirs: jetstow.ObjectStore, raw: Client
) -> None:
    await peer.put(theirs.bucket, "it", b"1")
    await peer.describe(theirs.bucket, "it", "new")
    await peer.put(theirs.bucket, "gone", b"1")
    await peer.delete(theirs.bucket, "gone")

    for name in ("it", "gone"):
        written = (await raw_stream.metadata(raw, theirs.bucket, name))["mtime"]
        assert written == "0001-01-01T00:00:00Z"
        subject = raw_stream.meta_subject(theirs.bucket, name)
        message = await raw_stream.last_message(raw, theirs.bucket, subject)
        assert (await theirs.get_info(name, show_deleted=True)).mtime == message["time"]
