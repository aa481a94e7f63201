"""The time of what put and other verbs return is the server's, as get_info returns it."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta
from jetstow._core.bucket import stored_times
from jetstow._core.bucket.stored_times import DatedReply, StoredTimes
from jetstow._core.transport.inbox import Inbox
from tests.support import object_builder
from tests.support.proxy import Proxy
from tests.support.round_trips import RoundTripCounter
from tests.support.servers import NatsServer

pytestmark = [pytest.mark.one_path, pytest.mark.every_version]


async def test_returned_info_is_that_of_get_info(
    store: jetstow.ObjectStore, tmp_path: Path
) -> None:
    """The time was that of the client's clock, and differed from the one in listings."""
    path = tmp_path / "file"
    path.write_bytes(b"x")
    for _ in range(5):  # new names, and names that are replaced
        infos = [
            await store.put("put", b"x"),
            await store.put_file(path),
            await store.put_file(path, "resumed", resume=True),
            await store.copy("put", "copy"),
            await store.add_link("link", "put"),
            await store.add_bucket_link("bucket", store),
        ]
        async with store.open("open", "wb") as file:
            await file.write(b"x")
        assert file.info is not None
        infos.append(file.info)
        for info in infos:
            assert info.mtime
            assert info == await store.get_info(info.name)
    changed = await store.update_meta("put", ObjectMeta(description="d"))
    assert changed == await store.get_info("put")
    renamed = await store.rename("put", "other")
    assert renamed == await store.get_info("other")


async def test_time_of_an_encrypted_object(store: jetstow.ObjectStore) -> None:
    vault = store.encrypted(bytes(32))
    assert await vault.put("a", b"data") == await vault.get_info("a")


@asynccontextmanager
async def _delayed(
    server: NatsServer, bucket: str
) -> AsyncIterator[tuple[jetstow.Client, jetstow.ObjectStore]]:
    """A connection with a round trip of 200 ms, and a bucket that it has written to."""
    async with Proxy(server.port, delay=0.1) as proxy, await jetstow.connect(proxy.url) as nc:
        delayed = await nc.jetstream().object_store(bucket)
        await delayed.put("warm", b"x")
        yield nc, delayed


async def test_time_needs_no_round_trip(
    server: NatsServer, store: jetstow.ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request is sent before the acknowledgement arrives, and once.

    A busy server may answer it too early, and it is repeated then. The names are new: the reply to
    a purge of replaced chunks could arrive in between.
    """
    counter = RoundTripCounter(monkeypatch)
    async with _delayed(server, store.bucket) as (nc, delayed):
        counts = set()
        for number in range(20):
            counter.reset()
            info = await delayed.put(f"new {number}", b"x")
            counts.add((counter.count, counter.requests))
            if (2, 3) in counts:
                break
        assert (2, 3) in counts
        counter.reset()
        infos = await asyncio.gather(*(delayed.put(f"{number}", b"x") for number in range(5)))
        assert counter.requests <= 4 * len(infos)
        if server.at_least("2.11"):
            assert counter.requests < 3 * len(infos), "the times are requested together"
        inbox = Inbox.for_client(nc)
        assert inbox.round_trip >= 0.2, "not only the time between the two replies"
    for each in (info, *infos):
        assert each == await store.get_info(each.name)


@pytest.mark.min_server("2.11")
async def test_times_of_many_puts_need_no_round_trip(
    server: NatsServer, store: jetstow.ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Storing all of them takes longer than storing one: the request came too early."""
    counter = RoundTripCounter(monkeypatch)
    async with _delayed(server, store.bucket) as (_, delayed):
        counts = set()
        for attempt in range(20):
            counter.reset()
            names = [f"{attempt}/{number}" for number in range(64)]
            await asyncio.gather(*(delayed.put(name, b"x") for name in names))
            counts.add(counter.count)
            if 2 in counts:
                break
        assert 2 in counts


async def test_times_of_concurrent_puts(store: jetstow.ObjectStore) -> None:
    """They are requested together."""
    names = [f"{number}" for number in range(300)]
    infos = await asyncio.gather(*(store.put(name, b"x") for name in names))
    assert sorted(infos, key=lambda info: int(info.name)) == infos
    for info in infos[::50]:
        assert info.mtime
        assert info == await store.get_info(info.name)


async def test_request_that_is_answered_too_early(
    store: jetstow.ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server reads it together with the message. It is repeated after the acknowledgement."""
    monkeypatch.setattr(stored_times, "_STORE_TIME", -1.0)
    for number in range(20):
        info = await store.put(f"{number}", b"x")
        assert info.mtime
        assert info == await store.get_info(f"{number}")


@pytest.mark.min_server("2.11")
async def test_time_without_direct_get(store: jetstow.ObjectStore, raw: Client) -> None:
    """Another client disabled it, which the open bucket does not notice."""
    await object_builder.update_stream(raw, store.bucket, allow_direct=False)
    for number in range(3):
        assert await store.put("a", bytes([number])) == await store.get_info("a")
    await asyncio.gather(*(store.put(f"{number}", b"x") for number in range(20)))


async def test_object_replaced_at_once_has_no_time(
    store: jetstow.ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its metadata is gone, so that its time is unknown. The other object's would be wrong."""
    request = StoredTimes.request
    replacing: list[asyncio.Task[None]] = []

    async def replace_and_request(times: StoredTimes, reply: DatedReply) -> None:
        await store.put("a", b"other")
        times.request(reply)

    def replace_first(times: StoredTimes, reply: DatedReply) -> None:
        monkeypatch.setattr(StoredTimes, "request", request)
        replacing.append(asyncio.create_task(replace_and_request(times, reply)))

    await store.put("warm", b"x")
    store._bucket.times._paused = 1_000  # no early request
    monkeypatch.setattr(StoredTimes, "request", replace_first)
    info = await store.put("a", b"x")
    assert (info.mtime, info.modified) == (None, None)
    current = (await store.get_info("a")).modified
    assert current is not None
    assert datetime.datetime.now(datetime.UTC) - current < datetime.timedelta(hours=1)
