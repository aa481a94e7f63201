"""A nats-py program keeps working: the types, the arguments, the errors that it knows."""

from __future__ import annotations

import inspect
import io
from collections.abc import AsyncIterator
from typing import Any

import nats
import nats.errors
import nats.js.errors as nats_js
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import api
from nats.js.client import JetStreamContext
from nats.js.object_store import ObjectStore as NatsObjectStore

import jetstow
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer


async def test_everything_is_an_instance_of_nats_pys_types(
    nc: jetstow.Client, store: jetstow.ObjectStore
) -> None:
    assert isinstance(nc, Client)
    assert isinstance(nc.jetstream(), JetStreamContext)
    assert isinstance(store, NatsObjectStore)
    assert isinstance(await store.put("a", b"x"), api.ObjectInfo)
    result = await store.get("a")
    assert isinstance(result, NatsObjectStore.ObjectResult)
    assert isinstance(result, store.ObjectResult)
    assert isinstance(result.info, api.ObjectInfo)
    assert isinstance(result.info.meta, api.ObjectMeta)
    assert isinstance(result.info.options, api.ObjectMetaOptions)
    assert isinstance(await store.get_info("a"), api.ObjectInfo)
    status = await store.status()
    assert isinstance(status, NatsObjectStore.ObjectStoreStatus)
    assert isinstance(status, store.ObjectStoreStatus)
    assert isinstance(status.stream_info, api.StreamInfo)
    watcher = await store.watch()
    assert isinstance(watcher, NatsObjectStore.ObjectWatcher)
    assert isinstance(watcher, store.ObjectWatcher)
    await watcher.stop()
    link = await store.add_link("link", "a")
    assert isinstance(link.link, api.ObjectLink)


async def test_the_private_names_that_programs_touch_are_there(
    store: jetstow.ObjectStore, js: jetstow.JetStreamContext
) -> None:
    assert store._name == store.bucket
    assert store._stream == f"OBJ_{store.bucket}"
    assert store._js is js
    assert (await store._js.stream_info(store._stream)).config.name == store._stream


def parameters(function: Any) -> list[inspect.Parameter]:
    return [*inspect.signature(function).parameters.values()]


STORE = [name for name, _ in inspect.getmembers(NatsObjectStore, inspect.iscoroutinefunction)]
CONTEXT = [name for name in vars(JetStreamContext) if name.endswith("object_store")]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        *((getattr(NatsObjectStore, n), getattr(jetstow.ObjectStore, n)) for n in STORE),
        *((getattr(JetStreamContext, n), getattr(jetstow.JetStreamContext, n)) for n in CONTEXT),
        (NatsObjectStore.ObjectWatcher.updates, jetstow.ObjectWatcher.updates),
        (NatsObjectStore.ObjectWatcher.stop, jetstow.ObjectWatcher.stop),
    ],
    ids=lambda function: function.__qualname__,
)
def test_a_method_takes_nats_pys_arguments_in_the_same_order(theirs: Any, ours: Any) -> None:
    known, extended = parameters(theirs), parameters(ours)
    for mine, their in zip(extended, known, strict=False):
        assert mine.name == their.name
        assert mine.kind == their.kind
        # `list` leaves the deleted ones out, as ADR-20 says and nats-py does not.
        if their.name != "ignore_deletes" or theirs.__name__ != "list":
            assert mine.default == their.default
    for more in extended[len(known) :]:
        assert more.default is not more.empty or more.kind == more.VAR_KEYWORD


def test_the_methods_of_nats_py_are_all_there() -> None:
    assert {"put", "get", "get_info", "list", "watch", "delete", "status", "seal"} <= set(STORE)
    assert set(CONTEXT) >= {"object_store", "create_object_store", "delete_object_store"}


@pytest.fixture(params=["nats-py", "jetstow", "jetstow on a nats-py connection"])
async def context(
    request: pytest.FixtureRequest, nc: jetstow.Client, raw: Client, bucket: str
) -> AsyncIterator[JetStreamContext]:
    """The same program runs on each of these."""
    contexts = {"nats-py": raw.jetstream, "jetstow": nc.jetstream}
    context = contexts.get(request.param, lambda: jetstow.jetstream(raw))()
    yield context
    await context.delete_object_store(bucket)


# Every call that nats-py's own documentation and tests make, by position and by name.


async def test_a_program_that_puts_and_gets(context: JetStreamContext, bucket: str) -> None:
    config = api.ObjectStoreConfig(description="a bucket", ttl=3600, max_bytes=10_000_000)
    store = await context.create_object_store(bucket, config=config, storage="file")
    assert (await context.object_store(bucket))._name == bucket

    info = await store.put("greeting", b"hello")
    assert (info.name, info.bucket, info.size, info.chunks) == ("greeting", bucket, 5, 1)
    assert info.digest == "SHA-256=LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="
    assert len(info.nuid) == 22
    assert not info.deleted
    assert not info.is_link()

    result = await store.get("greeting")
    assert result.data == b"hello"
    assert result.info.name == "greeting"

    data = some_bytes(1_000)
    meta = api.ObjectMeta(
        description="a description",
        headers={"key": "value"},
        options=api.ObjectMetaOptions(max_chunk_size=300),
    )
    info = await store.put("meta", io.BytesIO(data), meta)
    assert (info.chunks, info.description) == (4, "a description")
    written = io.BytesIO()
    result = await store.get("meta", written)
    assert written.getvalue() == data
    result = await store.get(name="meta", writeinto=None, show_deleted=False)
    assert result.data == data

    status = await store.status()
    assert (status.bucket, status.description, status.ttl) == (bucket, "a bucket", 3600)
    assert status.replicas == 1
    assert status.size > 0


async def test_a_program_that_watches(context: JetStreamContext, bucket: str) -> None:
    store = await context.create_object_store(bucket)
    await store.put("greeting", b"hello")
    await store.put("meta", b"x")
    watcher = await store.watch(False, False, False, False)
    names = []
    async for entry in watcher:
        if entry is None:
            break
        names.append(entry.name)
    assert names == ["greeting", "meta"]
    await store.update_meta("greeting", api.ObjectMeta(name="greeting", description="new"))
    updated = await watcher.updates(timeout=5)
    assert updated.description == "new"
    with pytest.raises(nats.errors.TimeoutError):
        await watcher.updates(0.01)
    await watcher.stop()

    assert [entry.name for entry in await store.list(ignore_deletes=True)] == ["meta", "greeting"]


async def test_a_program_that_deletes_and_seals(context: JetStreamContext, bucket: str) -> None:
    store = await context.create_object_store(bucket)
    await store.put("greeting", b"hello")
    await store.delete("greeting")
    with pytest.raises(nats_js.ObjectNotFoundError):
        await store.get("greeting")
    with pytest.raises(nats_js.NotFoundError):
        await store.get_info("greeting")
    assert (await store.get_info("greeting", True)).deleted
    assert (await store.get_info("greeting", show_deleted=True)).size == 0
    with pytest.raises(nats_js.ObjectDeletedError):
        await store.update_meta("never", api.ObjectMeta(name="never"))
    with pytest.raises(nats_js.ObjectNotFoundError):
        await store.delete("never")

    await store.seal()
    assert (await store.status()).sealed
    with pytest.raises(nats_js.APIError):
        await store.put("late", b"x")


async def test_the_errors_that_a_program_catches_when_a_bucket_is_missing(
    context: JetStreamContext, bucket: str
) -> None:
    with pytest.raises(nats_js.BucketNotFoundError):
        await context.object_store(bucket)
    with pytest.raises(nats_js.NotFoundError):
        await context.delete_object_store(bucket)
    for name in ("not.allowed", "", "a b"):
        with pytest.raises(nats_js.InvalidBucketNameError):
            await context.create_object_store(name)
        with pytest.raises(nats_js.InvalidBucketNameError):
            await context.object_store(name)
    await context.create_object_store(bucket=bucket)


async def test_a_nats_py_connection_stays_what_it_was(server: NatsServer, bucket: str) -> None:
    """Its callbacks are called, and its own object store works beside ours."""
    heard: list[str] = []

    async def on_error(error: Exception) -> None:
        heard.append(f"error {error}")

    async def on_closed() -> None:
        heard.append("closed")

    async def on_disconnected() -> None:
        heard.append("disconnected")

    plain = await nats.connect(
        server.url, error_cb=on_error, closed_cb=on_closed, disconnected_cb=on_disconnected
    )
    store = await jetstow.jetstream(plain).create_object_store(bucket)
    await store.put("a", b"ours")
    theirs = await plain.jetstream().object_store(bucket)
    assert (await theirs.get("a")).data == b"ours"
    await theirs.put("b", b"theirs")
    assert (await store.get("b")).data == b"theirs"

    async def answer(message: Msg) -> None:
        await message.respond(message.data)

    echo = await plain.subscribe("echo", cb=answer)
    assert (await plain.request("echo", b"hello", timeout=20)).data == b"hello"
    await echo.unsubscribe()
    await jetstow.jetstream(plain).delete_object_store(bucket)
    await plain.close()
    assert heard == ["disconnected", "closed"]


async def test_what_else_a_context_can_do_it_can_still_do(
    js: jetstow.JetStreamContext, bucket: str
) -> None:
    keys = await js.create_key_value(bucket=bucket)
    await keys.put("key", b"value")
    assert (await keys.get("key")).value == b"value"
    await js.delete_key_value(bucket)
    assert (await js.account_info()).limits is not None


async def test_a_jetstream_domain(server: NatsServer) -> None:
    """Requests carry its prefix, and consumers' replies have two tokens more."""
    with NatsServer(server.version, jetstream="domain: hub") as own:
        nc = await jetstow.connect(own.url)
        for js in (nc.jetstream(domain="hub"), nc.jetstream(prefix="$JS.hub.API")):
            store = await js.create_object_store("b")
            data = some_bytes(300_000)
            await store.put("a", data)
            assert (await store.get("a")).data == data
            assert await store.get_range("a", 200_000, 10) == data[200_000:200_010]
            assert [info.name for info in await store.list()] == ["a"]
            async with await store.watch() as watcher:
                first = await watcher.updates()
                assert first is not None
                assert first == await store.get_info("a")
            assert await js.object_store_names() == ["b"]
            await js.delete_object_store("b")
        await nc.close()
