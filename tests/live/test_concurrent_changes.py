"""An object that is replaced or deleted while it is read: one revision's bytes, or an error."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import jetstow
from jetstow._core.read import links
from jetstow.errors import ObjectChangedError, ObjectDeletedError, ObjectNotFoundError
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

# More than is asked for ahead: a reader that has got one chunk has not got all.
LARGE = some_bytes(5_000_000)


@pytest.fixture
def js(nc: jetstow.Client, server: NatsServer) -> jetstow.JetStreamContext:
    """Servers before 2.11 tell a consumer of no purge: there, silence is waited out."""
    return nc.jetstream(timeout=5 if server.at_least("2.11") else 1)


Change = Callable[[jetstow.ObjectStore], Awaitable[object]]
Reads = Callable[[jetstow.ObjectStore], Awaitable[bytes]]


async def replaced(store: jetstow.ObjectStore) -> None:
    await store.put("a", b"new")


async def deleted(store: jetstow.ObjectStore) -> None:
    await store.delete("a")


async def renamed(store: jetstow.ObjectStore) -> None:
    await store.update_meta("a", jetstow.ObjectMeta(name="b"))


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets something happen after a reader has seen the metadata and before it asks for chunks."""
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


async def whole(store: jetstow.ObjectStore) -> bytes:
    return (await store.get("a")).data


async def into_a_file(store: jetstow.ObjectStore) -> bytes:
    memory = io.BytesIO()
    await store.get("a", memory)
    return memory.getvalue()


async def streamed(store: jetstow.ObjectStore) -> bytes:
    return b"".join([chunk async for chunk in store.stream("a")])


async def ranged(store: jetstow.ObjectStore) -> bytes:
    return await store.get_range("a", 0)


READS = [whole, into_a_file, streamed, ranged]


@pytest.mark.parametrize("read", READS)
async def test_replaced_before_the_first_byte_the_new_revision_is_read(
    store: jetstow.ObjectStore, read: Reads, meanwhile: Callable[..., None]
) -> None:
    await store.put("a", LARGE)
    meanwhile(replaced, store)
    assert await read(store) == b"new"


@pytest.mark.parametrize("read", READS)
async def test_deleted_before_the_first_byte_there_is_nothing_to_read(
    store: jetstow.ObjectStore, read: Reads, meanwhile: Callable[..., None]
) -> None:
    await store.put("a", LARGE)
    meanwhile(deleted, store)
    with pytest.raises(ObjectDeletedError):
        await read(store)


@pytest.mark.parametrize("read", READS)
async def test_renamed_before_the_first_byte_it_is_read_or_not_there(
    store: jetstow.ObjectStore, read: Reads, meanwhile: Callable[..., None]
) -> None:
    """Its chunks stay where they are, so who has the metadata can read on."""
    await store.put("a", LARGE)
    meanwhile(renamed, store)
    assert await read(store) == LARGE
    with pytest.raises(ObjectNotFoundError):
        await read(store)


@pytest.mark.parametrize("change", [replaced, deleted])
async def test_changed_after_the_first_byte_a_stream_ends_with_an_error(
    store: jetstow.ObjectStore, change: Change
) -> None:
    await store.put("a", LARGE)
    chunks = store.stream("a")
    found = await anext(chunks)
    await change(store)
    with pytest.raises(ObjectChangedError, match=change.__name__) as caught:
        found += b"".join([chunk async for chunk in chunks])
    assert (caught.value.bucket, caught.value.name) == (store.bucket, "a")
    assert LARGE.startswith(found)


class ReplacingFile(io.BytesIO):
    """A file at whose first bytes somebody replaces the object."""

    def __init__(self, change: Change, store: jetstow.ObjectStore) -> None:
        super().__init__()
        self._pending = [change]
        self._store = store

    # An asynchronous file, so that the change can be awaited here.
    async def write(self, data: bytes) -> int:  # type: ignore[override]
        while self._pending:
            await self._pending.pop()(self._store)
        return super().write(data)


@pytest.mark.parametrize("change", [replaced, deleted])
async def test_changed_after_the_first_byte_a_get_into_a_file_is_an_error(
    store: jetstow.ObjectStore, change: Change
) -> None:
    await store.put("a", LARGE)
    file = ReplacingFile(change, store)
    with pytest.raises(ObjectChangedError):
        await store.get("a", file)
    assert LARGE.startswith(file.getvalue())
    assert len(file.getvalue()) < len(LARGE)


async def test_what_is_not_handed_out_yet_is_read_anew(
    store: jetstow.ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In memory, and in a file that is put in its place at the end, nobody has seen a byte."""
    from jetstow._core.read.download import verified_chunks

    async def verified_until_replaced(stream: Any, info: Any, begun: Any) -> Any:
        async for chunk in verified_chunks(stream, info, begun):
            yield chunk
            while pending:
                await pending.pop()(store)

    monkeypatch.setattr("jetstow._core.read.object_read.verified_chunks", verified_until_replaced)
    await store.put("a", LARGE)
    pending: list[Change] = [replaced]
    assert (await store.get("a")).data == b"new"
    assert not pending

    await store.put("a", LARGE)
    pending.append(replaced)
    await store.get_file("a", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"new"
    assert not pending


async def test_an_open_file_stays_at_its_revision_or_says_that_it_is_gone(
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


async def test_a_bucket_that_is_deleted_while_it_is_read(
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
