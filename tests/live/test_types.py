"""Programs written for nats-py's object store work with jetstow: types, arguments, errors."""

from __future__ import annotations

import inspect
import io
from collections.abc import AsyncIterator, Callable
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

pytestmark = pytest.mark.one_path


async def test_types_are_those_of_nats_py(nc: jetstow.Client, store: jetstow.ObjectStore) -> None:
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


async def test_private_names_of_nats_py(
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
def test_arguments_are_those_of_nats_py(theirs: Any, ours: Any) -> None:
    known, extended = parameters(theirs), parameters(ours)
    if theirs.__name__ in {"list", "watch"}:
        # Their first argument is `prefix`. nats-py's flags are accepted by position, too.
        assert extended.pop(1).name == "prefix"
        extended = [our for our in extended if our.name != "match"]
        known = [their.replace(kind=their.KEYWORD_ONLY) for their in known[1:]]
        extended = extended[1:]
    for our, their in zip(extended, known, strict=False):
        assert our.name == their.name
        assert our.kind == their.kind
        # `list` omits deleted objects by default, as ADR-20 specifies. nats-py does not.
        if their.name != "ignore_deletes" or theirs.__name__ != "list":
            assert our.default == their.default
    for more in extended[len(known) :]:
        assert more.default is not more.empty or more.kind == more.VAR_KEYWORD


def test_methods_of_nats_py_exist() -> None:
    assert {"put", "get", "get_info", "list", "watch", "delete", "status", "seal"} <= set(STORE)
    assert set(CONTEXT) >= {"object_store", "create_object_store", "delete_object_store"}


@pytest.fixture(params=["nats-py", "jetstow", "jetstow on a nats-py connection"])
async def context(
    request: pytest.FixtureRequest, nc: jetstow.Client, raw: Client, bucket: str
) -> AsyncIterator[JetStreamContext]:
    """The three contexts on which the same programs run."""
    contexts: dict[str, Callable[[], JetStreamContext]]
    contexts = {"nats-py": raw.jetstream, "jetstow": nc.jetstream}
    context = contexts.get(request.param, lambda: jetstow.jetstream(raw))()
    yield context
    await context.delete_object_store(bucket)


# All calls in nats-py's documentation and tests, by position and by name.


async def test_program_put_and_get(context: JetStreamContext, bucket: str) -> None:
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


async def test_program_watch(context: JetStreamContext, bucket: str) -> None:
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
    await store.delete("meta")
    assert [entry.name for entry in await store.list(True)] == ["greeting"]
    assert [entry.name for entry in await store.list(False)] == ["greeting", "meta"]
    deletes = await store.watch(False, True, updates_only=False)
    assert [entry.name for entry in (await deletes.updates(), await deletes.updates())] == [
        "greeting",
        "meta",
    ]
    await deletes.stop()


async def test_program_delete_and_seal(context: JetStreamContext, bucket: str) -> None:
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


async def test_program_catches_bucket_errors(context: JetStreamContext, bucket: str) -> None:
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


async def test_nats_py_connection_is_not_changed(server: NatsServer, bucket: str) -> None:
    """nats-py calls its callbacks, and its own object store works on the same connection."""
    events: list[str] = []

    async def on_error(error: Exception) -> None:
        events.append(f"error {error}")

    async def on_closed() -> None:
        events.append("closed")

    async def on_disconnected() -> None:
        events.append("disconnected")

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
    assert events == ["disconnected", "closed"]


async def test_other_features_of_the_context(js: jetstow.JetStreamContext, bucket: str) -> None:
    keys = await js.create_key_value(bucket=bucket)
    await keys.put("key", b"value")
    assert (await keys.get("key")).value == b"value"
    await js.delete_key_value(bucket)
    assert (await js.account_info()).limits is not None


async def test_jetstream_domain(server: NatsServer) -> None:
    """Requests have its prefix, and replies of consumers have two tokens more."""
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
