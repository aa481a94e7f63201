"""Links to an object, or to a whole bucket."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from nats.aio.client import Client
from nats.js import api

import jetstow
from jetstow import ObjectLink, ObjectMeta
from jetstow.errors import (
    BadObjectMetaError,
    BucketNotFoundError,
    InvalidBucketNameError,
    InvalidObjectNameError,
    LinkError,
    LinkIsABucketError,
    ObjectAlreadyExists,
    ObjectDeletedError,
    ObjectNotFoundError,
)
from tests.support import raw_stream

pytestmark = pytest.mark.one_path

DATA = b"linked bytes"


@pytest.fixture
async def other(js: jetstow.JetStreamContext, bucket: str) -> AsyncIterator[jetstow.ObjectStore]:
    """A second bucket with the object `there`."""
    created = await js.create_object_store(f"{bucket}-other")
    await created.put("there", DATA)
    yield created
    with suppress(BucketNotFoundError):
        await js.delete_object_store(created.bucket)


async def test_read_of_a_link_reads_its_target(store: jetstow.ObjectStore, tmp_path: Path) -> None:
    target = await store.put("target", DATA, ObjectMeta(description="d"))
    await store.add_link("link", "target")
    result = await store.get("link")
    assert result.data == DATA
    assert (result.info.name, result.info.revision) == ("target", target.revision)
    memory = io.BytesIO()
    await store.get("link", memory)
    assert memory.getvalue() == DATA
    await store.get_file("link", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == DATA
    assert b"".join([chunk async for chunk in store.stream("link")]) == DATA
    assert await store.get_range("link", 7, 3) == b"byt"
    async with store.open("link") as file:
        assert await file.read() == DATA


async def test_get_info_of_a_link(store: jetstow.ObjectStore) -> None:
    await store.put("target", DATA)
    made = await store.add_link("link", "target")
    info = await store.get_info("link")
    assert info.is_link()
    assert info.link == ObjectLink(bucket=store.bucket, name="target")
    assert (info.name, info.size, info.chunks, info.deleted) == ("link", 0, 0, False)
    assert (made.link, made.revision) == (info.link, info.revision)
    assert [found.is_link() for found in await store.list()] == [False, True]


async def test_link_into_another_bucket(
    store: jetstow.ObjectStore, other: jetstow.ObjectStore
) -> None:
    await store.add_link("link", await other.get_info("there"))
    result = await store.get("link")
    assert result.data == DATA
    assert (result.info.bucket, result.info.name) == (other.bucket, "there")
    theirs = api.ObjectInfo(name="there", bucket=other.bucket, nuid="x")
    await store.add_link("link 2", theirs)
    assert (await store.get("link 2")).data == DATA


async def test_link_follows_changes_of_its_target(
    store: jetstow.ObjectStore, other: jetstow.ObjectStore, js: jetstow.JetStreamContext
) -> None:
    await store.add_link("link", await other.get_info("there"))
    await other.put("there", b"new")
    assert (await store.get("link")).data == b"new"
    await other.delete("there")
    with pytest.raises(ObjectDeletedError) as caught:
        await store.get("link")
    assert (caught.value.bucket, caught.value.name) == (other.bucket, "there")
    await js.delete_object_store(other.bucket)
    with pytest.raises(BucketNotFoundError) as gone:
        await store.get("link")
    assert gone.value.bucket == other.bucket
    assert (await store.get_info("link")).is_link(), "the link itself still exists"


async def test_read_of_a_bucket_link(
    store: jetstow.ObjectStore, other: jetstow.ObjectStore, raw: Client
) -> None:
    made = await store.add_bucket_link("all", other)
    assert made.link == ObjectLink(bucket=other.bucket, name=None)
    await store.add_bucket_link("by name", other.bucket)
    await store.add_bucket_link("nats-py's", await raw.jetstream().object_store(other.bucket))
    for name in ("all", "by name", "nats-py's"):
        link = (await store.get_info(name)).link
        assert link == ObjectLink(bucket=other.bucket, name=None)
        with pytest.raises(LinkIsABucketError) as caught:
            await store.get(name)
        assert (caught.value.bucket, caught.value.name) == (store.bucket, name)
        assert repr(other.bucket) in str(caught.value)


async def test_add_link_over_existing_names(store: jetstow.ObjectStore, raw: Client) -> None:
    await store.put("target", DATA)
    await store.put("other", b"other")
    await store.put("gone", b"x")
    await store.delete("gone")
    await store.add_link("link", "target")
    for name in ("link", "gone"):
        await store.add_link(name, "other")
        assert (await store.get(name)).data == b"other"
        await store.add_bucket_link(name, store)
        assert (await store.get_info(name)).link == ObjectLink(bucket=store.bucket, name=None)
        await store.add_link(name, "target")
        assert (await store.get(name)).data == DATA
    before = await raw_stream.subjects(raw, store.bucket)
    with pytest.raises(ObjectAlreadyExists) as caught:
        await store.add_link("other", "target")
    assert (caught.value.bucket, caught.value.name) == (store.bucket, "other")
    with pytest.raises(ObjectAlreadyExists):
        await store.add_bucket_link("other", store)
    assert await raw_stream.subjects(raw, store.bucket) == before
    assert (await store.get("other")).data == b"other"


async def test_invalid_link_targets(store: jetstow.ObjectStore, other: jetstow.ObjectStore) -> None:
    await store.put("target", DATA)
    link = await store.add_link("link", "target")
    await store.add_bucket_link("all", other)
    gone = await store.put("gone", b"x")
    await store.delete("gone")
    gone.deleted = True
    for name, target, kind in (
        ("new", "link", LinkError),
        ("new", link, LinkError),
        ("new", "all", LinkError),
        ("new", gone, LinkError),
        ("new", "gone", ObjectDeletedError),
        ("new", "never", ObjectNotFoundError),
        ("target", "target", LinkError),
        ("link", "link", LinkError),
        ("", "target", InvalidObjectNameError),
        ("new", "", InvalidObjectNameError),
        ("new", api.ObjectInfo(name="x", bucket="a.b", nuid="x"), InvalidBucketNameError),
        ("new", api.ObjectInfo(name="", bucket="b", nuid="x"), InvalidObjectNameError),
    ):
        with pytest.raises(kind):
            await store.add_link(name, target)
    for wrong in ("", "a.b", "*"):
        with pytest.raises(InvalidBucketNameError):
            await store.add_bucket_link("new", wrong)
    with pytest.raises(ObjectNotFoundError):
        await store.get_info("new")
    assert (await store.get("link")).data == DATA


async def test_changes_of_a_link_leave_its_target(store: jetstow.ObjectStore, raw: Client) -> None:
    target = await store.put("target", DATA)
    await store.add_link("link", "target")
    await store.update_meta("link", ObjectMeta(description="a link"))
    info = await store.get_info("link")
    assert (info.description, info.link) == ("a link", ObjectLink(store.bucket, "target"))
    await store.update_meta("link", ObjectMeta(name="renamed"))
    assert (await store.get("renamed")).data == DATA
    await store.delete("renamed")
    with pytest.raises(ObjectDeletedError):
        await store.get("renamed")
    await store.add_link("renamed", "target")
    await store.put("renamed", b"bytes of its own")
    assert (await store.get("renamed")).data == b"bytes of its own"
    assert await store.get_info("target") == (await store.get("target")).info
    assert (await raw_stream.chunks(raw, store.bucket))[target.nuid] == 1
    assert (await store.get("target")).data == DATA


async def link_by_hand(
    raw: Client, store: jetstow.ObjectStore, name: str, bucket: object, to: object = None
) -> None:
    link = {"bucket": bucket} | ({} if to is None else {"name": to})
    body = {"name": name, "bucket": store.bucket, "options": {"link": link}}
    await raw_stream.write_metadata(raw, store.bucket, name, body)


async def test_links_from_other_clients(
    store: jetstow.ObjectStore, other: jetstow.ObjectStore, raw: Client
) -> None:
    """They have no NUID, and may refer to links."""
    await link_by_hand(raw, store, "one", other.bucket, "there")
    await link_by_hand(raw, other, "two", store.bucket, "one")
    await link_by_hand(raw, store, "three", other.bucket, "two")
    assert (await store.get("three")).data == DATA
    await link_by_hand(raw, store, "empty name", other.bucket, "")
    with pytest.raises(LinkIsABucketError):
        await store.get("empty name")


async def test_circular_links(store: jetstow.ObjectStore, raw: Client) -> None:
    await link_by_hand(raw, store, "self", store.bucket, "self")
    await link_by_hand(raw, store, "there", store.bucket, "back")
    await link_by_hand(raw, store, "back", store.bucket, "there")
    for name in ("self", "there"):
        for read in (store.get(name), store.get_range(name, 0), store.open(name)):
            with pytest.raises(LinkError, match="cycle") as caught:
                await read
            assert (caught.value.bucket, caught.value.name) == (store.bucket, name)
        assert (await store.get_info(name)).is_link()


@pytest.mark.parametrize(
    ("into", "to"),
    [("a.b", "x"), ("*", "x"), (">", None), ("", "x"), (7, "x"), ("b", 7), ("b", "x" * 4000)],
    ids=lambda value: repr(value)[:10],
)
async def test_malformed_links(
    store: jetstow.ObjectStore, raw: Client, into: object, to: object
) -> None:
    await link_by_hand(raw, store, "link", into, to)
    for read in (store.get("link"), store.get_info("link"), store.get_range("link", 0)):
        with pytest.raises(BadObjectMetaError) as caught:
            await read
        assert (caught.value.bucket, caught.value.name) == (store.bucket, "link")
    assert await store.list() == []
    await store.delete("link")


async def test_link_to_a_missing_bucket(store: jetstow.ObjectStore, raw: Client) -> None:
    await link_by_hand(raw, store, "link", "no-such-bucket", "x")
    with pytest.raises(BucketNotFoundError) as caught:
        await store.get("link")
    assert caught.value.bucket == "no-such-bucket"
    assert [info.name for info in await store.list()] == ["link"]
