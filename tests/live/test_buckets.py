"""create_object_store: options, their place in the stream configuration, and creating again."""

from __future__ import annotations

import datetime
from typing import Any

import nats.js.errors as nats_js
import pytest
from nats.aio.client import Client
from nats.js import api

import jetstow
from jetstow import BucketConfig, Placement, StorageType, StoreCompression
from jetstow.errors import (
    BucketExistsError,
)
from tests.support import raw_stream
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

pytestmark = [
    pytest.mark.every_version,
    pytest.mark.one_path,
    pytest.mark.usefixtures("delete_bucket"),
]


async def test_create_makes_the_stream_of_adr_20(
    js: jetstow.JetStreamContext, raw: Client, bucket: str
) -> None:
    store = await js.create_object_store(bucket)
    assert store.bucket == bucket
    assert await store.list() == []
    config = await raw_stream.stream_config(raw, bucket)
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


async def test_create_with_defaults_matches_nats_py(
    js: jetstow.JetStreamContext, raw: Client, bucket: str
) -> None:
    """nats-py refuses a bucket whose stream differs in any option from the one it would create."""
    await js.create_object_store(bucket)
    ours = await raw_stream.stream_config(raw, bucket)
    await raw.jetstream().create_object_store(bucket)
    await js.delete_object_store(bucket)
    await raw.jetstream().create_object_store(bucket)
    theirs = await raw_stream.stream_config(raw, bucket)
    await js.create_object_store(bucket)
    assert ours == theirs


@pytest.mark.min_server("2.14")
async def test_bucket_with_allow_batched_from_another_client(
    js: jetstow.JetStreamContext, raw: Client, bucket: str
) -> None:
    await js.create_object_store(bucket)
    config = await raw_stream.stream_config(raw, bucket) | {"allow_batched": True}
    assert "error" not in await raw_stream.request(raw, f"STREAM.UPDATE.OBJ_{bucket}", config)
    store = await js.object_store(bucket)
    data = some_bytes(3_000_000)
    info = await store.put("a", data)
    assert (await store.get("a")).data == data
    assert await raw_stream.chunks(raw, bucket) == {info.nuid: info.chunks}
    updated = await js.update_object_store(bucket, description="changed")
    assert updated._bucket.config["allow_batched"]


async def test_create_with_every_option(
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
    # Servers before 2.10 support neither of these.
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
async def test_create_option_in_the_stream_configuration(
    js: jetstow.JetStreamContext,
    raw: Client,
    bucket: str,
    options: dict[str, Any],
    field: str,
    value: object,
) -> None:
    await js.create_object_store(bucket, **options)
    assert (await raw_stream.stream_config(raw, bucket)).get(field) == value


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
async def test_create_with_compression(
    js: jetstow.JetStreamContext, raw: Client, bucket: str, compression: Any, stored: str
) -> None:
    store = await js.create_object_store(bucket, compression=compression)
    assert (await raw_stream.stream_config(raw, bucket))["compression"] == stored
    assert (await store.status()).compressed == (stored == "s2")


@pytest.mark.parametrize("kind", [BucketConfig, api.ObjectStoreConfig])
async def test_create_with_a_configuration_object(
    js: jetstow.JetStreamContext, bucket: str, kind: type[api.ObjectStoreConfig]
) -> None:
    config = kind(bucket=bucket, description="from config", max_bytes=1_000_000)
    before = kind(**vars(config))
    assert (await js.create_object_store(config=config)).bucket == bucket
    assert config == before
    store = await js.create_object_store(bucket, config, max_bytes=1_000_000)
    status = await store.status()
    assert (status.description, status.max_bytes) == ("from config", 1_000_000)


async def test_keyword_overrides_the_configuration(
    js: jetstow.JetStreamContext, bucket: str
) -> None:
    config = BucketConfig(bucket="other", description="config", ttl=60)
    store = await js.create_object_store(bucket, config, description="params")
    status = await store.status()
    assert (status.bucket, status.description, status.ttl) == (bucket, "params", 60)


async def test_create_again_with_the_same_options(
    js: jetstow.JetStreamContext, bucket: str
) -> None:
    options: dict[str, Any] = {"description": "d", "ttl": 60, "max_bytes": 10_000}
    store = await js.create_object_store(bucket, **options)
    await store.put("a", b"x")
    again = await js.create_object_store(bucket, **options)
    assert (await again.get("a")).data == b"x"


@pytest.mark.parametrize(
    ("options", "differences"),
    [
        ({"description": "other"}, "description is None, not 'other'"),
        ({"ttl": 60, "max_bytes": 5}, "ttl is 0, not 60, max_bytes is -1, not 5"),
        ({"storage": "memory"}, "storage is 'file', not 'memory'"),
    ],
)
async def test_create_again_with_other_options(
    js: jetstow.JetStreamContext, bucket: str, options: dict[str, Any], differences: str
) -> None:
    """The error did not name the options that differ, or what to do."""
    store = await js.create_object_store(bucket)
    await store.put("a", b"x")
    with pytest.raises(BucketExistsError) as caught:
        await js.create_object_store(bucket, **options)
    assert caught.value.bucket == bucket
    assert caught.value.err_code == 10058
    assert str(caught.value) == (
        f"bucket {bucket!r} exists already with another configuration ({differences}): open it "
        "with object_store(), or change it with create_or_update_object_store()"
    )
    assert isinstance(caught.value, FileExistsError | nats_js.BadRequestError)
    assert (await store.get("a")).data == b"x"
    assert (await store.status()).description is None


async def test_create_of_a_bucket_from_nats_py(
    js: jetstow.JetStreamContext, raw: Client, bucket: str
) -> None:
    """A program that creates its bucket at the start must work after its import changes."""
    theirs = await raw.jetstream().create_object_store(bucket, description="d")
    await theirs.put("a", b"x")
    ours = await js.create_object_store(bucket, description="d")
    assert (await ours.get("a")).data == b"x"
    await raw.jetstream().create_object_store(bucket, description="d")


async def test_longest_bucket_name(js: jetstow.JetStreamContext, bucket: str) -> None:
    name = f"{bucket}_".ljust(251, "X")
    store = await js.create_object_store(name)
    try:
        await store.put("a", b"x")
        assert (await store.get("a")).data == b"x"
        assert name in await js.object_store_names()
    finally:
        await js.delete_object_store(name)
