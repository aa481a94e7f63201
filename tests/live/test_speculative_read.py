"""Speculative reads: the chunks of a small object are requested together with its metadata."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

import jetstow
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.read import object_read, speculative
from jetstow._core.read.speculative import EarlyWindow
from jetstow._core.read.windows import Window
from jetstow.errors import ObjectDeletedError, ObjectNotFoundError
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

pytestmark = [pytest.mark.min_server("2.11.0"), pytest.mark.not_on_path("consumer")]


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[Window | None]:
    """The speculative window that every read used, or None."""
    windows: list[Window | None] = []
    request, take = speculative.request_early, EarlyWindow.take_window

    async def record_request(stream: Stream, context: ErrorContext) -> EarlyWindow | None:
        early = await request(stream, context)
        if early is None:
            windows.append(None)
        return early

    def record_take(early: EarlyWindow, info: jetstow.ObjectInfo) -> Window | None:
        windows.append(take(early, info))
        return windows[-1]

    monkeypatch.setattr(object_read, "request_early", record_request)
    monkeypatch.setattr(EarlyWindow, "take_window", record_take)
    return windows


@pytest.fixture
async def other_store(
    server: NatsServer, store: jetstow.ObjectStore
) -> AsyncIterator[jetstow.ObjectStore]:
    """The same bucket on another connection."""
    nc = await jetstow.connect(server.url)
    yield await nc.jetstream().object_store(store.bucket)
    await nc.close()


async def test_hit_after_put_or_get(
    store: jetstow.ObjectStore, other_store: jetstow.ObjectStore, taken: list[Window | None]
) -> None:
    await store.put("a", b"one")
    assert (await store.get("a")).data == b"one"
    assert (await other_store.get("a")).data == b"one"
    assert (await other_store.get("a")).data == b"one"
    assert [window is not None for window in taken] == [True, False, True]


async def test_miss_after_replacement(
    store: jetstow.ObjectStore, other_store: jetstow.ObjectStore, taken: list[Window | None]
) -> None:
    await store.put("a", b"one")
    await other_store.put("a", b"another")
    assert (await store.get("a")).data == b"another"
    assert taken == [None]
    assert store._bucket.api.inbox.inbound.used == 0


async def test_miss_after_delete_or_rename(
    store: jetstow.ObjectStore, other_store: jetstow.ObjectStore
) -> None:
    await store.put("a", b"one")
    await other_store.delete("a")
    with pytest.raises(ObjectDeletedError):
        await store.get("a")
    assert (await store.get("a", show_deleted=True)).data == b""
    await other_store.put("b", b"two")
    await store.get("b")
    await other_store.update_meta("b", jetstow.ObjectMeta(name="c"))
    with pytest.raises(ObjectNotFoundError):
        await store.get("b")
    assert store._bucket.api.inbox.inbound.used == 0


async def test_large_object_is_not_speculated(
    store: jetstow.ObjectStore, taken: list[Window | None]
) -> None:
    await store.put("a", some_bytes(131_073))
    assert (await store.get("a")).data == some_bytes(131_073)
    assert taken == [None]


async def test_small_object_with_many_chunks(
    store: jetstow.ObjectStore, taken: list[Window | None]
) -> None:
    options = jetstow.ObjectMetaOptions(max_chunk_size=100)
    await store.put("a", some_bytes(1_501), jetstow.ObjectMeta(options=options))
    assert (await store.get("a")).data == some_bytes(1_501)
    assert taken[0] is not None


async def test_location_cache_is_bounded(store: jetstow.ObjectStore) -> None:
    cache = store._bucket.locations
    for i in range(5_000):
        cache.remember(jetstow.ObjectInfo(name=str(i), bucket="b", nuid="n", size=1, chunks=1))
    assert cache.get("0") is None
    assert cache.get("4999") == ("n", 1, 1)
    cache.remember(jetstow.ObjectInfo(name="4999", bucket="b", nuid="n", size=0, chunks=0))
    assert cache.get("4999") is None
