"""A timedelta is accepted wherever seconds are."""

from __future__ import annotations

import datetime

import pytest

import jetstow
from jetstow.errors import InvalidOptionError, ObjectUnchangedError, TimeoutError
from jetstow.types import JetStreamOptions
from tests.support.servers import NatsServer

pytestmark = pytest.mark.one_path

HOUR = datetime.timedelta(hours=1)


@pytest.mark.min_server("2.11")
async def test_ttl_of_an_object(store: jetstow.ObjectStore) -> None:
    in_seconds = await store.put("a", b"x", ttl=3600)
    info = await store.put("b", b"x", ttl=HOUR)
    assert info.expires is not None
    assert in_seconds.expires is not None
    assert abs(info.expires - in_seconds.expires) < datetime.timedelta(minutes=1)
    async with store.open("c", "wb", ttl=datetime.timedelta(milliseconds=1)) as file:
        await file.write(b"x")
    for ttl in (datetime.timedelta(0), -HOUR, datetime.timedelta(days=100_000)):
        with pytest.raises(InvalidOptionError, match="seconds or a timedelta"):
            await store.put("a", b"x", ttl=ttl)


async def test_ttl_of_a_bucket(js: jetstow.JetStreamContext, bucket: str) -> None:
    store = await js.create_object_store(bucket, ttl=HOUR)
    assert (await store.status()).ttl == 3600
    config = jetstow.BucketConfig(ttl=2 * HOUR)
    assert (await (await js.update_object_store(bucket, config)).status()).ttl == 7200
    await js.create_object_store(bucket, ttl=7200)
    with pytest.raises(InvalidOptionError, match="seconds or a timedelta"):
        await js.update_object_store(bucket, ttl=-HOUR)
    await js.delete_object_store(bucket)


async def test_timeouts(server: NatsServer) -> None:
    options: JetStreamOptions = {"timeout": datetime.timedelta(seconds=3)}
    connecting = jetstow.connect(
        server.url,
        connect_timeout=datetime.timedelta(seconds=3),
        reconnect_time_wait=datetime.timedelta(milliseconds=100),
        ping_interval=datetime.timedelta(minutes=1),
    )
    async with connecting as nc:
        assert nc.options["connect_timeout"] == 3
        assert nc.options["ping_interval"] == 60
        for js in (nc.jetstream(**options), jetstow.jetstream(nc, **options)):
            assert js._timeout == 3
            assert isinstance(await js.object_store_names(), list)


async def test_timeout_of_a_watcher(store: jetstow.ObjectStore) -> None:
    async with store.watch(updates_only=True) as changes:
        with pytest.raises(TimeoutError, match=r"within 0\.01 seconds"):
            await changes.updates(datetime.timedelta(milliseconds=10))


async def test_ages_of_garbage(store: jetstow.ObjectStore) -> None:
    await store.put("a", b"x")
    await store.delete("a")
    result = await store.collect_garbage(grace=HOUR, deleted_for=HOUR)
    assert result.markers == 0
    result = await store.collect_garbage(grace=HOUR, deleted_for=datetime.timedelta(0))
    assert result.markers == 1
    with pytest.raises(InvalidOptionError, match="grace"):
        await store.collect_garbage(grace=-HOUR)


async def test_changed_since_a_time_ago(store: jetstow.ObjectStore) -> None:
    await store.put("a", b"x")
    assert (await store.get("a", if_changed_since=HOUR)).data == b"x"
    with pytest.raises(ObjectUnchangedError):
        await store.get("a", if_changed_since=-HOUR)
