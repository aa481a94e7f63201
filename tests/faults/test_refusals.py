"""Requests that the server rejects: one error at once, and the connection stays usable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import nats
import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import (
    AuthorizationError,
    BucketFullError,
    BucketNotFoundError,
    BucketSealedError,
    ConnectionLostError,
    JetstowError,
    JetStreamUnavailableError,
    NoServersError,
    PermissionDeniedError,
)
from tests.support import raw_stream
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer, free_port

DATA = some_bytes(50_000)
MANY_CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=1000))

# Longer than a test may take: an error that only comes with the timeout fails the test.
LONG = 50.0

USERS = """
accounts {
  A {
    jetstream: enabled
    users: [
      { user: all, password: pw }
      { user: no-chunks, password: pw, permissions { publish: { deny: ["$O.*.C.>"] } } }
      { user: no-names, password: pw, permissions { publish: { deny: ["$O.*.M.>"] } } }
      { user: no-info, password: pw, permissions { publish: { deny: ["$JS.API.STREAM.INFO.>"] } } }
      { user: no-read, password: pw, permissions {
          publish: { deny: ["$JS.API.STREAM.MSG.GET.>"] } } }
      { user: no-direct, password: pw, permissions {
          publish: { deny: ["$JS.API.DIRECT.GET.>"] } } }
      { user: no-chunks-out, password: pw, permissions {
          publish: { deny: ["$JS.API.DIRECT.GET.>", "$JS.API.CONSUMER.>"] } } }
      { user: no-inbox, password: pw, permissions { subscribe: { deny: ["_INBOX.>"] } } }
      { user: no-purge, password: pw, permissions {
          publish: { deny: ["$JS.API.STREAM.PURGE.>"] } } }
    ]
  }
  NOJS { users: [ { user: nojs, password: pw } ] }
}
"""


@pytest.fixture(scope="module")
def guarded() -> Iterator[NatsServer]:
    with NatsServer(config=USERS) as started:
        yield started


@pytest.fixture
async def owner(guarded: NatsServer, bucket: str) -> AsyncIterator[jetstow.ObjectStore]:
    """The bucket, opened by a user with all permissions."""
    async with await jetstow.connect(guarded.url, user="all", password="pw") as nc:
        store = await nc.jetstream().create_object_store(bucket)
        await store.put("a", DATA, MANY_CHUNKS)
        yield store
        await nc.jetstream().delete_object_store(bucket)


async def as_user(guarded: NatsServer, user: str) -> jetstow.Client:
    return await jetstow.connect(guarded.url, user=user, password="pw")


async def test_publish_of_chunks_denied(guarded: NatsServer, owner: jetstow.ObjectStore) -> None:
    async with await as_user(guarded, "no-chunks") as nc:
        store = await nc.jetstream(timeout=LONG).object_store(owner.bucket)
        with pytest.raises(PermissionDeniedError, match=r"\$O\..*\.C\.") as caught:
            await store.put("a", DATA, MANY_CHUNKS)
        assert isinstance(caught.value, PermissionError)
        assert caught.value.subject
        assert (caught.value.bucket, caught.value.name) == (owner.bucket, "a")
        assert (await store.get("a")).data == DATA, "the connection is still usable"


async def test_publish_of_metadata_denied(guarded: NatsServer, owner: jetstow.ObjectStore) -> None:
    async with await as_user(guarded, "no-names") as nc:
        store = await nc.jetstream(timeout=LONG).object_store(owner.bucket)
        with pytest.raises(PermissionDeniedError):
            await store.put("b", DATA, MANY_CHUNKS)
        with pytest.raises(PermissionDeniedError):
            await store.delete("a")
        plain = await nats.connect(guarded.url, user="all", password="pw")
        assert sum((await raw_stream.chunks(plain, owner.bucket)).values()) == 50
        await plain.close()


@pytest.mark.parametrize("user", ["no-read", "no-chunks-out"])
async def test_read_denied(guarded: NatsServer, owner: jetstow.ObjectStore, user: str) -> None:
    async with await as_user(guarded, user) as nc:
        store = await nc.jetstream(timeout=LONG).object_store(owner.bucket)
        with pytest.raises(PermissionDeniedError):
            await store.get("a")


async def test_direct_get_denied(guarded: NatsServer, owner: jetstow.ObjectStore) -> None:
    async with await as_user(guarded, "no-direct") as nc:
        store = await nc.jetstream(timeout=LONG).object_store(owner.bucket)
        assert (await store.get("a")).data == DATA
        assert await store.get_range("a", 25_500, 10) == DATA[25_500:25_510]
        assert [info.name for info in await store.list()] == ["a"]


@pytest.mark.parametrize("user", ["no-info", "no-inbox"])
async def test_stream_info_or_inbox_denied(
    guarded: NatsServer, owner: jetstow.ObjectStore, user: str
) -> None:
    async with await as_user(guarded, user) as nc:
        with pytest.raises(PermissionDeniedError):
            await nc.jetstream(timeout=LONG).object_store(owner.bucket)
        with pytest.raises(PermissionDeniedError):
            await nc.jetstream(timeout=LONG).object_store(owner.bucket)


async def test_purge_denied(
    guarded: NatsServer, owner: jetstow.ObjectStore, caplog: pytest.LogCaptureFixture
) -> None:
    async with await as_user(guarded, "no-purge") as nc:
        store = await nc.jetstream(timeout=LONG).object_store(owner.bucket)
        await store.put("a", b"new")
        assert (await store.get("a")).data == b"new"
    assert "were not purged" in caplog.text


async def test_error_callback_gets_permission_errors(
    guarded: NatsServer, owner: jetstow.ObjectStore
) -> None:
    errors: asyncio.Queue[Exception] = asyncio.Queue()
    async with await jetstow.connect(
        guarded.url, user="no-chunks", password="pw", error_cb=errors.put
    ) as nc:
        store = await nc.jetstream().object_store(owner.bucket)
        with pytest.raises(PermissionDeniedError):
            await store.put("a", DATA)
        assert errors.empty(), "an error that was raised is not also reported"
        await nc.publish("$O.other.C.x", b"")
        assert "permissions violation" in str(await errors.get())


async def test_wrong_credentials(guarded: NatsServer) -> None:
    with pytest.raises(AuthorizationError) as caught:
        await jetstow.connect(guarded.url, user="all", password="sesame")
    assert isinstance(caught.value, PermissionError)
    address = guarded.url.replace("//", "//all:sesame@")
    with pytest.raises(AuthorizationError) as again:
        await jetstow.connect(address)
    assert "sesame" not in str(caught.value) + str(again.value)


async def test_no_server() -> None:
    with pytest.raises(NoServersError, match=r"127\.0\.0\.1") as caught:
        await jetstow.connect(f"nats://127.0.0.1:{free_port()}")
    assert isinstance(caught.value, nats.errors.NoServersError)
    assert isinstance(caught.value, ConnectionError)


async def test_account_without_jetstream(guarded: NatsServer) -> None:
    async with await as_user(guarded, "nojs") as nc:
        js = nc.jetstream(timeout=LONG)
        with pytest.raises(JetStreamUnavailableError):
            await js.create_object_store("b")
        with pytest.raises(JetStreamUnavailableError):
            await js.object_store("b")
        with pytest.raises(JetStreamUnavailableError):
            await js.object_store_names()


async def test_server_without_jetstream() -> None:
    with NatsServer(jetstream=None) as bare:
        async with await jetstow.connect(bare.url) as nc:
            with pytest.raises(JetStreamUnavailableError):
                await nc.jetstream(timeout=LONG).object_store("b")


async def test_full_bucket(js: jetstow.JetStreamContext, bucket: str, raw: Client) -> None:
    store = await js.create_object_store(bucket, max_bytes=200_000)
    await store.put("a", DATA)
    before = await raw_stream.subjects(raw, bucket)
    with pytest.raises(BucketFullError, match="a limit of the bucket is reached") as caught:
        await store.put("a", some_bytes(400_000), MANY_CHUNKS)
    assert isinstance(caught.value, OSError)
    assert (caught.value.bucket, caught.value.name) == (bucket, "a")
    assert await raw_stream.subjects(raw, bucket) == before
    assert (await store.get("a")).data == DATA
    await js.delete_object_store(bucket)


SMALL_ACCOUNT = "accounts { A { jetstream: {max_file: 300K}, users: [{user: a, password: a}] } }"


async def test_full_server_and_account() -> None:
    """The error was only the server's "insufficient resources": full was the disk, or what?"""
    for settings, reason in (
        ({"jetstream": "max_file_store: 300K"}, "the disk of the server is full, or its max_file"),
        ({"config": SMALL_ACCOUNT}, "the account's limit is reached: delete objects"),
    ):
        with NatsServer(**settings) as small:
            async with await jetstow.connect(small.url, user="a", password="a") as nc:
                store = await nc.jetstream().create_object_store("b")
                await store.put("a", DATA)
                with pytest.raises(BucketFullError, match=reason):
                    await store.put("a", some_bytes(1_000_000), MANY_CHUNKS)
                assert (await store.get("a")).data == DATA
                with pytest.raises(
                    BucketFullError, match="the max_bytes of all file buckets would"
                ):
                    await nc.jetstream().create_object_store("c", max_bytes=1 << 40)


@pytest.mark.parametrize("change", ["put", "delete", "update_meta", "rename", "add_link", "open"])
async def test_sealed_bucket(store: jetstow.ObjectStore, change: str) -> None:
    info = await store.put("a", DATA)
    await store.seal()

    async def write() -> None:
        async with store.open("b", "wb") as file:
            await file.write(DATA)

    changes = {
        "put": lambda: store.put("a", DATA),
        "delete": lambda: store.delete("a"),
        "update_meta": lambda: store.update_meta("a", ObjectMeta(name="a", description="x")),
        "rename": lambda: store.update_meta("a", ObjectMeta(name="b")),
        "add_link": lambda: store.add_link("link", info),
        "open": write,
    }
    with pytest.raises(BucketSealedError, match="sealed") as caught:
        await changes[change]()
    assert caught.value.bucket == store.bucket
    assert (await store.get("a")).data == DATA
    assert (await store.status()).sealed


async def test_bucket_deleted_during_a_put(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore
) -> None:
    async def source() -> AsyncIterator[bytes]:
        yield DATA
        await js.delete_object_store(store.bucket)
        yield DATA

    with pytest.raises(BucketNotFoundError) as caught:
        await store.put("a", source(), MANY_CHUNKS)
    assert caught.value.bucket == store.bucket
    for call in (store.get("a"), store.get_info("a"), store.delete("a"), store.status()):
        with pytest.raises(BucketNotFoundError):
            await call
    with pytest.raises(BucketNotFoundError):
        await store.list()


async def test_closed_connection(server: NatsServer, store: jetstow.ObjectStore) -> None:
    nc = await jetstow.connect(server.url)
    closed = await nc.jetstream().object_store(store.bucket)
    await nc.close()
    for call in (closed.put("a", DATA), closed.get("a"), closed.delete("a"), closed.status()):
        with pytest.raises(ConnectionLostError) as caught:
            await call
        assert isinstance(caught.value, nats.errors.ConnectionClosedError)
        assert isinstance(caught.value, JetstowError)
