"""Changes of versions between the steps of another client's change: no version is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from types import ModuleType
from typing import Any

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta
from jetstow._core.read.name_state import read_state
from jetstow._core.write import commit, history, rename, version_changes
from jetstow.errors import ConnectionLostError, ObjectLockedError, ObjectNotFoundError
from tests.live.test_versions import shown
from tests.support import raw_stream
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

pytestmark = pytest.mark.one_path

DATA = some_bytes(3_500)


@pytest.fixture
async def other_js(server: NatsServer) -> AsyncIterator[jetstow.JetStreamContext]:
    """A JetStream context on another connection."""
    async with jetstow.connect(server.url) as nc:
        yield nc.jetstream()


@pytest.fixture
async def other(
    other_js: jetstow.JetStreamContext, versioned: jetstow.ObjectStore
) -> jetstow.ObjectStore:
    """The bucket on another connection."""
    return await other_js.object_store(versioned.bucket)


def call_before_step(
    patch: pytest.MonkeyPatch, module: ModuleType, step: str, hook: Callable[[], Awaitable[object]]
) -> None:
    """Call `hook` before the next call of a function that is a step of a change."""
    original: Callable[..., Awaitable[Any]] = getattr(module, step)

    async def call_hook_first(*args: Any, **kwargs: Any) -> Any:
        patch.setattr(module, step, original)
        await hook()
        return await original(*args, **kwargs)

    patch.setattr(module, step, call_hook_first)


@pytest.mark.parametrize("what", ["restore", "put", "two puts"])
async def test_null_version_replaced_before_its_put_has_ended(
    js: jetstow.JetStreamContext,
    other_js: jetstow.JetStreamContext,
    versioned: jetstow.ObjectStore,
    raw: Client,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
) -> None:
    """The put removed the kept version `null`, which was its own object by then, or a later one."""
    bucket = versioned.bucket
    first = await versioned.put("a", b"first")
    store = await js.update_object_store(bucket, versioned=False)

    async def replace_it() -> None:
        other = await other_js.object_store(bucket)
        if what == "restore":
            await other.restore_version("a", first.version or "")
            return
        if what == "two puts":
            await other.put("a", b"null 2")
        other = await other_js.update_object_store(bucket, versioned=True)
        await other.put("a", b"new")

    call_before_step(monkeypatch, commit, "drop_outdated", replace_it)
    await store.put("a", DATA)
    null = b"null 2" if what == "two puts" else DATA
    data = {version: data for version, _, data in await shown(versioned, "a")}
    assert (data["null"], data[first.version]) == (null, b"first")
    assert len(data) == (2 if what == "restore" else 3)
    assert len(await raw_stream.chunks(raw, bucket)) == len(data)


async def test_null_version_locked_during_its_replacement(
    js: jetstow.JetStreamContext,
    other_js: jetstow.JetStreamContext,
    bucket: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = await js.create_object_store(bucket)
    await store.put("a", DATA)
    store = await js.update_object_store(bucket, versioned=True)
    await store.put("a", b"new")
    store = await js.update_object_store(bucket, versioned=False)
    other = await other_js.object_store(bucket)

    async def lock_it() -> None:
        await other.set_legal_hold("a", True, version="null")

    call_before_step(monkeypatch, commit, "keep_version", lock_it)
    put = await store.put("a", b"newer")
    assert put.version == "null"
    kept = await store.get(".jetstow/versions/a/null")
    assert (kept.data, kept.info.legal_hold) == (DATA, True)


@pytest.mark.parametrize("what", ["restore", "remove the current version"])
async def test_version_replaced_while_it_becomes_current(
    versioned: jetstow.ObjectStore,
    other: jetstow.ObjectStore,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
) -> None:
    """The put kept the version again, and the client that had made it current purged its chunks."""
    first = await versioned.put("a", DATA)
    second = await versioned.put("a", b"2")
    call_before_step(monkeypatch, history, "_purge_version", lambda: other.put("a", b"3"))
    if what == "restore":
        await versioned.restore_version("a", first.version or "")
    else:
        await versioned.delete("a", version=second.version)
    kept = [data for *_, data in await shown(versioned, "a")]
    assert kept == ([b"3", DATA, b"2"] if what == "restore" else [b"3", DATA])


@pytest.mark.parametrize("step", ["_publish", "_take"])
@pytest.mark.parametrize("what", ["restore", "remove the current version"])
async def test_version_locked_while_it_becomes_current(
    versioned: jetstow.ObjectStore,
    other: jetstow.ObjectStore,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    step: str,
) -> None:
    """The metadata from before the lock was published, and the version could be removed."""
    first = await versioned.put("a", DATA)
    second = await versioned.put("a", b"2")

    async def lock_it() -> None:
        await other.set_legal_hold("a", True, version=first.version)

    call_before_step(monkeypatch, version_changes, step, lock_it)
    if what == "restore":
        restored = await versioned.restore_version("a", first.version or "")
        assert restored.legal_hold or step == "_take"
    else:
        await versioned.delete("a", version=second.version)
    current = await versioned.get_info("a")
    assert (current.version, current.legal_hold) == (first.version, True)
    with pytest.raises(ObjectLockedError):
        await versioned.delete("a", version=first.version)
    assert not await versioned.exists(f".jetstow/versions/a/{first.version}")


CHANGES_OF_THE_OLD_NAME: dict[str, Callable[[jetstow.ObjectStore], Awaitable[object]]] = {
    "put": lambda store: store.put("a", b"new a"),
    "delete": lambda store: store.delete("a"),
    "describe": lambda store: store.update_meta("a", ObjectMeta(description="new")),
    "rename": lambda store: store.rename("a", "c"),
    "rename again": lambda store: store.rename("a", "b"),
    "remove the version": lambda store: _remove_oldest(store, "a"),
}


async def _remove_oldest(store: jetstow.ObjectStore, name: str) -> None:
    await store.delete(name, version=(await store.versions(name))[-1].version)


@pytest.mark.parametrize("is_suspended", [False, True])
@pytest.mark.parametrize("what", CHANGES_OF_THE_OLD_NAME)
async def test_new_name_replaced_after_an_interrupted_rename(
    js: jetstow.JetStreamContext,
    versioned: jetstow.ObjectStore,
    other_js: jetstow.JetStreamContext,
    raw: Client,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    is_suspended: bool,
) -> None:
    """The old name kept the object, too. Removing its version purged that of the new name."""
    bucket = versioned.bucket
    if is_suspended:
        versioned = await js.update_object_store(bucket, versioned=False)

    async def lose_connection() -> None:
        raise ConnectionLostError("lost")

    first = await versioned.put("a", DATA)
    call_before_step(monkeypatch, rename, "_remove_old_name", lose_connection)
    with pytest.raises(ConnectionLostError):
        await versioned.rename("a", "b")
    other = await other_js.update_object_store(bucket, versioned=True)
    await other.put("b", b"new b")
    with suppress(ObjectNotFoundError):
        await CHANGES_OF_THE_OLD_NAME[what](other)
    with suppress(ObjectNotFoundError):
        await other.delete("a", version=first.version)
    assert [data for *_, data in await shown(other, "b")] == [b"new b", DATA]
    current = await other.list()
    assert {info.name for info in current} == ({"a", "b"} if what == "put" else {"b"})
    await _remove_oldest(other, "b")
    assert await raw_stream.chunks(raw, bucket) == {info.nuid: 1 for info in current}


async def test_rename_back_that_was_stopped(
    versioned: jetstow.ObjectStore, other: jetstow.ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version that was left under the new name is no sign that the rename took effect."""
    bucket: Any = versioned._bucket
    first = await versioned.put("b", DATA)
    state = await read_state(bucket, bucket.error_context("b"))
    await versioned.rename("b", "a")
    await history.keep_version(bucket, state)

    def lose_connection(*_: object) -> None:
        raise ConnectionLostError("lost")

    with monkeypatch.context() as patch:
        patch.setattr(rename, "with_twin", lose_connection)  # between its first two messages
        with pytest.raises(ConnectionLostError):
            await versioned.rename("a", "b")
    await other.put("a", b"new")
    assert await shown(other, "a") == [
        ((await other.get_info("a")).version, False, b"new"),
        (first.version, False, DATA),
    ]


async def test_renamed_object_that_an_interrupted_change_kept(
    versioned: jetstow.ObjectStore,
) -> None:
    """The kept version stayed under the old name. Removing it purged the chunks of the new one."""
    bucket: Any = versioned._bucket
    first = await versioned.put("a", DATA)
    await history.keep_version(bucket, await read_state(bucket, bucket.error_context("a")))
    await versioned.rename("a", "b")
    assert [info.deleted for info in await versioned.versions("a")] == [True]
    with pytest.raises(ObjectNotFoundError):
        await versioned.delete("a", version=first.version)
    assert (await versioned.get("b")).data == DATA
