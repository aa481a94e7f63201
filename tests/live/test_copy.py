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

pytestmark = pytest.mark.one_path

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


async def test_copy_within_a_bucket(store: jetstow.ObjectStore, raw: Client) -> None:
    original = await store.put("a", DATA, META)
    done: list[tuple[int, int | None]] = []
    copy = await store.copy("a", "b", progress=lambda *step: done.append(step))
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


async def test_copy_into_another_bucket(
    store: jetstow.ObjectStore, other: jetstow.ObjectStore
) -> None:
    await store.put("a", DATA, META)
    copied = await store.copy("a", to=other)
    assert (copied.bucket, copied.name) == (other.bucket, "a")
    await store.copy("a", "b", to=other)
    assert [info.name for info in await other.list()] == ["a", "b"]
    assert (await other.get("b")).data == DATA


async def test_copy_of_a_link_copies_its_target(
    store: jetstow.ObjectStore, other: jetstow.ObjectStore
) -> None:
    info = await store.put("target", DATA, META)
    await other.add_link("link", info)
    copied = await other.copy("link", "copy")
    assert (copied.link, copied.digest, copied.description) == (None, info.digest, "d")


async def test_copy_with_expected_revision(
    store: jetstow.ObjectStore, other: jetstow.ObjectStore, raw: Client
) -> None:
    await store.put("a", DATA)
    existing = await other.put("a", b"existing")
    with pytest.raises(ObjectAlreadyExists):
        await store.copy("a", to=other, expected_revision=0)
    with pytest.raises(RevisionMismatchError):
        await store.copy("a", to=other, expected_revision=existing.revision + 1)
    assert (await other.get("a")).data == b"existing"
    assert await raw_stream.chunks(raw, other.bucket) == {existing.nuid: 1}
    await store.copy("a", to=other, expected_revision=existing.revision)
    assert (await other.get("a")).data == DATA


async def test_copy_of_an_empty_object(store: jetstow.ObjectStore) -> None:
    await store.put("a", b"", META)
    assert (await store.copy("a", "b")).tags == ["t"]
    assert (await store.get("b")).data == b""


async def test_copy_to_what_is_no_bucket(store: jetstow.ObjectStore) -> None:
    await store.put("a", DATA)
    with pytest.raises(InvalidOptionError, match="`to` must be a bucket, not 'other'"):
        await store.copy("a", to="other")  # type: ignore[arg-type]


async def test_copy_onto_itself_or_of_a_missing_object(
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


async def test_copy_to_another_server(store: jetstow.ObjectStore) -> None:
    await store.put("a", DATA, META)
    with NatsServer(config="max_payload: 40000") as far:
        async with await jetstow.connect(far.url) as nc:
            existing = await nc.jetstream().create_object_store(store.bucket)
            copied = await store.copy("a", to=existing)
            assert copied.chunks == 8
            assert (await existing.get("a")).data == DATA
