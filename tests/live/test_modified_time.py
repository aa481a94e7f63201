"""The time of what put and other verbs return is the server's, as get_info returns it."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

import jetstow
from jetstow import ObjectMeta
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


async def test_time_needs_no_round_trip(
    server: NatsServer, store: jetstow.ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request is sent before the acknowledgement arrives, and once."""
    from jetstow._core.write.metadata_publish import MetadataPublish

    was_sent: list[bool] = []
    time = MetadataPublish.time

    async def record(publish: MetadataPublish, revision: int) -> str | None:
        was_sent.append(publish._reading is not None)
        return await time(publish, revision)

    async with Proxy(server.port, delay=0.1) as proxy, await jetstow.connect(proxy.url) as nc:
        delayed = await nc.jetstream().object_store(store.bucket)
        await delayed.put("warm", b"x")
        monkeypatch.setattr(MetadataPublish, "time", record)
        counter = RoundTripCounter(monkeypatch)
        info = await delayed.put("a", b"x")
        assert (was_sent, counter.requests) == ([True], 4)
    assert info == await store.get_info("a")


async def test_object_replaced_at_once_has_no_time(
    store: jetstow.ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its metadata is gone, so that its time is unknown. The other object's would be wrong."""
    from jetstow._core.write.metadata_publish import MetadataPublish

    read = MetadataPublish._read

    async def replace_first(publish: MetadataPublish) -> object:
        monkeypatch.setattr(MetadataPublish, "_read", read)
        await store.put("a", b"other")
        return await read(publish)

    monkeypatch.setattr(MetadataPublish, "_read", replace_first)
    info = await store.put("a", b"x")
    assert (info.mtime, info.modified) == (None, None)
    current = (await store.get_info("a")).modified
    assert current is not None
    assert datetime.datetime.now(datetime.UTC) - current < datetime.timedelta(hours=1)
