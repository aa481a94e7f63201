"""Buckets: made, opened, changed, listed, dropped."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import nats.js.errors as nats_js
import pytest
from nats.aio.client import Client
from nats.js import api

import jetstow
from jetstow import BucketConfig, Placement, StorageType, StoreCompression
from jetstow.errors import (
    BucketExistsError,
    BucketFullError,
    BucketNotFoundError,
    InvalidOptionError,
    ObjectNotFoundError,
)
from tests.support import object_builder, raw_stream
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer


@pytest.fixture
async def bucket(bucket: str, js: jetstow.JetStreamContext) -> AsyncIterator[str]:
    """The name of a bucket that does not exist, and does not in the end."""
    yield bucket
    with suppress(BucketNotFoundError):
        await js.delete_object_store(bucket)


async def config_of(raw: Client, bucket: str) -> dict[str, Any]:
    config: dict[str, Any] = (await raw_stream.request(raw, f"STREAM.INFO.OBJ_{bucket}"))["config"]
    return config


# -- making one ------------------------------------------------------------------------------


async def test_a_new_bucket_is_the_stream_of_adr_20(
    js: jetstow.JetStreamContext, raw: Client, bucket: str
) -> None:
    store = await js.create_object_store(bucket)
    assert store.bucket == bucket
    assert await store.list() == []
    config = await config_of(raw, bucket)
    wanted = {
        "name": f"OBJ_{bucket}",
        "subjects": [f"$O.{bucket}.C.>", f"$O.{bucket}.M.>"],
        "retention": "limits",
        "discard": "new",
        "storage": "file",
        "num_replicas": 1,
        "allow_rollup_hdrs": True,
        "allow_direct": True,
        "max_age": 0,
        "max_bytes": -1,
        "max_msgs": -1,
    }
    assert {key: config[key] for key in wanted} == wanted


async def test_default_bucket_has_the_stream_of_nats_py(
    js: jetstow.JetStreamContext, raw: Client, bucket: str
) -> None:
    """nats-py refuses a bucket whose stream differs in any option from the one it would create."""
    await js.create_object_store(bucket)
    ours = await config_of(raw, bucket)
    await raw.jetstream().create_object_store(bucket)
    await js.delete_object_store(bucket)
    await raw.jetstream().create_object_store(bucket)
    theirs = await config_of(raw, bucket)
    await js.create_object_store(bucket)
    assert ours == theirs


@pytest.mark.min_server("2.14")
async def test_bucket_with_allow_batched_from_another_client_works(
    js: jetstow.JetStreamContext, raw: Client, bucket: str
) -> None:
    await js.create_object_store(bucket)
    config = await config_of(raw, bucket) | {"allow_batched": True}
    assert "error" not in await raw_stream.request(raw, f"STREAM.UPDATE.OBJ_{bucket}", config)
    store = await js.object_store(bucket)
    data = some_bytes(3_000_000)
    info = await store.put("a", data)
    assert (await store.get("a")).data == data
    assert await raw_stream.chunks(raw, bucket) == {info.nuid: info.chunks}
    updated = await js.update_object_store(bucket, description="changed")
    assert updated._bucket.config["allow_batched"]


async def test_every_option_is_the_streams(
    js: jetstow.JetStreamContext, raw: Client, server: NatsServer, bucket: str
) -> None:
    store = await js.create_object_store(
        bucket,
        description="a bucket — with a dash",
        ttl=3600.5,
        max_bytes=10_000_000,
        storage=StorageType.MEMORY,
        replicas=1,
        placement=Placement(cluster="", tags=[]),
        compression=True,
        metadata={"owner": "ada", "größe": "klein"},
    )
    status = await store.status()
    assert status.bucket == bucket
    assert status.description == "a bucket — with a dash"
    assert status.ttl == 3600.5
    assert status.max_bytes == 10_000_000
    assert status.storage_type == StorageType.MEMORY
    assert status.replicas == 1
    assert not status.sealed
    assert status.size == 0
    # Servers before 2.10 know neither of these.
    assert status.compressed == server.at_least("2.10")
    noted = {"owner": "ada", "größe": "klein"} if server.at_least("2.10") else {}
    assert status.metadata == noted
    created = status.created
    assert created is not None
    assert abs(datetime.datetime.now(datetime.UTC) - created) < datetime.timedelta(minutes=5)


@pytest.mark.parametrize(
    ("options", "field", "value"),
    [
        ({"ttl": 0}, "max_age", 0),
        ({"ttl": 60}, "max_age", 60 * 10**9),
        ({"ttl": 0.5}, "max_age", 5 * 10**8),
        ({"max_bytes": 0}, "max_bytes", -1),
        ({"max_bytes": -1}, "max_bytes", -1),
        ({"storage": "memory"}, "storage", "memory"),
        ({"storage": StorageType.FILE}, "storage", "file"),
        ({"description": ""}, "description", None),
    ],
    ids=repr,
)
async def test_an_option_is_written_as_the_server_has_it(
    js: jetstow.JetStreamContext,
    raw: Client,
    bucket: str,
    options: dict[str, Any],
    field: str,
    value: object,
) -> None:
    await js.create_object_store(bucket, **options)
    assert (await config_of(raw, bucket)).get(field) == value


@pytest.mark.min_server("2.10")
@pytest.mark.parametrize(
    ("compression", "stored"),
    [
        (True, "s2"),
        ("s2", "s2"),
        (StoreCompression.S2, "s2"),
        (False, "none"),
        ("none", "none"),
        (StoreCompression.NONE, "none"),
        (None, "none"),
    ],
)
async def test_compression(
    js: jetstow.JetStreamContext, raw: Client, bucket: str, compression: Any, stored: str
) -> None:
    store = await js.create_object_store(bucket, compression=compression)
    assert (await config_of(raw, bucket))["compression"] == stored
    assert (await store.status()).compressed == (stored == "s2")


@pytest.mark.parametrize("kind", [BucketConfig, api.ObjectStoreConfig])
async def test_a_configuration_is_ours_or_nats_pys_and_is_left_alone(
    js: jetstow.JetStreamContext, bucket: str, kind: type[api.ObjectStoreConfig]
) -> None:
    config = kind(bucket=bucket, description="told", max_bytes=1_000_000)
    before = kind(**vars(config))
    assert (await js.create_object_store(config=config)).bucket == bucket
    assert config == before
    store = await js.create_object_store(bucket, config, max_bytes=1_000_000)
    status = await store.status()
    assert (status.description, status.max_bytes) == ("told", 1_000_000)


async def test_what_is_given_by_name_goes_before_the_configuration(
    js: jetstow.JetStreamContext, bucket: str
) -> None:
    config = BucketConfig(bucket="other", description="config", ttl=60)
    store = await js.create_object_store(bucket, config, description="params")
    status = await store.status()
    assert (status.bucket, status.description, status.ttl) == (bucket, "params", 60)


async def test_made_again_the_same_way_it_is_opened(
    js: jetstow.JetStreamContext, bucket: str
) -> None:
    options: dict[str, Any] = {"description": "d", "ttl": 60, "max_bytes": 10_000}
    store = await js.create_object_store(bucket, **options)
    await store.put("a", b"x")
    again = await js.create_object_store(bucket, **options)
    assert (await again.get("a")).data == b"x"


@pytest.mark.parametrize(
    "options", [{"description": "other"}, {"ttl": 60}, {"max_bytes": 5}, {"storage": "memory"}]
)
async def test_made_again_another_way_it_is_refused(
    js: jetstow.JetStreamContext, bucket: str, options: dict[str, Any]
) -> None:
    store = await js.create_object_store(bucket)
    await store.put("a", b"x")
    with pytest.raises(BucketExistsError) as caught:
        await js.create_object_store(bucket, **options)
    assert caught.value.bucket == bucket
    assert isinstance(caught.value, FileExistsError | nats_js.BadRequestError)
    assert (await store.get("a")).data == b"x"
    assert (await store.status()).description is None


async def test_a_bucket_that_nats_py_made_is_made_again(
    js: jetstow.JetStreamContext, raw: Client, bucket: str
) -> None:
    """A program whose first line makes the bucket keeps working when it changes its import."""
    theirs = await raw.jetstream().create_object_store(bucket, description="d")
    await theirs.put("a", b"x")
    ours = await js.create_object_store(bucket, description="d")
    assert (await ours.get("a")).data == b"x"
    await raw.jetstream().create_object_store(bucket, description="d")


async def test_the_longest_name_works(js: jetstow.JetStreamContext, bucket: str) -> None:
    name = f"{bucket}_".ljust(251, "X")
    store = await js.create_object_store(name)
    try:
        await store.put("a", b"x")
        assert (await store.get("a")).data == b"x"
        assert name in await js.object_store_names()
    finally:
        await js.delete_object_store(name)


# -- finding, changing, dropping -------------------------------------------------------------


async def test_a_bucket_is_opened_by_its_name(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore
) -> None:
    await store.put("a", b"x")
    again = await js.object_store(store.bucket)
    assert (await again.get("a")).data == b"x"
    assert repr(again) == f"<jetstow.ObjectStore {store.bucket!r}>"


async def test_a_bucket_that_is_not_there_is_not_opened(
    js: jetstow.JetStreamContext, bucket: str
) -> None:
    for use in (js.object_store, js.delete_object_store, js.update_object_store):
        with pytest.raises(BucketNotFoundError) as caught:
            await use(bucket)
        assert caught.value.bucket == bucket
        assert repr(bucket) in str(caught.value)
        assert isinstance(caught.value, nats_js.BucketNotFoundError | FileNotFoundError)


async def test_a_change_changes_what_is_given_and_nothing_else(
    js: jetstow.JetStreamContext, raw: Client, bucket: str, server: NatsServer
) -> None:
    store = await js.create_object_store(bucket, description="old", max_bytes=1_000_000)
    await store.put("a", b"x")
    before = await config_of(raw, bucket)
    changed = await js.update_object_store(bucket, max_bytes=2_000_000)
    status = await changed.status()
    assert (status.description, status.max_bytes) == ("old", 2_000_000)
    await js.update_object_store(bucket, BucketConfig(description="new", metadata={"k": "v"}))
    status = await changed.status()
    assert (status.description, status.max_bytes) == ("new", 2_000_000)
    assert status.metadata == ({"k": "v"} if server.at_least("2.10") else {})
    changing = {"description", "max_bytes", "metadata"}
    after = await config_of(raw, bucket)
    assert {k: after[k] for k in after.keys() - changing} == {
        k: before[k] for k in before.keys() - changing
    }
    assert (await store.get("a")).data == b"x"


async def test_what_a_change_may_change(js: jetstow.JetStreamContext, bucket: str) -> None:
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


async def test_made_or_changed(js: jetstow.JetStreamContext, bucket: str) -> None:
    store = await js.create_or_update_object_store(bucket, description="made")
    await store.put("a", b"x")
    for _ in range(2):
        store = await js.create_or_update_object_store(bucket, ttl=3600)
        status = await store.status()
        assert (status.description, status.ttl) == ("made", 3600)
    assert (await store.get("a")).data == b"x"
    with pytest.raises(InvalidOptionError):
        await js.create_or_update_object_store(bucket, storage="memory")


async def test_a_dropped_bucket_is_gone(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore
) -> None:
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


async def test_buckets_are_listed(
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


async def test_more_buckets_are_listed_than_fit_one_answer(server: NatsServer) -> None:
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


async def test_the_state_of_a_bucket_counts_its_bytes(store: jetstow.ObjectStore) -> None:
    assert (await store.status()).size == 0
    await store.put("a", some_bytes(300_000))
    assert 300_000 < (await store.status()).size < 302_000
    await store.delete("a")
    assert (await store.status()).size < 1_000


async def test_a_full_bucket_takes_nothing_more_and_stays_whole(
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


async def test_objects_expire_with_the_buckets_ttl(
    js: jetstow.JetStreamContext, raw: Client, bucket: str
) -> None:
    store = await js.create_object_store(bucket, ttl=0.5)
    await store.put("a", b"x")
    while await raw_stream.subjects(raw, bucket):
        await object_builder.sequences(raw, bucket, "none")  # the server takes its time
    assert await store.list() == []
    with pytest.raises(ObjectNotFoundError):
        await store.get("a")
