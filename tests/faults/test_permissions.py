"""Users with limited permissions: every verb succeeds or is denied at once, without effects."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import nats.errors
import pytest

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow._core.bucket.stream import Stream
from jetstow.errors import BucketNotFoundError, PermissionDeniedError
from tests.support import raw_stream
from tests.support.purges import purges_ended
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

pytestmark = pytest.mark.one_path

DATA = some_bytes(5_000)
SMALL = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=1000))

# A denial takes one round trip. A verb that waits for the timeout exceeds the bound. In seconds.
TIMEOUT, BOUND = 30.0, 5.0

MINE, OTHER = "mine", "other"
API = "$JS.API"


def _user(name: str, **permissions: str) -> str:
    clauses = " ".join(f"{kind}: {{ {rule} }}" for kind, rule in permissions.items())
    return f"{{ user: {name}, password: pw, permissions {{ {clauses} }} }}"


READER = f"""allow: [
    "{API}.STREAM.NAMES", "{API}.STREAM.LIST", "{API}.STREAM.INFO.*", "{API}.STREAM.MSG.GET.*",
    "{API}.DIRECT.GET.>", "{API}.CONSUMER.>", "$JS.FC.>" ]"""
ONE_BUCKET = f"""allow: [
    "$O.{MINE}.>", "{API}.*.*.OBJ_{MINE}", "{API}.STREAM.MSG.*.OBJ_{MINE}",
    "{API}.DIRECT.GET.OBJ_{MINE}", "{API}.CONSUMER.*.OBJ_{MINE}.>",
    "{API}.CONSUMER.MSG.NEXT.OBJ_{MINE}.>", "$JS.FC.OBJ_{MINE}.>" ]"""

USERS = [
    "{ user: owner, password: pw }",
    _user("reader", publish=READER),
    _user("one-bucket", publish=ONE_BUCKET),
    _user("no-direct", publish=f'deny: ["{API}.DIRECT.GET.>"]'),
    _user("no-consumer", publish=f'deny: ["{API}.CONSUMER.>"]'),
    _user("no-purge", publish=f'deny: ["{API}.STREAM.PURGE.>"]'),
    _user("no-info", publish=f'deny: ["{API}.STREAM.INFO.>"]'),
    _user("no-get", publish=f'deny: ["{API}.STREAM.MSG.GET.>"]'),
    _user("own-inbox", subscribe='allow: ["_INBOX_me.>"]'),
]

Verb = Callable[[jetstow.JetStreamContext, jetstow.ObjectStore, Path], Awaitable[object]]


async def _write(_: object, store: jetstow.ObjectStore, __: object) -> None:
    async with store.open("new", "wb", SMALL) as file:
        await file.write(DATA)


async def _read(_: object, store: jetstow.ObjectStore, __: object) -> None:
    async with store.open("a") as file:
        assert await file.read() == DATA


async def _stream(_: object, store: jetstow.ObjectStore, __: object) -> None:
    assert b"".join([piece async for piece in store.stream("a")]) == DATA


async def _list(_: object, store: jetstow.ObjectStore, __: object) -> None:
    assert [info.name for info in await store.list()] == ["a"]


async def _list_iterated(_: object, store: jetstow.ObjectStore, __: object) -> None:
    assert [info.name async for info in store.list()] == ["a"]


async def _watch(_: object, store: jetstow.ObjectStore, __: object) -> None:
    async with await store.watch() as changes:
        first = await changes.updates()
        assert first is not None
        assert first.name == "a"


# Verbs of an object, of the bucket, and of the account.
OBJECT: dict[str, Verb] = {
    "put": lambda _, store, __: store.put("new", DATA, SMALL),
    "replace": lambda _, store, __: store.put("a", DATA[1:], SMALL),
    "put_file": lambda _, store, path: store.put_file(path, "new"),
    "put_file resume": lambda _, store, path: store.put_file(path, "new", resume=True),
    "write": _write,
    "update_meta": lambda _, store, __: store.update_meta("a", ObjectMeta(description="x")),
    "rename": lambda _, store, __: store.update_meta("a", ObjectMeta(name="new")),
    "add_link": lambda _, store, __: store.add_link("new", "a"),
    "add_bucket_link": lambda _, store, __: store.add_bucket_link("new", OTHER),
    "delete": lambda _, store, __: store.delete("a"),
    "get": lambda _, store, __: store.get("a"),
    "get_range": lambda _, store, __: store.get_range("a", 1500, 2000),
    "get_file": lambda _, store, path: store.get_file("a", path.with_name("got")),
    "get_file resume": lambda _, store, path: store.get_file(
        "a", path.with_name("got"), resume=True
    ),
    "stream": _stream,
    "read": _read,
    "get_info": lambda _, store, __: store.get_info("a"),
}
# A put assumes that a name is unused, and asks for its revision only if it is not.
PUTS_OF_NEW_NAMES = {"put", "put_file", "put_file resume", "write"}
BUCKET: dict[str, Verb] = {
    "list": _list,
    "list iterated": _list_iterated,
    "watch": _watch,
    "status": lambda _, store, __: store.status(),
    "seal": lambda _, store, __: store.seal(),
    "object_store": lambda js, _, __: js.object_store(MINE),
    "create": lambda js, _, __: js.create_object_store(MINE, storage="memory"),
    "update": lambda js, _, __: js.update_object_store(MINE, description="x"),
    "create_or_update": lambda js, _, __: js.create_or_update_object_store(
        MINE, storage="memory", description="x"
    ),
    "delete_object_store": lambda js, _, __: js.delete_object_store(MINE),
}
ACCOUNT: dict[str, Verb] = {
    "names": lambda js, _, __: js.object_store_names(),
    "states": lambda js, _, __: js.object_stores(),
}
VERBS = OBJECT | BUCKET | ACCOUNT


@pytest.fixture(scope="module")
def guarded() -> Iterator[NatsServer]:
    users = "\n".join(USERS)
    config = f"accounts {{ A {{ jetstream: enabled\n users: [\n{users}\n] }} }}"
    with NatsServer(config=config) as started:
        yield started


@pytest.fixture
async def owner(guarded: NatsServer) -> AsyncIterator[jetstow.Client]:
    async with await jetstow.connect(guarded.url, user="owner", password="pw") as nc:
        yield nc


# The denied verbs of each user, by the prefix of the denied subject. All others must succeed.
REFUSED: dict[str, dict[str, str]] = {
    "owner": {},
    "reader": {
        "$O.mine.C.": "put, replace, put_file, put_file resume, write",
        "$O.mine.M.": "update_meta, rename, add_link, add_bucket_link, delete",
        f"{API}.STREAM.CREATE.OBJ_mine": "create, create_or_update",
        f"{API}.STREAM.UPDATE.OBJ_mine": "update, seal",
        f"{API}.STREAM.DELETE.OBJ_mine": "delete_object_store",
    },
    "one-bucket": {f"{API}.STREAM.NAMES": "names", f"{API}.STREAM.LIST": "states"},
    "no-direct": {},
    "no-consumer": {f"{API}.CONSUMER.CREATE.OBJ_mine": "watch"},
    "no-info": {
        f"{API}.STREAM.INFO.OBJ_mine": "put_file resume, watch, status, seal, "
        "object_store, update, create_or_update"
    },
    "no-get": {f"{API}.STREAM.MSG.GET.OBJ_mine": ", ".join(OBJECT.keys() - PUTS_OF_NEW_NAMES)},
    "own-inbox": {},
}


async def create_bucket(owner: jetstow.Client) -> jetstow.ObjectStore:
    """Create the empty bucket in memory: a file directory under deletion can leave old messages."""
    return await owner.jetstream().create_object_store(MINE, storage="memory")


async def connected(guarded: NatsServer, user: str) -> jetstow.Client:
    prefix: dict[str, Any] = {"inbox_prefix": "_INBOX_me"} if user == "own-inbox" else {}
    return await jetstow.connect(guarded.url, user=user, password="pw", **prefix)


@pytest.mark.parametrize("user", REFUSED)
async def test_every_verb_succeeds_or_is_denied_at_once(
    guarded: NatsServer,
    owner: jetstow.Client,
    user: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "file").write_bytes(DATA)
    refused = {verb: at for at, verbs in REFUSED[user].items() for verb in verbs.split(", ")}
    async with await connected(guarded, user) as nc:
        js = nc.jetstream(timeout=TIMEOUT)
        for verb, call in VERBS.items():
            owned = await create_bucket(owner)
            await owned.put("a", DATA, SMALL)
            before = await raw_stream.subjects(owner, MINE)
            store = jetstow.ObjectStore(js, Stream(js._jetstream, MINE, owned._bucket.config))
            async with asyncio.timeout(BOUND):
                if verb not in refused:
                    await call(js, store, tmp_path / "file")
                else:
                    with pytest.raises(PermissionDeniedError) as caught:
                        await call(js, store, tmp_path / "file")
                    _check(verb, caught.value, refused[verb])
                    assert await raw_stream.subjects(owner, MINE) == before, verb
                    assert _files(tmp_path) <= {"file", "got"}, verb
                await nc.flush()
            with suppress(BucketNotFoundError):
                await owner.jetstream().delete_object_store(MINE)
    # The connection logs the server's error for each chunk in flight.
    clauses = [each for each in caplog.records if each.name != "jetstow.client"]
    assert not [each for each in clauses if each.levelno >= logging.WARNING]


def _files(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


def _check(verb: str, error: PermissionDeniedError, subject: str) -> None:
    assert isinstance(error, PermissionError)
    assert error.subject is not None
    assert error.subject.startswith(subject), verb
    assert error.subject in str(error)
    assert error.bucket == (None if verb in ACCOUNT else MINE), verb
    if verb in OBJECT and "STREAM.INFO" not in subject:
        assert error.name in {"a", "new"}, verb


async def test_purge_denied_logs_a_warning(
    guarded: NatsServer, owner: jetstow.Client, caplog: pytest.LogCaptureFixture
) -> None:
    owned = await create_bucket(owner)
    async with await connected(guarded, "no-purge") as nc:
        store = await nc.jetstream(timeout=TIMEOUT).object_store(MINE)
        await store.put("a", DATA, SMALL)
        assert not caplog.records
        await store.put("a", DATA[1:], SMALL)
        await purges_ended(store)
        assert "were not purged" in caplog.text
        # The rename leaves a delete marker under the old name.
        with suppress(PermissionDeniedError):
            await store.update_meta("a", ObjectMeta(name="b"))
        assert [info.name for info in await owned.list()] == ["b"]
        assert (await store.get("b")).data == DATA[1:]
        await store.delete("b")
    assert await owned.list() == []
    await owner.jetstream().delete_object_store(MINE)


@pytest.mark.parametrize("verb", ["create", "object_store", "names"])
async def test_reply_subscription_denied(
    guarded: NatsServer, owner: jetstow.Client, verb: str, tmp_path: Path
) -> None:
    owned = await create_bucket(owner)
    # This user may subscribe to its own inbox prefix only, and the client uses the default.
    async with await jetstow.connect(guarded.url, user="own-inbox", password="pw") as nc:
        js = nc.jetstream(timeout=TIMEOUT)
        async with asyncio.timeout(BOUND):
            with pytest.raises(PermissionDeniedError) as caught:
                await VERBS[verb](js, owned, tmp_path)
            await nc.flush()
        assert (caught.value.subject or "").upper().startswith("_INBOX.")
    await owner.jetstream().delete_object_store(MINE)


async def test_request_of_nats_py_is_denied_at_once(guarded: NatsServer) -> None:
    """nats-py waits for its timeout: the server reports the denial to the connection only."""
    async with await connected(guarded, "reader") as nc, asyncio.timeout(BOUND):
        js = nc.jetstream(timeout=TIMEOUT)
        requests: dict[str, Callable[[], Awaitable[object]]] = {
            "Elsewhere": lambda: nc.request("Elsewhere", b"", timeout=TIMEOUT),
            "$KV.x.y": lambda: js.publish("$KV.x.y", b""),
            f"{API}.STREAM.CREATE.KV_x": lambda: js.create_key_value(bucket="x"),
        }
        for subject, request in requests.items():
            with pytest.raises(PermissionDeniedError, match="may not publish") as caught:
                await request()
            assert caught.value.subject == subject
        assert (await nc.request(f"{API}.STREAM.NAMES", b"", timeout=TIMEOUT)).data


async def test_other_errors_of_requests_are_those_of_nats_py(owner: jetstow.Client) -> None:
    await owner.subscribe("silent")
    with pytest.raises(nats.errors.TimeoutError):
        await owner.request("silent", timeout=0.05)
    with pytest.raises(nats.errors.NoRespondersError):
        await owner.request("unknown", timeout=TIMEOUT)
    assert not owner.jetstream()._jetstream.inbox.request_count
