"""Objects that are replaced or deleted during a read: one revision's bytes, or an error."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import jetstow
from jetstow._core.read import links
from jetstow.errors import ObjectChangedError, ObjectDeletedError, ObjectNotFoundError
from tests.support.purges import purges_ended
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

pytestmark = pytest.mark.one_path

# More than the read-ahead: after one chunk, a reader does not have all bytes.
LARGE = some_bytes(5_000_000)


@pytest.fixture
def js(nc: jetstow.Client, server: NatsServer) -> jetstow.JetStreamContext:
    """Before 2.11, a server does not report a purge to a consumer: a read waits for the timeout."""
    return nc.jetstream(timeout=5 if server.at_least("2.11") else 1)


Change = Callable[[jetstow.ObjectStore], Awaitable[object]]
Reads = Callable[[jetstow.ObjectStore], Awaitable[bytes]]


async def replace(store: jetstow.ObjectStore) -> None:
    await store.put("a", b"new")
    await purges_ended(store)  # the old chunks could be read until then


async def delete(store: jetstow.ObjectStore) -> None:
    await store.delete("a")


async def rename(store: jetstow.ObjectStore) -> None:
    await store.update_meta("a", jetstow.ObjectMeta(name="b"))


@pytest.fixture
def change_before_read(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Change the object after a reader has its metadata and before it requests chunks."""
    follow = links.follow

    def let(change: Change, store: jetstow.ObjectStore) -> None:
        pending = [change]

        async def follow_and_change(*args: Any, **kwargs: Any) -> Any:
            found = await follow(*args, **kwargs)
            while pending:
                await pending.pop()(store)
            return found

        monkeypatch.setattr(links, "follow", follow_and_change)

    return let


async def get(store: jetstow.ObjectStore) -> bytes:
    return (await store.get("a")).data


async def get_into_file(store: jetstow.ObjectStore) -> bytes:
    memory = io.BytesIO()
    await store.get("a", memory)
    return memory.getvalue()


async def stream(store: jetstow.ObjectStore) -> bytes:
    return b"".join([chunk async for chunk in store.stream("a")])


async def get_range(store: jetstow.ObjectStore) -> bytes:
    return await store.get_range("a", 0)


READS = [get, get_into_file, stream, get_range]


@pytest.mark.parametrize("read", READS)
async def test_object_replaced_before_the_first_byte(
    store: jetstow.ObjectStore, read: Reads, change_before_read: Callable[..., None]
) -> None:
    await store.put("a", LARGE)
    change_before_read(replace, store)
    assert await read(store) == b"new"


@pytest.mark.parametrize("read", READS)
async def test_object_deleted_before_the_first_byte(
    store: jetstow.ObjectStore, read: Reads, change_before_read: Callable[..., None]
) -> None:
    await store.put("a", LARGE)
    change_before_read(delete, store)
    with pytest.raises(ObjectDeletedError):
        await read(store)


@pytest.mark.parametrize("read", READS)
async def test_object_renamed_before_the_first_byte(
    store: jetstow.ObjectStore, read: Reads, change_before_read: Callable[..., None]
) -> None:
    """The chunks stay in place, so a reader that has the metadata can continue."""
    await store.put("a", LARGE)
    change_before_read(rename, store)
    assert await read(store) == LARGE
    with pytest.raises(ObjectNotFoundError):
        await read(store)


@pytest.mark.parametrize("change", [replace, delete])
async def test_stream_of_an_object_that_changes(store: jetstow.ObjectStore, change: Change) -> None:
    await store.put("a", LARGE)
    chunks = store.stream("a")
    found = await anext(chunks)
    await change(store)
    with pytest.raises(ObjectChangedError, match=f"{change.__name__}d") as caught:
        found += b"".join([chunk async for chunk in chunks])
    assert (caught.value.bucket, caught.value.name) == (store.bucket, "a")
    assert LARGE.startswith(found)


class ReplacingFile(io.BytesIO):
    """A file that changes the object when it receives the first bytes."""

    def __init__(self, change: Change, store: jetstow.ObjectStore) -> None:
        super().__init__()
        self._pending = [change]
        self._store = store

    # An asynchronous file, so that the change can be awaited here.
    async def write(self, data: bytes) -> int:  # type: ignore[override]
        while self._pending:
            await self._pending.pop()(self._store)
        return super().write(data)


@pytest.mark.parametrize("change", [replace, delete])
async def test_get_into_a_file_of_an_object_that_changes(
    store: jetstow.ObjectStore, change: Change
) -> None:
    await store.put("a", LARGE)
    file = ReplacingFile(change, store)
    with pytest.raises(ObjectChangedError):
        await store.get("a", file)
    assert LARGE.startswith(file.getvalue())
    assert len(file.getvalue()) < len(LARGE)


async def test_get_retries_if_the_caller_has_seen_no_byte(
    store: jetstow.ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`get` into memory and `get_file` start again: the caller has seen no byte yet."""
    from jetstow._core.read.verification import verified_batches

    async def verified_until_replaced(*arguments: Any) -> Any:
        async for batch in verified_batches(*arguments):
            yield batch
            while pending:
                await pending.pop()(store)

    monkeypatch.setattr("jetstow._core.read.object_read.verified_batches", verified_until_replaced)
    await store.put("a", LARGE)
    pending: list[Change] = [replace]
    assert (await store.get("a")).data == b"new"
    assert not pending

    await store.put("a", LARGE)
    pending.append(replace)
    await store.get_file("a", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"new"
    assert not pending


async def test_open_file_of_a_replaced_object(
    store: jetstow.ObjectStore,
) -> None:
    await store.put("a", LARGE)
    async with store.open("a") as file:
        assert await file.read(10) == LARGE[:10]
        await store.put("a", b"new")
        await file.seek(-10, 2)
        with pytest.raises(ObjectChangedError):
            await file.read()
    async with store.open("a") as file:
        assert await file.read() == b"new"


async def test_bucket_deleted_while_streaming(
    store: jetstow.ObjectStore, js: jetstow.JetStreamContext
) -> None:
    from jetstow.errors import BucketNotFoundError

    await store.put("a", LARGE)
    chunks = store.stream("a")
    await anext(chunks)
    await js.delete_object_store(store.bucket)
    with pytest.raises(BucketNotFoundError) as caught:
        _ = [chunk async for chunk in chunks]
    assert caught.value.bucket == store.bucket
    with pytest.raises(BucketNotFoundError):
        await store.get("a")
