"""copy: the same bytes and metadata under another name, in another bucket, on another server."""

from __future__ import annotations

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import (
    InvalidOptionError,
    ObjectAlreadyExists,
    ObjectNotFoundError,
    RevisionMismatchError,
)
from tests.support import raw_stream
from tests.support.samples import digest_of, some_bytes
from tests.support.servers import NatsServer

DATA = some_bytes(300_000)
META = ObjectMeta(
    description="d",
    headers={"X": ["1", "2"]},
    metadata={"k": "v"},
    content_type="a/b",
    tags=["t"],
    options=ObjectMetaOptions(max_chunk_size=50_000),
)


@pytest.fixture
async def other(js: jetstow.JetStreamContext, bucket: str) -> jetstow.ObjectStore:
    return await js.create_object_store(f"{bucket}-other")


async def test_within_a_bucket(store: jetstow.ObjectStore, raw: Client) -> None:
    original = await store.put("a", DATA, META)
    done: list[tuple[int, int | None]] = []
    copy = await store.copy("a", "b", progress=lambda *told: done.append(told))
    assert copy.revision == (await store.get_info("b")).revision
    assert (copy.digest, copy.size, copy.chunks) == (digest_of(DATA), len(DATA), original.chunks)
    expected = original.meta
    expected.name = "b"
    assert copy.meta == expected
    assert copy.nuid != original.nuid
    assert (await store.get("b")).data == DATA
    assert done[-1] == (len(DATA), len(DATA))
    await store.delete("a")
    assert (await store.get("b")).data == DATA
    assert await raw_stream.chunks(raw, store.bucket) == {copy.nuid: copy.chunks}


async def test_into_another_bucket(store: jetstow.ObjectStore, other: jetstow.ObjectStore) -> None:
    await store.put("a", DATA, META)
    copied = await store.copy("a", to=other)
    assert (copied.bucket, copied.name) == (other.bucket, "a")
    await store.copy("a", "b", to=other)
    assert [info.name for info in await other.list()] == ["a", "b"]
    assert (await other.get("b")).data == DATA


async def test_a_link_is_copied_as_what_it_leads_to(
    store: jetstow.ObjectStore, other: jetstow.ObjectStore
) -> None:
    info = await store.put("target", DATA, META)
    await other.add_link("link", info)
    copied = await other.copy("link", "copy")
    assert (copied.link, copied.digest, copied.description) == (None, info.digest, "d")


async def test_conditions_are_those_of_the_new_name(
    store: jetstow.ObjectStore, other: jetstow.ObjectStore, raw: Client
) -> None:
    await store.put("a", DATA)
    there = await other.put("a", b"there")
    with pytest.raises(ObjectAlreadyExists):
        await store.copy("a", to=other, expected_revision=0)
    with pytest.raises(RevisionMismatchError):
        await store.copy("a", to=other, expected_revision=there.revision + 1)
    assert (await other.get("a")).data == b"there"
    assert await raw_stream.chunks(raw, other.bucket) == {there.nuid: 1}
    await store.copy("a", to=other, expected_revision=there.revision)
    assert (await other.get("a")).data == DATA


async def test_an_empty_object(store: jetstow.ObjectStore) -> None:
    await store.put("a", b"", META)
    assert (await store.copy("a", "b")).tags == ["t"]
    assert (await store.get("b")).data == b""


async def test_what_cannot_be_copied(
    store: jetstow.ObjectStore, js: jetstow.JetStreamContext
) -> None:
    await store.put("a", b"data")
    again = await js.object_store(store.bucket)
    for onto in (None, store, again):
        with pytest.raises(InvalidOptionError, match="onto itself"):
            await store.copy("a", to=onto)
    with pytest.raises(ObjectNotFoundError, match="'missing'"):
        await store.copy("missing", "b")
    assert [info.name for info in await store.list()] == ["a"]


async def test_onto_another_server(store: jetstow.ObjectStore) -> None:
    await store.put("a", DATA, META)
    with NatsServer(config="max_payload: 40000") as far:
        async with await jetstow.connect(far.url) as nc:
            there = await nc.jetstream().create_object_store(store.bucket)
            copied = await store.copy("a", to=there)
            assert copied.chunks == 8
            assert (await there.get("a")).data == DATA
