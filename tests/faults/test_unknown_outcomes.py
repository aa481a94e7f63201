"""Puts whose outcome is unknown keep their chunks; puts that stored no metadata leave none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.versions import hidden_name
from jetstow._core.read.name_state import NameState, read_state
from jetstow._core.write.checkpoint import Checkpoint
from jetstow._core.write.history import keep_version
from jetstow.errors import ConnectionLostError, TimeoutError
from tests.support import raw_stream
from tests.support.proxy import Proxy
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

pytestmark = pytest.mark.one_path

CUT = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=1000))
DATA = some_bytes(3_500)

USERS = """
accounts { A { jetstream: enabled, users: [
  { user: all, password: pw }
  { user: no-names, password: pw, permissions { publish: { deny: ["$O.*.M.>"] } } }
] } }
"""


@pytest.fixture
def guarded() -> Iterator[NatsServer]:
    with NatsServer(config=USERS) as started:
        yield started


@asynccontextmanager
async def acknowledgement_lost(
    proxy: Proxy, owner: Client, bucket: str, name: str = "a"
) -> AsyncIterator[None]:
    """Wait until metadata of a name is published, and lose its acknowledgement with the connection.

    The proxy has a delay. It refuses connections until `accept`.
    """
    published = await owner.subscribe(raw_stream.meta_subject(bucket, name))
    await owner.flush()
    yield
    await published.next_msg(timeout=10)
    proxy.refuse()
    proxy.cut()  # the acknowledgement is still on its way


async def test_refusal_after_a_lost_acknowledgement(guarded: NatsServer) -> None:
    """The second publish was refused, and the put purged the chunks that the first had named."""
    async with (
        Proxy(guarded.port, delay=0.1) as proxy,
        jetstow.connect(
            proxy.url,
            user="all",
            password="pw",
            reconnect_time_wait=0.05,
            max_reconnect_attempts=-1,
        ) as nc,
    ):
        owner = await nats.connect(guarded.url, user="all", password="pw")
        store = await nc.jetstream().create_object_store("b")
        async with acknowledgement_lost(proxy, owner, "b"):
            put = asyncio.create_task(store.put("a", DATA, CUT))
        nc.options["user"] = "no-names"  # its permission is revoked
        proxy.accept()
        with pytest.raises(ConnectionLostError, match="object 'a' in bucket 'b'"):
            await put
        assert (await store.get("a")).data == DATA
        await owner.close()


async def test_metadata_that_was_not_sent(
    server: NatsServer, raw: Client, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A timeout before the metadata was sent left the chunks, as if it might have been stored."""
    async with Proxy(server.port) as proxy, jetstow.connect(proxy.url) as nc:
        js = nc.jetstream()
        store = await js.create_object_store(bucket, versioned=True)
        old = await store.put("a", b"old")

        async def keep_without_reply(stream: Stream, state: NameState) -> None:
            proxy.stall()
            try:
                await keep_version(stream, state)
            finally:
                proxy.resume()

        monkeypatch.setattr("jetstow._core.write.commit.keep_version", keep_without_reply)
        hurried = await nc.jetstream(timeout=0.3).object_store(bucket)
        with pytest.raises(TimeoutError):
            await hurried.put("a", DATA, CUT)
        assert await raw_stream.chunks(raw, bucket) == {old.nuid: 1}
        assert (await store.get("a")).data == b"old"
        await js.delete_object_store(bucket)


async def test_version_is_kept_again_after_a_lost_reply(
    server: NatsServer, raw: Client, bucket: str
) -> None:
    """The kept version that was found was an old one, but was taken for that of the lost reply."""
    async with (
        Proxy(server.port, delay=0.1) as proxy,
        jetstow.connect(proxy.url, reconnect_time_wait=0.05, max_reconnect_attempts=-1) as nc,
    ):
        js = nc.jetstream()
        store = await js.create_object_store(bucket, versioned=True)
        stream: Any = store._bucket
        version = (await store.put("a", b"old")).version
        assert version is not None
        hidden = hidden_name("a", version)
        state = await read_state(stream, stream.error_context("a"))
        await keep_version(stream, state)
        first = await raw_stream.last_message(raw, bucket, raw_stream.meta_subject(bucket, hidden))
        async with acknowledgement_lost(proxy, raw, bucket, hidden):
            keeping = asyncio.create_task(keep_version(stream, state))
        proxy.accept()
        await keeping
        again = await raw_stream.last_message(raw, bucket, raw_stream.meta_subject(bucket, hidden))
        assert (again["seq"] > first["seq"], again["data"]) == (True, first["data"])
        await js.delete_object_store(bucket)


async def test_changes_at_a_revision_after_a_lost_acknowledgement(
    server: NatsServer, store: jetstow.ObjectStore, raw: Client
) -> None:
    """They raised RevisionMismatchError, as if they had not been stored before the next write."""
    async with (
        Proxy(server.port, delay=0.1) as proxy,
        jetstow.connect(proxy.url, reconnect_time_wait=0.05, max_reconnect_attempts=-1) as nc,
    ):
        delayed = await nc.jetstream().object_store(store.bucket)
        changes: list[Callable[[int], Coroutine[Any, Any, object]]] = [
            lambda revision: delayed.delete("a", expected_revision=revision),
            lambda revision: delayed.update_meta(
                "a", ObjectMeta(description="mine"), expected_revision=revision
            ),
        ]
        for change in changes:
            info = await store.put("a", b"first")
            async with acknowledgement_lost(proxy, raw, store.bucket):
                changing = asyncio.create_task(change(info.revision or 0))
            theirs = await store.put("a", b"theirs")
            proxy.accept()
            with pytest.raises(ConnectionLostError) as caught:
                await changing
            assert "stored for a time" in "".join(caught.value.__notes__)
            assert await store.get_info("a") == theirs


# -- put_file with resume ----------------------------------------------------------------


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the checkpoints."""
    monkeypatch.setenv("JETSTOW_HOME", str(tmp_path))
    return tmp_path / "uploads"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(DATA)
    return path


async def test_put_cancelled_before_the_metadata_resumes(
    js: jetstow.JetStreamContext,
    bucket: str,
    raw: Client,
    file: Path,
    uploads: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The checkpoint had been removed for the commit, and the note said that it was there."""
    store = await js.create_object_store(bucket, versioned=True)
    old = await store.put("a", b"old")
    remove = Checkpoint.remove

    def remove_and_cancel(checkpoint: Checkpoint) -> None:
        monkeypatch.setattr(Checkpoint, "remove", remove)
        remove(checkpoint)
        putting.cancel()

    monkeypatch.setattr(Checkpoint, "remove", remove_and_cancel)
    # The put keeps the version before it sends the metadata.
    putting = asyncio.ensure_future(store.put_file(file, "a", CUT, resume=True))
    with pytest.raises(asyncio.CancelledError) as caught:
        await putting
    (path,) = uploads.iterdir()
    (note,) = caught.value.__notes__
    assert f"the checkpoint is {str(path)!r}" in note
    assert [info.nuid for info in await store.versions("a")] == [old.nuid]
    (nuid,) = (await raw_stream.chunks(raw, bucket)).keys() - {old.nuid}
    info = await store.put_file(file, "a", CUT, resume=True)
    assert (info.nuid, (await store.get("a")).data) == (nuid, DATA)
    assert list(uploads.iterdir()) == []
    await js.delete_object_store(bucket)


async def test_put_with_an_unknown_outcome_does_not_resume(
    server: NatsServer, store: jetstow.ObjectStore, raw: Client, file: Path, uploads: Path
) -> None:
    """The note named a checkpoint that had been removed."""
    async with (
        Proxy(server.port, delay=0.1) as proxy,
        jetstow.connect(proxy.url, reconnect_time_wait=0.01, max_reconnect_attempts=2) as nc,
    ):
        delayed = await nc.jetstream().object_store(store.bucket)
        async with acknowledgement_lost(proxy, raw, store.bucket):
            put = asyncio.ensure_future(delayed.put_file(file, "a", CUT, resume=True))
        with pytest.raises(ConnectionLostError) as caught:
            await put
    info = await store.get_info("a")
    (note,) = caught.value.__notes__
    assert note.startswith("the metadata of object 'a'")
    assert info.nuid in note
    assert list(uploads.iterdir()) == []
    assert (await store.get("a")).data == DATA
