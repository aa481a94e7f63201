"""A bucket that was deleted and created again while a store of it is open.

`test_watch_reconnect.py` has the tests of watchers.
"""

from __future__ import annotations

import pytest
from nats.aio.client import Client

import jetstow
from jetstow._core.read import listing
from jetstow.errors import BucketNotFoundError, ObjectNotFoundError, ServerError
from tests.support import raw_stream

pytestmark = [pytest.mark.one_path, pytest.mark.first_and_last_version]


async def recreate(raw: Client, bucket: str) -> None:
    """Delete the bucket and create it again with another object."""
    await raw_stream.request(raw, f"STREAM.DELETE.OBJ_{bucket}")
    await raw_stream.create(raw, bucket)
    body = {"name": "new", "nuid": "x", "size": 0, "chunks": 0}
    await raw_stream.write_metadata(raw, bucket, "new", body)


@pytest.fixture
async def store(js: jetstow.JetStreamContext, bucket: str) -> jetstow.ObjectStore:
    """A bucket in memory: files under deletion may leave old messages to a new bucket."""
    return await js.create_object_store(bucket, storage="memory")


@pytest.mark.min_server("2.11")
async def test_listing(
    store: jetstow.ObjectStore, raw: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It continued after the last revision of the old bucket, and ended without an error.

    Older servers return the whole list at the start.
    """
    monkeypatch.setattr(listing, "_BATCH_MESSAGES", 4)
    for number in range(20):
        await store.add_bucket_link(f"{number}", "other")
    names = []

    async def read_on() -> None:
        async for info in store.list():
            names.append(info.name)
            if len(names) == 2:
                await recreate(raw, store.bucket)

    with pytest.raises(BucketNotFoundError, match="deleted, and created again at 2"):
        await read_on()
    assert "new" not in names


async def test_listing_without_a_consumer(
    store: jetstow.ObjectStore, raw: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With replicas, the leader lists the names and is asked for each."""
    for number in range(3):
        await store.add_bucket_link(f"{number}", "other")
    bucket = store._bucket
    last_message, asked = bucket.last_message, []

    async def recreate_first(*args: object) -> object:
        asked.append(args)
        if len(asked) == 1:
            await recreate(raw, store.bucket)
        return await last_message(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(bucket, "last_message", recreate_first)
    bucket.config["num_replicas"] = 3
    with pytest.raises(BucketNotFoundError):
        await store.list()


async def test_cached_state_is_forgotten(store: jetstow.ObjectStore, raw: Client) -> None:
    await store.put("a", b"old")
    assert store._bucket.names.get("a") is not None
    created = (await store.status()).created
    await recreate(raw, store.bucket)
    assert (await store.status()).created != created
    assert store._bucket.names.get("a") is None
    with pytest.raises(ObjectNotFoundError):
        await store.get("a")
    await store.put("a", b"new")
    assert (await store.get("a")).data == b"new"


@pytest.mark.min_server("2.11")
async def test_put_with_a_ttl(store: jetstow.ObjectStore, raw: Client) -> None:
    """Every put of the open store with a `ttl` failed, as it assumed that TTLs were enabled."""
    await store.put("a", b"old", ttl=60)
    await recreate(raw, store.bucket)
    with pytest.raises(ServerError, match="TTL is disabled"):
        await store.put("a", b"new", ttl=60)
    info = await store.put("a", b"new", ttl=60)
    assert info.expires is not None
