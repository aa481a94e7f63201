"""Invalid names and options of buckets: one error each, before or after the server has it."""

from __future__ import annotations

from typing import Any

import pytest

import jetstow
from jetstow.errors import BucketNotFoundError, InvalidBucketNameError, InvalidOptionError
from tests.support.servers import NatsServer, version_key

pytestmark = [pytest.mark.one_path, pytest.mark.usefixtures("delete_bucket")]


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "a.b", "a*", "a>", "a/b", "größe", "a\n", "x" * 252, None, 7, b"a"]
)
async def test_invalid_bucket_name(js: jetstow.JetStreamContext, name: Any) -> None:
    for use in (
        js.create_object_store,
        js.update_object_store,
        js.create_or_update_object_store,
        js.object_store,
        js.delete_object_store,
    ):
        with pytest.raises(InvalidBucketNameError):
            await use(name)


@pytest.mark.parametrize(
    "options",
    [
        {"histroy": 1},
        {"ttl": -1},
        {"ttl": "1h"},
        {"ttl": True},
        {"ttl": float("nan")},
        {"ttl": float("inf")},
        {"max_bytes": "1G"},
        {"max_bytes": 1.5},
        {"max_bytes": -2},
        {"max_bytes": 2**63},
        {"compression": "gzip"},
        {"compression": 7},
        {"replicas": 6},
        {"replicas": -1},
        {"replicas": "1"},
        {"storage": "tape"},
        {"storage": 7},
        {"description": 7},
        {"description": "d" * 5_000},
        {"description": "half of a pair \ud800"},
        {"metadata": {"a": 1}},
        {"metadata": {"a": {1}}},
        {"metadata": "text"},
        {"placement": "cluster"},
        {"placement": {"cluster": 7}},
        {"config": {"description": "d"}},
        {"config": "text"},
    ],
    ids=lambda options: ascii(options)[:40],
)
async def test_invalid_option(
    js: jetstow.JetStreamContext, bucket: str, options: dict[str, Any]
) -> None:
    with pytest.raises(InvalidOptionError) as caught:
        await js.create_object_store(bucket, **options)
    assert caught.value.bucket == bucket
    assert isinstance(caught.value, ValueError)
    with pytest.raises(BucketNotFoundError):
        await js.object_store(bucket)
    store = await js.create_object_store(bucket)
    with pytest.raises(InvalidOptionError) as caught:
        await js.update_object_store(bucket, **options)
    assert caught.value.bucket == bucket
    assert (await store.put("a", b"x")).size == 1


async def test_storage_is_checked_here(js: jetstow.JetStreamContext, bucket: str) -> None:
    """The error was the server's, about JSON that it cannot unmarshal."""
    with pytest.raises(InvalidOptionError, match="must be 'file' or 'memory', not 'tape'"):
        await js.create_object_store(bucket, storage="tape")  # type: ignore[arg-type]
    store = await js.create_object_store(bucket, storage=jetstow.StorageType.MEMORY)
    assert (await store.status()).storage_type == "memory"


async def test_more_replicas_than_servers(js: jetstow.JetStreamContext, bucket: str) -> None:
    with pytest.raises(InvalidOptionError, match="replicas") as caught:
        await js.create_object_store(bucket, replicas=3)
    assert (caught.value.bucket, caught.value.err_code) == (bucket, 10074)


async def test_versions_need_server_2_10(
    server: NatsServer, js: jetstow.JetStreamContext, bucket: str
) -> None:
    if version_key(server.version) >= (2, 10):
        store = await js.create_object_store(bucket, versioned=True)
        assert (await store.status()).versioning == "enabled"
        return
    with pytest.raises(InvalidOptionError, match=r"cannot have versions: .* older than 2\.10"):
        await js.create_object_store(bucket, versioned=True)
    await js.create_object_store(bucket)
    with pytest.raises(InvalidOptionError, match=r"cannot have versions"):
        await js.update_object_store(bucket, versioned=True)
