"""Buckets: open, update, delete, list, status, and limits."""

from __future__ import annotations

import nats.js.errors as nats_js
import pytest
from nats.aio.client import Client
from nats.js import api

import jetstow
from jetstow import BucketConfig, StorageType
from jetstow.errors import (
    BucketFullError,
    BucketNotFoundError,
    InvalidOptionError,
    ObjectNotFoundError,
)
from tests.support import object_builder, raw_stream
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

pytestmark = [
    pytest.mark.every_version,
    pytest.mark.one_path,
    pytest.mark.usefixtures("delete_bucket"),
]


async def test_open_bucket_by_name(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore
) -> None:
    await store.put("a", b"x")
    again = await js.object_store(store.bucket)
    assert (await again.get("a")).data == b"x"
    assert repr(again) == f"<jetstow.ObjectStore {store.bucket!r}>"


async def test_missing_bucket(js: jetstow.JetStreamContext, bucket: str) -> None:
    for use in (js.object_store, js.delete_object_store, js.update_object_store):
        with pytest.raises(BucketNotFoundError) as caught:
            await use(bucket)
        assert caught.value.bucket == bucket
        assert repr(bucket) in str(caught.value)
        assert isinstance(caught.value, nats_js.BucketNotFoundError | FileNotFoundError)


async def test_update_changes_only_the_given_options(
    js: jetstow.JetStreamContext, raw: Client, bucket: str, server: NatsServer
) -> None:
    store = await js.create_object_store(bucket, description="old", max_bytes=1_000_000)
    await store.put("a", b"x")
    before = await raw_stream.stream_config(raw, bucket)
    changed = await js.update_object_store(bucket, max_bytes=2_000_000)
    status = await changed.status()
    assert (status.description, status.max_bytes) == ("old", 2_000_000)
    await js.update_object_store(bucket, BucketConfig(description="new", metadata={"k": "v"}))
    status = await changed.status()
    assert (status.description, status.max_bytes) == ("new", 2_000_000)
    assert status.metadata == ({"k": "v"} if server.at_least("2.10") else {})
    changing = {"description", "max_bytes", "metadata"}
    after = await raw_stream.stream_config(raw, bucket)
    assert {k: after[k] for k in after.keys() - changing} == {
        k: before[k] for k in before.keys() - changing
    }
    assert (await store.get("a")).data == b"x"


async def test_update_of_ttl_description_and_storage(
    js: jetstow.JetStreamContext, bucket: str
) -> None:
    store = await js.create_object_store(bucket)
    for ttl in (3600, 60, 1, 0):  # also below the window in which the server drops duplicates
        await js.update_object_store(bucket, ttl=ttl)
        assert (await store.status()).ttl == ttl
    await js.update_object_store(bucket, description="")
    assert not (await store.status()).description
    with pytest.raises(InvalidOptionError) as caught:
        await js.update_object_store(bucket, storage=StorageType.MEMORY)
    assert caught.value.bucket == bucket
    assert (await store.status()).storage_type == StorageType.FILE


async def test_create_or_update(js: jetstow.JetStreamContext, bucket: str) -> None:
    store = await js.create_or_update_object_store(bucket, description="made")
    await store.put("a", b"x")
    for _ in range(2):
        store = await js.create_or_update_object_store(bucket, ttl=3600)
        status = await store.status()
        assert (status.description, status.ttl) == ("made", 3600)
    assert (await store.get("a")).data == b"x"
    with pytest.raises(InvalidOptionError):
        await js.create_or_update_object_store(bucket, storage="memory")


async def test_deleted_bucket(js: jetstow.JetStreamContext, store: jetstow.ObjectStore) -> None:
    await store.put("a", b"x")
    assert await js.delete_object_store(store.bucket) is True
    for step in (
        store.get("a"), store.put("a", b"x"), store.delete("a"), store.list(), store.status(),
        store.get_info("a"), store.watch(), store.seal(), store.update_meta("a", api.ObjectMeta()),
        store.add_link("b", "a"), js.delete_object_store(store.bucket),
    ):  # fmt: skip
        with pytest.raises(BucketNotFoundError) as caught:
            await step
        assert caught.value.bucket == store.bucket
    again = await js.create_object_store(store.bucket)
    assert await again.list() == []


async def test_list_buckets(
    js: jetstow.JetStreamContext, raw: Client, bucket: str, store: jetstow.ObjectStore
) -> None:
    await raw.jetstream().create_key_value(bucket=bucket)
    names = [f"{bucket}-{number}" for number in range(3)]
    for name in names:
        await js.create_object_store(name, description=f"of {name}", storage="memory")
    found = await js.object_store_names()
    assert set(names) <= set(found)
    assert len(found) == len(set(found))
    assert bucket not in set(found) - {store.bucket}
    assert sorted(found) == sorted([name async for name in js.object_store_names()])
    states = {state.bucket: state async for state in js.object_stores()}
    assert set(states) == set(found)
    for name in names:
        assert states[name].description == f"of {name}"
        assert states[name].storage_type == StorageType.MEMORY
        await js.delete_object_store(name)
    assert not set(names) & set(await js.object_store_names())
    await raw.jetstream().delete_key_value(bucket)


async def test_list_more_buckets_than_one_page(server: NatsServer) -> None:
    with NatsServer(server.version) as own:
        nc = await jetstow.connect(own.url)
        js = nc.jetstream()
        assert await js.object_store_names() == []
        assert await js.object_stores() == []
        names = {f"bucket-{number}" for number in range(260)}
        for name in names:
            await js.create_object_store(name, storage="memory")
        assert {state.bucket async for state in js.object_stores()} == names
        assert set(await js.object_store_names()) == names
        await nc.close()


async def test_status_size_after_put_and_delete(store: jetstow.ObjectStore) -> None:
    assert (await store.status()).size == 0
    await store.put("a", some_bytes(300_000))
    assert 300_000 < (await store.status()).size < 302_000
    await store.delete("a")
    assert (await store.status()).size < 1_000


async def test_put_into_a_full_bucket(
    js: jetstow.JetStreamContext, raw: Client, bucket: str
) -> None:
    store = await js.create_object_store(bucket, max_bytes=500_000)
    await store.put("a", some_bytes(300_000))
    with pytest.raises(BucketFullError) as caught:
        await store.put("b", some_bytes(300_000))
    assert (caught.value.bucket, caught.value.name) == (bucket, "b")
    assert (await store.get("a")).data == some_bytes(300_000)
    assert len(await raw_stream.chunks(raw, bucket)) == 1
    assert [info.name for info in await store.list()] == ["a"]
    await js.update_object_store(bucket, max_bytes=-1)
    await store.put("b", some_bytes(300_000))


async def test_objects_expire_with_the_bucket_ttl(
    js: jetstow.JetStreamContext, raw: Client, bucket: str
) -> None:
    store = await js.create_object_store(bucket, ttl=0.5)
    await store.put("a", b"x")
    while await raw_stream.subjects(raw, bucket):
        await object_builder.chunk_sequences(
            raw, bucket, "none"
        )  # poll: the server expires messages periodically
    assert await store.list() == []
    with pytest.raises(ObjectNotFoundError):
        await store.get("a")
