"""list: every object once, with the metadata of `get_info`."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import aclosing

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta
from jetstow._core.read import listing
from jetstow.errors import BucketNotFoundError, JetstowError, PermissionDeniedError
from tests.support import object_builder, raw_stream
from tests.support.round_trips import RoundTripCounter
from tests.support.samples import ASCII_NAMES, UNICODE_NAMES, some_bytes
from tests.support.servers import NatsServer

pytestmark = pytest.mark.every_version


async def names_of(store: jetstow.ObjectStore, *, ignore_deletes: bool = True) -> list[str]:
    return [info.name for info in await store.list(ignore_deletes=ignore_deletes)]


async def write_names(raw: Client, bucket: str, names: list[str], **fields: object) -> None:
    """Publish metadata of empty objects without waiting for each reply."""
    for name in names:
        body = {"name": name, "bucket": bucket, "nuid": "none", "size": 0, "chunks": 0} | fields
        await raw.publish(
            raw_stream.meta_subject(bucket, name),
            json.dumps(body).encode(),
            headers={"Nats-Rollup": "sub"},
        )
    await raw_stream.write_metadata(raw, bucket, "last", {"nuid": "none"})


async def test_empty_bucket(store: jetstow.ObjectStore) -> None:
    assert await store.list() == []
    assert [info async for info in store.list()] == []


async def test_entries_equal_get_info(store: jetstow.ObjectStore) -> None:
    await store.put("plain", b"x")
    meta = ObjectMeta(description="d", headers={"A": ["1", "2"]}, metadata={"k": "v"})
    await store.put("described", some_bytes(300_000), meta)
    await store.put("empty", b"")
    await store.add_link("link", "plain")
    await store.add_bucket_link("all", store)
    infos = await store.list()
    assert len(infos) == 5
    for info in infos:
        assert info == await store.get_info(info.name)
        assert isinstance(info, jetstow.ObjectInfo)


async def test_order_is_by_revision(store: jetstow.ObjectStore) -> None:
    for name in ("c", "a", "b", "d"):
        await store.put(name, b"x")
    await store.put("c", b"again")
    await store.update_meta("a", ObjectMeta(description="d"))
    infos = await store.list()
    assert [info.name for info in infos] == ["b", "d", "c", "a"]
    assert [info.revision for info in infos] == sorted(info.revision for info in infos)


async def test_ignore_deletes(store: jetstow.ObjectStore) -> None:
    for name in ("a", "b", "c"):
        await store.put(name, b"x")
    await store.delete("b")
    assert await names_of(store) == ["a", "c"]
    assert await names_of(store, ignore_deletes=False) == ["a", "c", "b"]
    assert [info.deleted for info in await store.list(ignore_deletes=False)] == [False, False, True]
    await store.put("b", b"y")
    assert await names_of(store) == ["a", "c", "b"]
    await store.update_meta("b", ObjectMeta(name="renamed"))
    assert await names_of(store, ignore_deletes=False) == ["a", "c", "renamed", "b"]


async def test_listing_can_be_awaited_and_iterated_repeatedly(
    store: jetstow.ObjectStore,
) -> None:
    listing = store.list()
    assert await listing == []
    await store.put("a", b"x")
    assert [info.name for info in await listing] == ["a"]
    assert [info.name async for info in listing] == ["a"]


async def test_ascii_and_unicode_names(store: jetstow.ObjectStore) -> None:
    names = [*ASCII_NAMES, *UNICODE_NAMES]
    for name in names:
        await store.put(name, b"")
    assert await names_of(store) == names


async def test_more_objects_than_one_batch(store: jetstow.ObjectStore, raw: Client) -> None:
    names = [f"object {number}" for number in range(2_100)]
    await write_names(raw, store.bucket, names)
    assert await names_of(store) == [*names, "last"]


async def test_large_metadata(store: jetstow.ObjectStore, raw: Client) -> None:
    names = [f"object {number}" for number in range(12)]
    await write_names(raw, store.bucket, names, description="d" * 500_000)
    infos = await store.list()
    assert [info.name for info in infos] == [*names, "last"]
    assert {len(info.description or "") for info in infos[:-1]} == {500_000}


async def test_chunks_between_metadata_messages(store: jetstow.ObjectStore, raw: Client) -> None:
    for number in range(5):
        await store.put(f"object {number}", some_bytes(300_000))
        await object_builder.write_chunks(raw, store.bucket, [b"orphan"] * 50)
    assert await names_of(store) == [f"object {number}" for number in range(5)]


async def test_concurrent_writes_are_listed_once_or_not_at_all(store: jetstow.ObjectStore) -> None:
    for number in range(20):
        await store.put(f"object {number}", b"x")
    done = asyncio.Event()

    async def write() -> None:
        for number in range(20):
            await store.put(f"object {number}", b"y")
            await store.put(f"new {number}", b"y")
        done.set()

    writing = asyncio.create_task(write())
    while not done.is_set():
        found = await names_of(store)
        assert len(found) == len(set(found)), "no name twice"
        assert {f"object {number}" for number in range(20)} <= set(found), (
            "every object from before the list"
        )
    await writing


async def test_iteration_with_concurrent_writes_misses_no_object(
    store: jetstow.ObjectStore,
) -> None:
    """An object that changes is yielded again with its newer revision."""
    for number in range(20):
        await store.put(f"object {number}", b"x")
    done = asyncio.Event()

    async def write() -> None:
        for number in range(60):
            await store.put(f"object {number % 20}", b"y")
        done.set()

    writing = asyncio.create_task(write())
    while not done.is_set():
        revisions: dict[str, int] = {}
        async for info in store.list():
            assert info.revision > revisions.get(info.name, 0)
            revisions[info.name] = info.revision
        assert len(revisions) == 20
    await writing


async def test_iteration_yields_before_the_last_batch(
    store: jetstow.ObjectStore, raw: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_BATCH_MESSAGES", 100)
    names = [f"object {number}" for number in range(500)]
    await write_names(raw, store.bucket, names)
    round_trips = RoundTripCounter(monkeypatch)
    names_seen = []
    async with aclosing(aiter(store.list())) as infos:  # type: ignore[type-var]
        async for info in infos:
            names_seen.append(info.name)
            if len(names_seen) == 100:
                early = round_trips.requests
                # Another client publishes without a rollup, so the old message stays.
                subject = raw_stream.meta_subject(store.bucket, "object 400")
                await raw.request(subject, b'{"nuid": "new"}', timeout=5)
    in_order = [*names, "last", "object 400"]
    direct = store._bucket.has_batched_get
    assert names_seen == (in_order if direct else [*names, "last"])
    assert not direct or early < round_trips.requests


async def test_name_with_several_messages_is_listed_once(
    store: jetstow.ObjectStore, raw: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some clients leave old metadata messages. The list has the last one."""
    monkeypatch.setattr(listing, "_BATCH_MESSAGES", 3)
    for name in ("a", "b", "c", "d"):
        await store.put(name, b"x")
    for number in range(4):
        body = {"nuid": "n", "description": f"description {number}"}
        subject = raw_stream.meta_subject(store.bucket, "b")
        await raw.request(subject, json.dumps(body).encode(), timeout=5)
    for infos in ([info async for info in store.list()], await store.list()):
        assert [info.name for info in infos] == ["a", "c", "d", "b"]
        assert infos[-1].description == "description 3"


async def test_newest_message_deleted_or_unreadable(
    store: jetstow.ObjectStore, raw: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest message of a name counts, also if it is a delete marker or unreadable."""
    for name in ("a", "b", "c"):
        await store.put(name, b"x")
    for name, body in (("a", b'{"nuid": "n", "deleted": true}'), ("b", b"not JSON")):
        await raw.request(raw_stream.meta_subject(store.bucket, name), body, timeout=5)
    assert await names_of(store) == ["c"]
    assert [info.name async for info in store.list()] == ["c"]


async def test_iteration_stopped_early(store: jetstow.ObjectStore) -> None:
    for number in range(10):
        await store.put(f"object {number}", b"x")
    for _ in range(30):
        async for info in store.list():
            assert info.name == "object 0"
            break
    assert len(await store.list()) == 10


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not JSON",
        b"[]",
        b"{}",
        b'{"nuid": "\xff"}',
        b'{"nuid": "*", "size": 1}',
        b'{"nuid": "x", "size": "1"}',
        b'{"nuid": "x", "options": {"link": 7}}',
        b'{"nuid": "x", "y": ' + b"[" * 50_000,
    ],
    ids=lambda body: repr(body[:30]),
)
async def test_unreadable_metadata_does_not_hide_other_objects(
    store: jetstow.ObjectStore,
    raw: Client,
    body: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await store.put("a", b"x")
    await raw_stream.write_metadata(raw, store.bucket, "bad", body)
    await store.put("b", b"x")
    with caplog.at_level(logging.WARNING, "jetstow"):
        assert await names_of(store) == ["a", "b"]
    assert "'bad'" in caplog.text


@pytest.mark.parametrize("status", ["100", "204", "404", "408", "503"])
async def test_stored_status_header_does_not_end_the_list(
    store: jetstow.ObjectStore, raw: Client, status: str
) -> None:
    """An empty message with a `Status` header was taken for the end of the list."""
    await store.put("a", b"x")
    subject = raw_stream.meta_subject(store.bucket, "bad")
    await raw.request(subject, b"", headers={"Status": status}, timeout=5)
    await store.put("b", b"x")
    assert await names_of(store) == ["a", "b"]


@pytest.mark.parametrize("token", ["!!!", "YQ", "YR==", "a.b", "_w==", "="])
async def test_undecodable_subject_is_not_listed(
    store: jetstow.ObjectStore, raw: Client, token: str
) -> None:
    await store.put("a", b"x")
    body = b'{"name": "a", "nuid": "x"}'
    await raw.request(f"$O.{store.bucket}.M.{token}", body, timeout=5)
    assert await names_of(store) == ["a"]


async def test_list_of_a_deleted_bucket(
    store: jetstow.ObjectStore, js: jetstow.JetStreamContext
) -> None:
    await js.delete_object_store(store.bucket)
    with pytest.raises(BucketNotFoundError) as caught:
        await store.list()
    assert caught.value.bucket == store.bucket


async def test_list_without_permission(server: NatsServer) -> None:
    """With a request for each name, `list` raised an exception group."""
    users = (
        "authorization { users = [ { user: full, password: p }, { user: poor, password: p,"
        ' permissions: { publish: { deny: "$JS.API.STREAM.MSG.GET.>" } } } ] }'
    )
    with NatsServer(server.version, config=users) as own:
        full = await jetstow.connect(own.url, user="full", password="p")
        poor = await jetstow.connect(own.url, user="poor", password="p")
        store = await full.jetstream().create_object_store("b")
        for name in ("one", "two", "three"):
            await store.put(name, b"x")
        await object_builder.update_stream(full, "b", allow_direct=False)
        theirs = await poor.jetstream().object_store("b")
        with pytest.raises(PermissionDeniedError) as caught:
            await theirs.list()
        assert caught.value.bucket == "b"
        assert caught.value.subject == "$JS.API.STREAM.MSG.GET.OBJ_b"
        await poor.close()
        await full.close()


async def test_list_times_out_on_a_paused_server(server: NatsServer) -> None:
    with NatsServer(server.version) as own:
        nc = await jetstow.connect(own.url)
        store = await nc.jetstream(timeout=0.5).create_object_store("b")
        await store.put("a", b"x")
        own.pause()
        with pytest.raises(TimeoutError) as caught:
            await store.list()
        assert isinstance(caught.value, JetstowError)
        assert caught.value.bucket == "b"
        own.resume()
        assert await names_of(store) == ["a"]
        await nc.close()


async def test_metadata_that_is_not_one_line(store: jetstow.ObjectStore, raw: Client) -> None:
    """All metadata of a batch is decoded as lines: a line break must not shift the others."""
    names = [f"object {number}" for number in range(40)]
    for name in names:
        await store.put(name, name.encode())
    odd = {3: "{0}\n", 7: "\n{0}", 11: " ", 12: "{0}\n{0}", 20: "", 30: "{{\n{1}"}
    for number, form in odd.items():
        body = json.dumps(await raw_stream.metadata(raw, store.bucket, names[number]))
        subject = raw_stream.meta_subject(store.bucket, names[number])
        data = form.format(body, body[1:]).encode()
        await raw.request(subject, data, timeout=5, headers={"Nats-Rollup": "sub"})
    expected = {name for number, name in enumerate(names) if number not in {11, 12, 20}}
    infos = await store.list()
    assert {info.name for info in infos} == expected
    assert {info.name: info.size for info in infos} == {name: len(name) for name in expected}
    assert [info async for info in store.list()] == infos


async def test_name_in_the_metadata_of_another_object(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    """The name is that of the subject, whatever the metadata states."""
    await store.put("a", b"1")
    for name in ("b", "", "ä", "a/b"):
        await object_builder.write_object(raw, store.bucket, "c", [b"1"], name=name)
        assert {info.name for info in await store.list()} == {"a", "c"}
