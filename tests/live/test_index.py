"""index: pages of names in order, as current as the stream leader."""

from __future__ import annotations

import asyncio
import base64
import datetime
import json
from typing import Any

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta
from jetstow._core.read import bucket_index
from jetstow.errors import BucketNotFoundError, InvalidOptionError
from tests.support import object_builder, raw_stream
from tests.support.proxy import Proxy
from tests.support.servers import NatsServer

pytestmark = pytest.mark.one_path

NAMES = ["b", "a", "dir/2", "dir/1", "dir/sub/3", "z/1"]


async def fill(store: jetstow.ObjectStore, names: list[str]) -> None:
    for name in names:
        await store.put(name, name.encode())


async def names_of(index: jetstow.BucketIndex, *args: Any, **query: Any) -> list[str]:
    page = await index.page(*args, **query)
    return sorted([entry.name for entry in page.entries] + page.prefixes)


async def test_pages(store: jetstow.ObjectStore) -> None:
    async with store.index() as index:
        assert await index.page() == jetstow.IndexPage([], [], None)
        await fill(store, NAMES)
        assert [entry.name for entry in (await index.page()).entries] == sorted(NAMES)
        page = await index.page(delimiter="/", limit=3)
        assert ([entry.name for entry in page.entries], page.prefixes) == (["a", "b"], ["dir/"])
        assert page.next == "dir/"
        page = await index.page(delimiter="/", after=page.next)
        assert ([entry.name for entry in page.entries], page.prefixes) == ([], ["z/"])
        assert await names_of(index, "dir/", delimiter="/") == ["dir/1", "dir/2", "dir/sub/"]


async def test_changes_since_a_page(store: jetstow.ObjectStore) -> None:
    await fill(store, NAMES)
    async with store.index() as index:
        page = await index.page()
        assert await index.changes(page.revision) == {}
        info = await store.put("a", b"new")
        await store.rename("b", "c")
        await store.delete("z/1")
        changes = await index.changes(page.revision)
        assert changes is not None
        assert {name for name, entry in changes.items() if entry is None} == {"b", "z/1"}
        assert {name for name, entry in changes.items() if entry is not None} == {"a", "c"}
        entry = changes["a"]
        assert entry is not None
        assert (entry.size, entry.revision) == (3, info.revision)
        later = await index.page(limit=0)
        assert later.revision > page.revision
        assert (later.entries, await index.changes(later.revision)) == ([], {})
        assert await index.changes(info.revision - 1) is not None
        assert await index.changes(page.revision - 1) is None, "from before it was filled"


async def test_entry_is_what_the_info_has(store: jetstow.ObjectStore, raw: Client) -> None:
    info = await store.put("a", b"12345", metadata={"etag": "e", "other": "o"}, tags=["raw"])
    plain = await store.put("b", b"1")
    await store.add_link("c", "a")
    fields = await object_builder.write_object(raw, store.bucket, "d", [b"xyz"], digest=None)
    async with store.index(metadata=["sum", "etag"]) as index:
        entries = {entry.name: entry for entry in (await index.page()).entries}
    entry = entries["a"]
    assert (entry.size, entry.revision, entry.digest) == (5, info.revision, info.digest)
    assert entry.modified == info.modified
    assert (entry.metadata, entry.is_link, entry.expires) == ((None, "e"), False, 0)
    assert (entries["b"].metadata, entries["b"].digest) == ((), plain.digest)
    assert entries["c"].is_link
    assert (entries["d"].digest, entries["d"].nuid) == ("", fields["nuid"])


async def test_every_acknowledged_write_is_on_the_page(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    """Writes of other clients, too: the index waits for what the leader has already."""
    expected: dict[str, int] = {}
    async with store.index() as index:
        for number in range(60):
            name = f"{number % 7}"
            if number % 3 == 2 and name in expected:
                await store.delete(name)
                del expected[name]
            elif number % 3 == 1:
                expected[name] = (await store.put(name, b"x")).revision
            else:
                await object_builder.write_object(raw, store.bucket, name, [b"x"])
                expected[name] = (await store.get_info(name)).revision
            found = {entry.name: entry.revision for entry in (await index.page()).entries}
            assert found == expected


async def test_changes_of_names(store: jetstow.ObjectStore) -> None:
    await fill(store, ["a", "b"])
    async with store.index(metadata=["key"]) as index:
        await store.rename("a", "c")
        assert await names_of(index) == ["b", "c"]
        await store.update_meta("b", ObjectMeta(metadata={"key": "new"}))
        assert (await index.page()).entries[0].metadata == ("new",)
        await store.delete_many(["b", "c"])
        assert await names_of(index) == []
        await fill(store, ["b"])
        assert await names_of(index) == ["b"]


async def test_concurrent_pages_and_writes(store: jetstow.ObjectStore) -> None:
    async def write_and_list(index: jetstow.BucketIndex, worker: int) -> None:
        for number in range(15):
            name = f"{worker}/{number}"
            await store.put(name, b"x")
            assert name in await names_of(index, f"{worker}/")

    async with store.index() as index:
        await asyncio.gather(*(write_and_list(index, worker) for worker in range(8)))
        assert len((await index.page()).entries) == 120


async def test_older_metadata_of_a_name(store: jetstow.ObjectStore, raw: Client) -> None:
    """The JavaScript client leaves old metadata in the stream."""
    for size in (1, 2):
        body = {"name": "a", "bucket": store.bucket, "nuid": "N", "size": size, "chunks": 0}
        await raw_stream.write_metadata(raw, store.bucket, "a", body)
    async with store.index() as index:
        assert [entry.size for entry in (await index.page()).entries] == [2]


async def test_unreadable_metadata_is_left_out(store: jetstow.ObjectStore, raw: Client) -> None:
    await fill(store, ["a", "b"])
    async with store.index() as index:
        await raw.request(raw_stream.meta_subject(store.bucket, "a"), b"no JSON", timeout=5)
        for subject in (f"$O.{store.bucket}.M.no.name", f"$O.{store.bucket}.M.other"):
            await raw.request(subject, json.dumps({"nuid": "N"}).encode(), timeout=5)
        assert await names_of(index) == ["b"]
        await fill(store, ["a"])
        assert await names_of(index) == ["a", "b"]


async def test_encrypted_objects_have_their_plain_size(store: jetstow.ObjectStore) -> None:
    vault = store.encrypted(bytes(32))
    await vault.put("a", b"12345")
    async with vault.index() as index:
        assert [entry.size for entry in (await index.page()).entries] == [5]


# -- buckets, consumers and connections that are lost ------------------------------------------


async def test_bucket_created_again(js: jetstow.JetStreamContext, bucket: str) -> None:
    """The new bucket has fewer messages: a question for later ones has no answer."""
    store = await js.create_object_store(bucket)
    await fill(store, NAMES)
    async with store.index() as index:
        assert len(await names_of(index)) == len(NAMES)
        for names in (["new"], []):
            await js.delete_object_store(bucket)
            with pytest.raises(BucketNotFoundError):
                await index.page()
            store = await js.create_object_store(bucket)
            await fill(store, names)
            assert await names_of(index) == names
        await js.delete_object_store(bucket)
        store = await js.create_object_store(bucket)
        await fill(store, ["other"])
        assert await names_of(index) == ["other"]
    await js.delete_object_store(bucket)


async def test_missing_bucket(js: jetstow.JetStreamContext, bucket: str) -> None:
    store = await js.create_object_store(bucket)
    await js.delete_object_store(bucket)
    with pytest.raises(BucketNotFoundError):
        await store.index()


async def test_lost_consumer(store: jetstow.ObjectStore, raw: Client) -> None:
    await fill(store, ["a"])
    async with store.index() as index:
        assert await names_of(index) == ["a"]
        for consumer in await raw.jetstream().consumers_info(f"OBJ_{store.bucket}"):
            await raw.jetstream().delete_consumer(f"OBJ_{store.bucket}", consumer.name)
        await fill(store, ["b"])
        await store.delete("a")
        assert await asyncio.gather(*(names_of(index) for _ in range(5))) == [["b"]] * 5
    assert await raw_stream.consumer_count(raw, store.bucket) == 0


async def test_lost_connection(server: NatsServer, store: jetstow.ObjectStore) -> None:
    async with (
        Proxy(server.port) as proxy,
        jetstow.connect(proxy.url, reconnect_time_wait=0.01, max_reconnect_attempts=-1) as nc,
    ):
        behind = await nc.jetstream().object_store(store.bucket)
        async with behind.index() as index:
            for number in range(3):
                await fill(store, [f"{number}"])
                proxy.cut()
                await fill(store, [f"{number}/after"])
                assert len(await names_of(index)) == 2 * (number + 1)


# -- removed without a message -----------------------------------------------------------------


async def test_purged_object(
    store: jetstow.ObjectStore, raw: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket_index, "_MIN_CHECK_INTERVAL", 0.0)
    monkeypatch.setattr(bucket_index, "_NAMES_PER_SECOND", 10**9)
    await fill(store, ["a", "b", "c"])
    await store.delete("c")
    async with store.index() as index:
        assert await names_of(index) == ["a", "b"]
        subject = raw_stream.meta_subject(store.bucket, "a")
        await raw.jetstream().purge_stream(f"OBJ_{store.bucket}", subject=subject)
        assert await names_of(index) == ["b"]
        await fill(store, ["a"])
        assert await names_of(index) == ["a", "b"]
        await raw.jetstream().purge_stream(f"OBJ_{store.bucket}")
        assert await names_of(index) == []


async def test_bucket_with_an_age_limit(js: jetstow.JetStreamContext, bucket: str) -> None:
    store = await js.create_object_store(bucket, ttl=1)
    info = await store.put("a", b"x")
    assert info.modified is not None
    async with store.index() as index:
        while names := await names_of(index):
            assert names == ["a"]
            await asyncio.sleep(0.02)
        assert datetime.datetime.now(datetime.UTC) >= info.modified + datetime.timedelta(seconds=1)
        await store.put("b", b"x")
        assert await names_of(index) == ["b"]
    await js.delete_object_store(bucket)


@pytest.mark.min_server("2.11")
async def test_object_with_a_ttl(store: jetstow.ObjectStore) -> None:
    await store.put("a", b"x", ttl=1)
    await fill(store, ["b"])
    async with store.index() as index:
        first = (await index.page()).entries[0]
        assert first.expires > first.time
        while await names_of(index) != ["b"]:
            await asyncio.sleep(0.02)


# -- limits, options ----------------------------------------------------------------------------


async def test_too_many_names_are_read_for_each_page(store: jetstow.ObjectStore) -> None:
    await fill(store, NAMES)
    async with store.index(max_names=3) as index:
        assert await names_of(index) == sorted(NAMES)
        page = await index.page(delimiter="/", limit=3)
        assert (page.prefixes, page.next) == (["dir/"], "dir/")
        await store.delete("a")
        await fill(store, ["c"])
        assert await names_of(index, limit=2) == ["b", "c"]
        await index.close()


async def test_bucket_that_becomes_too_large_and_small_again(
    js: jetstow.JetStreamContext, bucket: str
) -> None:
    store = await js.create_object_store(bucket)
    await fill(store, ["a"])
    async with store.index(max_names=4) as index:
        assert await names_of(index) == ["a"]
        await fill(store, NAMES)
        assert await names_of(index) == sorted(NAMES)
        await js.delete_object_store(bucket)
        store = await js.create_object_store(bucket)
        await fill(store, ["b"])
        assert await names_of(index) == ["b"]
        await fill(store, ["c"])
        assert await names_of(index) == ["b", "c"]
    await js.delete_object_store(bucket)


async def test_closed_index(store: jetstow.ObjectStore, raw: Client) -> None:
    index = await store.index()
    await index.page()
    await index.close()
    await index.close()
    assert await raw_stream.consumer_count(raw, store.bucket) == 0
    with pytest.raises(ValueError, match="closed"):
        await index.page()


async def test_index_closed_during_a_page(store: jetstow.ObjectStore, raw: Client) -> None:
    await fill(store, NAMES)
    index = await store.index()
    pages = [asyncio.create_task(index.page()) for _ in range(3)]
    await asyncio.sleep(0)
    await index.close()
    for outcome in await asyncio.gather(*pages, return_exceptions=True):
        assert isinstance(outcome, jetstow.IndexPage | ValueError)
    assert await raw_stream.consumer_count(raw, store.bucket) == 0


@pytest.mark.parametrize(
    "options", [{"metadata": "etag"}, {"metadata": [1]}, {"max_names": -1}, {"max_names": "1"}]
)
async def test_invalid_options(store: jetstow.ObjectStore, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidOptionError, match=next(iter(options))):
        store.index(**options)


@pytest.mark.parametrize(
    "query", [{"prefix": 1}, {"after": None}, {"delimiter": b"/"}, {"limit": -1}, {"limit": "1"}]
)
async def test_invalid_query(store: jetstow.ObjectStore, query: dict[str, Any]) -> None:
    async with store.index() as index:
        with pytest.raises(InvalidOptionError, match=next(iter(query))):
            await index.page(**query)


async def test_name_that_is_not_canonical(store: jetstow.ObjectStore, raw: Client) -> None:
    encoded = base64.urlsafe_b64encode(b"ab").decode().rstrip("=")
    await raw.request(f"$O.{store.bucket}.M.{encoded}", b'{"nuid": "N"}', timeout=5)
    async with store.index() as index:
        assert await names_of(index) == []
